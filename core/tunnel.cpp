#include "core/tunnel.h"

#include <algorithm>
#include <utility>

#include "core/binder.h"
#include "core/fec_sender.h"
#include "core/feedback.h"
#include "core/observer.h"
#include "core/path_set.h"
#include "core/receiver.h"
#include "core/repair.h"
#include "core/retention.h"
#include "core/sender.h"
#include "core/session.h"
#include "core/shared_bottleneck.h"

namespace sennit {
namespace {

// While packets wait for a path and nothing else would wake us: often enough to keep the horizon of
// the scheduler (5 ms) filled.
constexpr Duration backlog_review_interval = 1ms;
// Datagrams are acknowledged by the hundred: looking so far ahead hides the wait for their memory.
constexpr std::uint64_t expected_ahead = 8;
constexpr Duration empty_pool_pause = 1ms;

bool is_data(wire::FrameKind kind) {
  return kind == wire::FrameKind::data || kind == wire::FrameKind::data_overtook;
}

}  // namespace

// The parts, in the order in which a packet meets them on the way out; then the way in.
struct Tunnel::State {
  State(const TunnelConfig& tunnel_config, Role role, const SessionSecret& secret,
        PacketPool& packet_pool, std::uint64_t seed, std::unique_ptr<Scheduler> scheduler,
        std::uint64_t first)
      : config(tunnel_config),
        first_number(first),
        pool(packet_pool),
        observer(config.trace_packets),
        session(role, secret),
        fec(config, paths, pool),
        binder(config, observer, paths, retention, fec, bottlenecks, seed, std::move(scheduler)),
        repair(config, observer, paths, retention, binder),
        sender(config, observer, paths, retention, session, pool),
        feedback(config, paths, sender, binder),
        receiver(config, observer, paths, pool) {
    binder.begin_at(first_number);
    receiver.begin_at(first_number);
  }

  void handle_datagram(Instant now, Datagram& datagram);
  void handle_frames(Instant now, Path& path, const Datagram& datagram, Packet plain);
  bool handle_data(const Receiver::Origin& origin, const wire::Frame& frame, bool last,
                   Packet& plain);
  bool handle_other_frame(const Receiver::Origin& origin, const wire::Frame& frame,
                          std::uint32_t sent_us);
  bool handle_report(Instant now, std::span<const std::byte> body, std::uint32_t sent_us);
  void apply_report(Instant now, Path& path, const wire::PathReport& report, std::uint32_t sent_us);
  void note_first_answers(Path& path, const LossDetector::Outcome& outcome);
  void apply_rate(Instant now, Path& path, const LossDetector::Outcome& outcome,
                  const wire::PathReport& report);
  void look_for_shared_bottlenecks(Instant now, const Path& path,
                                   const LossDetector::Outcome& outcome);
  template <class Change>
  void change_groups(Instant now, Change change);
  bool handle_path_status(std::span<const std::byte> body);
  void hear_from(Instant now, Path& path);
  void check_silence(Instant now, Path& path);
  void settle_state(Instant now, Path& path, PathState before, std::uint64_t reason);
  void check_probe_timeout(Instant now, Path& path);
  Instant backlog_wake(Instant now) const;
  PathMetrics path_metrics(const Path& path) const;
  std::uint16_t inner_mtu() const;

  const TunnelConfig config;
  const std::uint64_t first_number;
  PacketPool& pool;
  Observer observer;
  PathSet paths;
  Retention retention;
  Session session;
  FecSender fec;
  SharedBottlenecks bottlenecks;
  Binder binder;
  Repair repair;
  Sender sender;
  Feedback feedback;
  Receiver receiver;
  ClockOffset forward_clock, backward_clock;
  Instant review_at{};
  Instant peer_heard{};
  Instant last_now{}, last_timeout{};
  bool gaps_unsettled = false;  // datagrams came in since gaps were last reviewed
  // Inner packets leave these to the network and to control, or a pool that is full of packets
  // which wait for a path could never hear that the path is back.
  const std::size_t slots_kept = std::min(pool.slots() / 4, 4 * batch_max);
};

Tunnel::Tunnel(const TunnelConfig& config, Role role, const SessionSecret& secret, PacketPool& pool,
               std::uint64_t seed, Instant now, std::unique_ptr<Scheduler> scheduler,
               std::uint64_t first_number) {
  SENNIT_ASSERT(!find_fault(config) && first_number < std::uint64_t{1} << 40);
  state_ =
      std::make_unique<State>(config, role, secret, pool, seed, std::move(scheduler), first_number);
  state_->last_now = now;
}

Tunnel::~Tunnel() = default;

// --- the world tells the core
// ---------------------------------------------------------------------

void Tunnel::handle_inner(Instant now, std::span<Packet> from_tun) {
  const std::size_t inner_max = inner_mtu();
  for (Packet& packet : from_tun) {
    if (state_->pool.available() >= state_->slots_kept) {
      state_->binder.handle_inner(now, {&packet, 1}, inner_max);
    } else {
      state_->observer.dropped(now, Drop::pool_empty, packet);
      packet = Packet{};
    }
  }
}

void Tunnel::handle_datagrams(Instant now, std::span<Datagram> from_network) {
  for (Datagram& datagram : from_network) {
    state_->handle_datagram(now, datagram);
    datagram.packet = Packet{};
  }
  state_->gaps_unsettled = true;
}

void Tunnel::State::handle_datagram(Instant now, Datagram& datagram) {
  Packet& packet = datagram.packet;
  const auto header = wire::read_header(packet.bytes());
  if (!header) return observer.dropped(now, Drop::malformed, packet);
  if (header->receiver_index != session.local_index()) {
    return observer.dropped(now, Drop::unknown_session, packet);
  }
  Path* path = paths.find(PathId{header->path});
  if (path == nullptr) return observer.dropped(now, Drop::malformed, packet);
  const std::size_t size = packet.size();
  const PathSeq number = path->monitor.expand(header->packet_number);
  if (path->monitor.check(number) != PathMonitor::Window::Verdict::fresh) {
    return observer.dropped(now, Drop::replayed, packet, header->path);
  }
  if (!session.open(path->id, number, packet)) {
    return observer.dropped(now, Drop::not_authentic, packet, header->path);
  }
  const std::uint32_t sent_us = wire::Reader{packet.bytes()}.u32();
  const Duration one_way = backward_clock.relative(wire_us(datagram.arrived) - sent_us);
  packet.drop_front(wire::timestamp_size);
  const bool eliciting = wire::is_ack_eliciting(packet.bytes());
  path->monitor.set_report_interval(path->flight.report_interval());
  path->monitor.on_arrival({datagram.arrived, number, sent_us, one_way,
                            bytes_of(size + path->outer_header()), datagram.ecn, eliciting});
  ++path->received_datagrams;
  peer_heard = now;
  path->received_bytes += size;
  if (path->remote != datagram.source) {
    path->remote = datagram.source;
    observer.event(PathMoved{path->id});
  }
  observer.trace(now, TraceKind::received, header->path, ClassId{}, number.value,
                 static_cast<std::uint64_t>(one_way.count()), 0, size);
  packet.info().sent_us = sent_us;
  handle_frames(now, *path, datagram, std::move(packet));
}

void Tunnel::State::handle_frames(Instant now, Path& path, const Datagram& datagram, Packet plain) {
  const std::uint32_t sent_us = plain.info().sent_us;
  Receiver::Origin origin{now, datagram.arrived, path,
                          backward_clock.relative(wire_us(datagram.arrived) - sent_us), ClassId{}};
  auto rest = plain.bytes();
  while (!rest.empty()) {
    const auto frame = wire::next_frame(rest);
    bool understood = frame && receiver.knows(frame->class_id);
    if (understood) {
      origin.class_id = frame->class_id;
      understood = is_data(frame->kind) ? handle_data(origin, *frame, rest.empty(), plain)
                                        : handle_other_frame(origin, *frame, sent_us);
    }
    if (!understood) {
      const std::size_t size = frame ? frame->body.size() : rest.size();
      return observer.dropped(now, Drop::malformed, size, static_cast<std::uint8_t>(path.id));
    }
  }
}

// The last frame's packet is the datagram's own slot, without a copy; an earlier one of a bundle is
// small and gets a slot of its own.
bool Tunnel::State::handle_data(const Receiver::Origin& origin, const wire::Frame& frame, bool last,
                                Packet& plain) {
  const auto fields = wire::read_data_fields(frame.body);
  if (!fields) return false;
  const auto bytes = frame.body.subspan(wire::data_fields_size);
  Packet inner;
  if (last) {
    inner = std::move(plain);
    inner.drop_front(inner.size() - bytes.size());
  } else {
    inner = pool.allocate();
    if (!inner) {
      observer.dropped(origin.now, Drop::pool_empty, bytes.size());
      return true;
    }
    std::ranges::copy(bytes, inner.append(bytes.size()).begin());
  }
  receiver.on_data(origin, *fields, frame.kind == wire::FrameKind::data, std::move(inner));
  return true;
}

// False when it is malformed or of a kind that this version does not know.
bool Tunnel::State::handle_other_frame(const Receiver::Origin& origin, const wire::Frame& frame,
                                       std::uint32_t sent_us) {
  wire::Reader reader{frame.body};
  switch (frame.kind) {
    case wire::FrameKind::repair: {
      const auto fields = wire::read_repair_fields(frame.body);
      if (!fields) return false;
      receiver.on_repair(origin, *fields, frame.body.subspan(wire::repair_fields_size));
      return true;
    }
    case wire::FrameKind::report:
      return handle_report(origin.now, frame.body, sent_us);
    case wire::FrameKind::ping: {
      const std::uint64_t token = reader.u64();
      if (reader.ok()) feedback.pong(origin.path, token);
      return reader.ok();
    }
    case wire::FrameKind::pong:
      hear_from(origin.now, origin.path);
      return true;
    case wire::FrameKind::padding:
      return true;
    case wire::FrameKind::path_status:
      return handle_path_status(frame.body);
    case wire::FrameKind::tail: {
      const std::uint32_t next = reader.u32();
      if (reader.ok()) receiver.on_tail(origin, next);
      return reader.ok();
    }
    default:
      return false;
  }
}

bool Tunnel::State::handle_path_status(std::span<const std::byte> body) {
  wire::Reader reader{body};
  const PathId id{reader.u8()};
  const auto use = static_cast<wire::PathUse>(reader.u8());
  Path* path = paths.find(id);
  if (reader.ok() && path != nullptr) path->peer_use = use;
  return reader.ok();
}

bool Tunnel::State::handle_report(Instant now, std::span<const std::byte> body,
                                  std::uint32_t sent_us) {
  std::array<PathSeq, paths_max> expected{};
  for (const Path* path : paths.all()) expected[index(path->id)] = path->flight.next_number();
  while (!body.empty()) {
    const auto report = wire::read_report(body, expected);
    if (!report) return false;
    if (Path* path = paths.find(PathId{report->path})) apply_report(now, *path, *report, sent_us);
  }
  return true;
}

void Tunnel::State::apply_report(Instant now, Path& path, const wire::PathReport& report,
                                 std::uint32_t sent_us) {
  const LossDetector::Outcome& outcome = path.flight.on_report(now, report, sent_us);
  const auto id = static_cast<std::uint8_t>(path.id);
  for (const PathSeq number : outcome.acknowledged) {
    repair.expect(path.flight.record(number.plus(expected_ahead)));
    const SentRecord& record = path.flight.record(number);
    observer.trace(now, TraceKind::acknowledged, id, ClassId{}, number.value,
                   static_cast<std::uint64_t>((now - record.at).count()),
                   static_cast<std::uint64_t>(path.flight.in_flight().count), record.size);
    repair.on_acknowledged(record);
  }
  for (const PathSeq number : outcome.lost) {
    const SentRecord& record = path.flight.record(number);
    const Retained* first = record.refs > 0 ? retention.find(record.retained[0]) : nullptr;
    observer.trace(now, TraceKind::lost, id, first ? first->packet.info().class_id : ClassId{},
                   number.value, first ? first->packet.info().sequence.value : 0,
                   record.lost_by_time ? 1 : 0, record.size);
    repair.on_lost(now, path, record);
  }
  if (!outcome.newest_advanced) return;
  path.probe_timeouts = 0;
  apply_rate(now, path, outcome, report);
  look_for_shared_bottlenecks(now, path, outcome);
  note_first_answers(path, outcome);
  hear_from(now, path);
}

void Tunnel::State::note_first_answers(Path& path, const LossDetector::Outcome& outcome) {
  if (path.capacity_probe.done()) return;
  const auto count = [&](const std::vector<PathSeq>& numbers) {
    for (const PathSeq number : numbers) {
      if (path.flight.record(number).refs > 0) path.capacity_probe.on_answer(path.rate.measured());
    }
  };
  count(outcome.acknowledged);
  count(outcome.lost);
}

void Tunnel::State::apply_rate(Instant now, Path& path, const LossDetector::Outcome& outcome,
                               const wire::PathReport& report) {
  const bool first = !path.forward.measured();
  path.forward.on_report(now, forward_clock.relative(outcome.one_way_us.value_or(0)),
                         forward_clock.relative(report.one_way_min_us));
  if (first) binder.choose_paths_for_bulk(now);
  const std::size_t decided = outcome.acknowledged.size() + outcome.lost.size();
  RateSample sample{};
  sample.now = now;
  sample.delivery_rate = outcome.delivery_rate.value_or(BitRate{});
  sample.app_limited = outcome.app_limited;
  sample.stretch = outcome.stretch;
  sample.standing_queue = path.forward.standing_queue(path.flight.srtt() / 2);
  sample.delay_deviation = path.forward.deviation();
  sample.in_flight = path.flight.in_flight();
  sample.delay_noise = path.forward.noise();
  sample.rtt_smoothed = path.flight.srtt();
  sample.rtt_min = path.flight.rtt_min();
  if (decided > 0) {
    sample.loss = static_cast<double>(outcome.lost.size()) / static_cast<double>(decided);
    sample.ce_fraction = static_cast<double>(outcome.ce_marked) / static_cast<double>(decided);
  }
  const bool congested = LineLoss::congested(sample.standing_queue - path.rate.jitter_allowance(),
                                             path.rate.queue_aim());
  path.line_loss.on_report(now, outcome.lost.size(), outcome.acknowledged.size(), congested,
                           sample.rtt_smoothed);
  path.rate.on_report(sample);
  if (!path.capacity_probe.explored() && path.rate.settled()) {
    path.capacity_probe.on_explored(now);
  }
  if (path.rate.base_delay_is_stale()) path.forward.rebase();
  observer.trace(now, TraceKind::estimate, static_cast<std::uint8_t>(path.id), ClassId{},
                 static_cast<std::uint64_t>(path.rate.phase()),
                 static_cast<std::uint64_t>(path.rate.rate().bits_per_second()),
                 static_cast<std::uint64_t>(sample.standing_queue.count()), 0);
}

void Tunnel::State::look_for_shared_bottlenecks(Instant now, const Path& path,
                                                const LossDetector::Outcome& outcome) {
  const Instant sent = path.flight.record(path.flight.largest_acknowledged()).at;
  if (paths.all().size() < 2 || !bottlenecks.wants(path.id, sent)) return;
  BottleneckSample sample{};
  sample.sent = sent;
  sample.queue = forward_clock.relative(outcome.one_way_us.value_or(0)) - path.forward.base();
  for (const Path* other : paths.all()) {
    sample.sent_bytes[index(other->id)] = other->flight.sent_bytes_until(sent);
  }
  change_groups(now, [&] { return bottlenecks.on_sample(path.id, sample); });
}

// `change` returns whether it did.
template <class Change>
void Tunnel::State::change_groups(Instant now, Change change) {
  std::array<PathId, paths_max> before{};
  for (const Path* path : paths.all()) before[index(path->id)] = bottlenecks.group(path->id);
  if (!change()) return;
  for (const Path* path : paths.all()) {
    const PathId was = before[index(path->id)], is = bottlenecks.group(path->id);
    if (was != is) observer.event(GroupChanged{path->id, was, is});
  }
  binder.choose_paths_for_bulk(now, true);
}

// --- path states
// ----------------------------------------------------------------------------------

void Tunnel::State::hear_from(Instant now, Path& path) {
  if (!path.carrier) return;  // what is still on its way back proves nothing
  const PathState before = path.liveness.state();
  const auto all = paths.all();
  const bool only_hope =
      std::none_of(all.begin(), all.end(), [](const Path* other) { return other->up(); });
  path.liveness.on_answer(now, only_hope);
  settle_state(now, path, before, 1);
}

void Tunnel::State::check_silence(Instant now, Path& path) {
  const PathState before = path.liveness.state();
  path.liveness.on_time(now, path.facts(config, peer_heard));
  settle_state(now, path, before, 2);
  // PINGs that nobody answers for long enough fill every record; then none could leave any more.
  if (path.flight.full() && !path.up()) repair.on_down(path);
}

void Tunnel::State::settle_state(Instant now, Path& path, PathState before, std::uint64_t reason) {
  const PathState after = path.liveness.state();
  if (before == after) return;
  observer.event(PathChanged{path.id, before, after});
  observer.trace(now, TraceKind::path_state, static_cast<std::uint8_t>(path.id), ClassId{},
                 static_cast<std::uint64_t>(before), static_cast<std::uint64_t>(after), reason, 0);
  if (after == PathState::suspect) repair.on_silent(now, path);
  if (after == PathState::down) {
    repair.on_silent(now, path);
    repair.on_down(path);
    path.forward.forget();
    change_groups(now, [&] { return bottlenecks.forget(path.id); });
  }
  if (after == PathState::up && before == PathState::probing && path.reports_made > 0) {
    path.rate.on_restart(now);
    path.capacity_probe.on_return(now);
  }
  binder.choose_paths_for_bulk(now);
  feedback.announce_paths();
}

void Tunnel::State::check_probe_timeout(Instant now, Path& path) {
  if (path.probe_timeout_at() > now) return;
  ++path.probe_timeouts;
  path.probe_timeout_from = now;
  repair.on_probe_timeout(now, path);
  feedback.ping(now, path);
}

void Tunnel::handle_timeout(Instant now) {
  state_->last_now = state_->last_timeout = now;
  for (Path* path : state_->paths.all()) {
    state_->check_silence(now, *path);
    state_->check_probe_timeout(now, *path);
    state_->repair.on_overdue(now, *path);
  }
  state_->feedback.handle_timeout(now);
  state_->fec.handle_timeout(now);
  if (now >= state_->review_at) {
    state_->fec.on_loss_measured(state_->binder.ingress());
    state_->binder.on_paths_measured(now);
    state_->review_at = now + Binder::measuring_interval;
  }
  state_->receiver.advance(now);
}

void Tunnel::handle_blocked(PathId id) {
  if (Path* path = state_->paths.find(id)) path->blocked = true;
}

void Tunnel::handle_writable(Instant, PathId id) {
  if (Path* path = state_->paths.find(id)) path->blocked = false;
}

void Tunnel::handle_carrier(Instant now, PathId id, bool up) {
  Path* path = state_->paths.find(id);
  if (path == nullptr) return;
  const PathState before = path->liveness.state();
  path->carrier = up;
  path->liveness.on_carrier(now, up);
  state_->settle_state(now, *path, before, 3);
}

void Tunnel::add_path(Instant now, PathId id, const PathConfig& config, const Address& remote) {
  const TunnelConfig& tunnel = state_->config;
  const RateLimits limits{tunnel.queue_target_min, tunnel.queue_target_max,
                          config.rate_max.value_or(BitRate{})};
  Path& path = state_->paths.add(std::make_unique<Path>(id, config, remote, limits, now));
  path.begin_at(state_->first_number);
  state_->binder.on_path_added(now, path);
}

void Tunnel::remove_path(Instant now, PathId id) {
  Path* path = state_->paths.find(id);
  if (path == nullptr) return;
  const PathState before = path->liveness.state();
  path->carrier = false;
  path->liveness.on_carrier(now, false);  // nothing is given back to a path that is going away
  state_->settle_state(now, *path, before, 4);
  state_->binder.forget_queued(*path);
  state_->paths.remove(id);
}

// --- the core tells the world
// ---------------------------------------------------------------------

bool Tunnel::poll_transmit(Instant now, Transmit& out) {
  state_->last_now = now;
  state_->observer.write_decisions(now);
  state_->binder.bind(now);
  return state_->sender.poll(now, out);
}

// Gaps end only when all that arrived by now is in, or the cut of a batch would decide what is
// lost.
std::size_t Tunnel::poll_deliver(Instant now, std::span<Packet> to_tun) {
  if (std::exchange(state_->gaps_unsettled, false)) state_->receiver.advance(now);
  std::size_t n = 0;
  while (n < to_tun.size() && state_->receiver.has_ready()) to_tun[n++] = state_->receiver.pop();
  return n;
}

std::optional<Event> Tunnel::poll_event() { return state_->observer.poll_event(); }

std::size_t Tunnel::poll_trace(std::span<TraceRecord> out) {
  return state_->observer.poll_trace(out);
}

Wake Tunnel::next_wake() const {
  const State& s = *state_;
  Wake wake;
  const auto consider = [&wake](Instant at, Timer why) {
    if (at < wake.at) wake = {at, why};
  };
  consider(s.sender.next_wake(s.last_now), Timer::pace);
  consider(s.backlog_wake(s.last_now), Timer::ingress);
  consider(s.feedback.report_due(), Timer::report);
  consider(s.feedback.probe_due(), Timer::probe);
  consider(s.fec.next_wake(), Timer::fec_flush);
  for (const Path* path : s.paths.all()) {
    consider(path->probe_timeout_at(), Timer::loss);
    consider(path->overdue_at(), Timer::loss);
    consider(path->liveness.next_change(path->facts(s.config, s.peer_heard)), Timer::path_state);
  }
  // What is due and finds no slot would be due again at once: let others give some back first.
  if (s.pool.available() == 0) wake.at = std::max(wake.at, s.last_timeout + empty_pool_pause);
  consider(s.receiver.next_wake(), Timer::resequence);  // takes no slot, and gives some back
  return wake;
}

// Packets that the scheduler holds become due when a pacer has worked off part of its queue.
Instant Tunnel::State::backlog_wake(Instant now) const {
  const Instant limited = binder.next_wake(now);
  if (!binder.backlog()) return limited;
  Duration wait = Duration::max();
  for (const Path* path : paths.all()) {
    if (!path->usable()) continue;
    wait = std::min(wait, path->pacer.debt(now) + path->rate.rate().time_to_send(path->queued()));
  }
  if (wait == Duration::max()) return limited;
  const Duration due = std::max(backlog_review_interval, wait - config.scheduler.commit_slack);
  return std::min(limited, now + due);
}

// --- only look
// ------------------------------------------------------------------------------------

std::uint16_t Tunnel::inner_mtu() const { return state_->inner_mtu(); }

std::uint16_t Tunnel::State::inner_mtu() const {
  std::size_t least = packet_max;
  for (const Path* path : paths.all()) least = std::min(least, path->inner_max());
  return static_cast<std::uint16_t>(least);
}

std::uint64_t Tunnel::digest() const { return state_->observer.digest(); }

PathMetrics Tunnel::State::path_metrics(const Path& path) const {
  PathMetrics m{};
  m.sent_packets = path.sent_datagrams;
  m.sent_bytes = path.sent_bytes;
  m.received_packets = path.received_datagrams;
  m.received_bytes = path.received_bytes;
  m.lost_packets = path.flight.lost_total();
  m.spurious_losses = path.flight.spurious_total();
  m.loss_bursts = path.flight.bursts_total();
  m.repair_bytes = path.repair_bytes;
  m.control_bytes = path.control_bytes;
  m.srtt_ns = path.flight.srtt().count();
  m.rttvar_ns = path.flight.rttvar().count();
  m.rtt_min_ns = path.flight.rtt_min().count();
  m.one_way_ns = path.forward.smoothed().count();
  m.one_way_deviation_ns = path.forward.deviation().count();
  m.standing_queue_ns = path.forward.standing_queue(path.flight.srtt() / 2).count();
  m.rate_bps = path.rate.rate().bits_per_second();
  m.delivery_rate_bps = path.rate.bandwidth().bits_per_second();
  m.inflight_bytes = path.flight.in_flight().count;
  m.inflight_limit_bytes = path.rate.inflight_limit().count;
  m.queued_bytes = path.queued().count;
  m.loss = path.flight.loss();
  m.mean_burst = path.flight.mean_burst();
  m.state = path.liveness.state();
  m.group = static_cast<std::uint8_t>(bottlenecks.group(path.id));
  m.mtu = path.config.mtu;
  return m;
}

Metrics Tunnel::metrics(Instant now) const {
  const State& s = *state_;
  Metrics m{};
  m.now = now;
  for (const Path* path : s.paths.all()) {
    m.path_mask |= 1u << index(path->id);
    m.paths[index(path->id)] = s.path_metrics(*path);
  }
  m.accepted_packets = s.binder.accepted_packets();
  m.accepted_bytes = s.binder.accepted_bytes();
  m.delivered_packets = s.receiver.resequencer().delivered_packets();
  m.delivered_bytes = s.receiver.resequencer().delivered_bytes();
  m.delivered_late = s.receiver.resequencer().delivered_late();
  m.fec_sent = s.fec.sent();
  m.fec_recovered = s.receiver.recovered();
  m.reinjected = s.repair.reinjected();
  m.duplicated = s.binder.duplicated();
  m.ce_marked = s.binder.ingress().ce_marked();
  m.ingress_packets = s.binder.ingress().packets();
  m.ingress_bytes = static_cast<std::uint64_t>(s.binder.ingress().bytes().count);
  m.held_packets = s.receiver.resequencer().held();
  m.hold_histogram = s.receiver.resequencer().hold_histogram();
  m.drops = s.observer.drops();
  m.trace_overflow = s.observer.trace_overflow();
  m.events_overflow = s.observer.events_overflow();
  return m;
}

}  // namespace sennit
