#include "core/sender.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace sennit {
namespace {

constexpr std::size_t data_prefix = wire::timestamp_size + wire::kind_size + wire::data_fields_size;
// Packets up to this size share a datagram when they wait for the same path at the same moment:
// voice frames and TCP acknowledgements, whose headers would otherwise double them.
constexpr std::size_t bundled_size_max = 400;

wire::DataFields fields_of(const PacketInfo& info) {
  return {static_cast<std::uint32_t>(info.sequence.value),
          static_cast<std::uint32_t>(info.flow_hash % flow_buckets),
          info.flow_sequence & ((1u << wire::flow_sequence_bits) - 1)};
}

}  // namespace

Sender::Sender(const TunnelConfig& config, Observer& observer, PathSet& paths, Retention& retention,
               Session& session, PacketPool& pool)
    : config_(config),
      observer_(observer),
      paths_(paths),
      retention_(retention),
      session_(session),
      pool_(pool) {
  for (std::size_t i = 0; i < config.classes.size(); ++i)
    class_order_[i] = ClassId{static_cast<std::uint8_t>(i)};
  std::stable_sort(class_order_.begin(),
                   class_order_.begin() + static_cast<std::ptrdiff_t>(config.classes.size()),
                   [&](ClassId x, ClassId y) {
                     return config.classes[index(x)].priority < config.classes[index(y)].priority;
                   });
}

Packet Sender::new_control() {
  Packet packet = pool_.allocate();
  if (packet) packet.append(wire::timestamp_size);
  return packet;
}

bool Sender::poll(Instant now, Transmit& out) {
  out.datagrams.clear();
  const auto paths = paths_.all();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    Path& path = *paths[(turn_ + i) % paths.size()];
    if (path.blocked) explain_blocked(path);
    if (!path.carrier || path.blocked || path.flight.full()) continue;
    fill(now, path, out);
    if (out.datagrams.empty()) continue;
    out.path = path.id;
    out.destination = path.remote;
    turn_ = (turn_ + i + 1) % paths.size();
    return true;
  }
  return false;
}

void Sender::fill(Instant now, Path& path, Transmit& out) {
  while (!out.datagrams.full() && !path.flight.full()) {
    Packet datagram;
    if (path.stash) {
      datagram = std::move(path.stash);
    } else {
      const Choice choice = choose(now, path);
      if (choice.source == Source::nothing) return;
      if (choice.source != Source::control && !may_send(now, path)) {
        if (choice.source != Source::padding) explain_window(now, path, choice);
        return;
      }
      datagram = build(now, path, choice);
      if (!datagram) return;
    }
    if (out.datagrams.empty()) {
      out.segment_size = static_cast<std::uint16_t>(datagram.size());
    } else if (datagram.size() > out.segment_size) {
      path.stash = std::move(datagram);
      return;
    }
    const bool shorter = datagram.size() < out.segment_size;
    out.datagrams.push(std::move(datagram));
    if (shorter) return;
  }
}

// Service on a path: what others wait for first (reports), then realtime, then what was lost, then
// packets of flows that build no queue, then the rest by class.
Sender::Choice Sender::choose(Instant now, Path& path) {
  if (!path.control.empty()) return {Source::control, {}, nullptr};
  const std::size_t classes = config_.classes.size();
  for (std::size_t i = 0; i < classes; ++i) {
    const ClassId id = class_order_[i];
    if (!config_.classes[index(id)].realtime) continue;
    RefQueue& queue = path.queues[index(id)];
    if (peek(path, queue)) return {Source::class_queue, id, &queue};
  }
  if (peek(path, path.repairs)) return {Source::repairs, {}, &path.repairs};
  if (!path.symbols.empty()) return {Source::symbols, {}, nullptr};
  if (peek(path, path.sparse)) return {Source::sparse, {}, &path.sparse};
  for (std::size_t i = 0; i < classes; ++i) {
    RefQueue& queue = path.queues[index(class_order_[i])];
    const Next next = peek(path, queue);
    if (next && ready_at(path, class_order_[i], next) <= now) {
      return {Source::class_queue, class_order_[i], &queue};
    }
  }
  if (path.explores()) return {Source::padding, {}, nullptr};
  return {};
}

// Through the delay line.
Instant Sender::ready_at(const Path& path, ClassId class_id, const Next& next) const {
  const PacketInfo& info = next.entry->packet.info();
  const bool delayed = is_bulk(config_.classes[index(class_id)]) && has_line(info);
  return delayed ? info.since + path.line_now() : info.since;
}

// The first instant at which anything that waits for the path has passed its delay line.
Instant Sender::line_passed_at(const Path& path) const {
  Instant first = never;
  for (std::size_t i = 0; i < config_.classes.size(); ++i) {
    const RefQueue& queue = path.queues[i];
    if (queue.empty()) continue;
    const Next next{queue.front(), retention_.find(queue.front())};
    first = std::min(first, ready_at(path, ClassId{static_cast<std::uint8_t>(i)}, next));
  }
  return first;
}

bool Sender::may_send(Instant now, Path& path) const {
  if (!path.usable() || path.pacer.ready_at() > now) return false;
  if (path.window_open(Bytes{1500})) return true;
  path.window_blocked_at = now;
  return false;
}

// For the decision log: why what is bound to a path does not leave, apart from its turn at the
// pacer.
void Sender::explain_blocked(const Path& path) {
  DecisionLog* log = observer_.decisions();
  if (log == nullptr || !path.has_queued()) return;
  log->add({ClassId{}, static_cast<std::uint8_t>(path.id), Outcome::stopped, Reason::blocked});
}

void Sender::explain_window(Instant now, const Path& path, const Choice& choice) {
  DecisionLog* log = observer_.decisions();
  if (log == nullptr || !path.usable() || path.pacer.ready_at() > now) return;
  const Bytes beyond = path.flight.in_flight() + Bytes{1500} - path.rate.inflight_limit();
  log->add({choice.class_id, static_cast<std::uint8_t>(path.id), Outcome::stopped,
            Reason::window_closed},
           beyond.count, path.rate.sustained().time_to_send(beyond).count());
}

Packet Sender::build(Instant now, Path& path, const Choice& choice) {
  switch (choice.source) {
    case Source::control:
      return build_control(now, path);
    case Source::symbols:
      return build_symbol(now, path);
    case Source::padding:
      return build_padding(now, path);
    default:
      return build_data(now, path, choice);
  }
}

Packet Sender::build_control(Instant now, Path& path) {
  Packet packet = path.control.pop_front();
  wire::Writer{packet.bytes()}.u32(wire_us(now));
  const bool eliciting = wire::is_ack_eliciting(packet.bytes().subspan(wire::timestamp_size));
  session_.seal_in_place(path.id, path.flight.next_number(), packet);
  path.control_bytes += packet.size();
  record(now, path, packet, eliciting, false, {}, 0, ClassId{});
  return packet;
}

Packet Sender::build_symbol(Instant now, Path& path) {
  Packet packet = path.symbols.pop_front();
  path.queued_at(Rank::ahead) -= queued_size(packet.size());
  const bool limited = path.pacer.ready_at() > packet.info().since;
  const ClassId class_id = packet.info().class_id;
  wire::Writer{packet.bytes()}.u32(wire_us(now));
  session_.seal_in_place(path.id, path.flight.next_number(), packet);
  path.repair_bytes += packet.size();
  record(now, path, packet, true, limited, {}, 0, class_id);
  return packet;
}

Packet Sender::build_padding(Instant now, Path& path) {
  Packet packet = new_control();
  if (!packet) return packet;
  const std::size_t size = path.datagram_max() - wire::header_size - wire::tag_size;
  const auto frame = packet.append(size - packet.size());
  std::fill(frame.begin(), frame.end(), std::byte{0});
  frame[0] = wire::frame_kind(wire::FrameKind::padding, ClassId{}, false);
  wire::Writer{packet.bytes()}.u32(wire_us(now));
  session_.seal_in_place(path.id, path.flight.next_number(), packet);
  path.control_bytes += packet.size();
  path.capacity_probe.on_padding(now, packet.size());
  record(now, path, packet, true, true, {}, 0, ClassId{});
  return packet;
}

Packet Sender::build_data(Instant now, Path& path, const Choice& choice) {
  const Next first = take(path, *choice.queue);
  if (!first) return {};
  Packet out = pool_.allocate();
  if (!out) {
    observer_.dropped(now, Drop::pool_empty, first.entry->packet,
                      static_cast<std::uint8_t>(path.id));
    retention_.release_if_done(first.ref, *first.entry);
    return {};
  }
  pool_.prefetch(first.entry->packet.size() + wire::data_overhead);  // for the next datagram
  const PacketInfo& info = first.entry->packet.info();
  const Instant ready =
      choice.source == Source::class_queue ? ready_at(path, choice.class_id, first) : info.since;
  const bool limited = path.pacer.ready_at() > ready || path.window_blocked_at >= ready;
  const std::uint64_t sequence = info.sequence.value;
  const ClassId class_id = info.class_id;
  const bool extra = first.entry->rounds > 0 || first.entry->in_flight > 0;

  std::array<RetainedRef, bundle_max> refs{first.ref};
  std::size_t count = 1;
  const Next second = peek(path, *choice.queue);
  const bool bundle = second && first.entry->packet.size() <= bundled_size_max &&
                      second.entry->packet.size() <= bundled_size_max;
  if (bundle) {
    count = write_bundle(now, path, choice, first, out, refs);
    session_.seal_in_place(path.id, path.flight.next_number(), out);
  } else {
    write_alone(now, choice, first, path, out);
  }
  for (std::size_t i = 0; i < count; ++i) {
    Retained& entry = *retention_.find(refs[i]);
    ++entry.in_flight;
    if (entry.first_sent == Instant{}) entry.first_sent = now;
  }
  if (extra) path.repair_bytes += out.size();
  record(now, path, out, true, limited, {refs.data(), count}, sequence, class_id);
  return out;
}

// The common case, without a copy: frame header in front of the retained packet, sealed from there
// into the datagram.
void Sender::write_alone(Instant now, const Choice& choice, Next next, Path& path, Packet& out) {
  Packet& packet = next.entry->packet;
  const auto prefix = packet.prepend(data_prefix);
  wire::Writer writer{prefix};
  writer.u32(wire_us(now));
  prefix[wire::timestamp_size] =
      wire::frame_kind(kind_of(choice, *next.entry), packet.info().class_id, false);
  wire::write_data_fields(prefix.subspan(wire::timestamp_size + wire::kind_size),
                          fields_of(packet.info()));
  session_.seal(path.id, path.flight.next_number(), std::as_const(packet).bytes(), out);
  packet.drop_front(data_prefix);
}

std::size_t Sender::write_bundle(Instant now, Path& path, const Choice& choice, Next first,
                                 Packet& out, std::span<RetainedRef> refs) {
  constexpr std::size_t per_frame = wire::kind_size + wire::length_size + wire::data_fields_size;
  wire::Writer{out.append(wire::timestamp_size)}.u32(wire_us(now));
  std::size_t count = 0;
  Next next = first;
  while (next) {
    refs[count++] = next.ref;
    const Packet& packet = next.entry->packet;
    const Next following = peek(path, *choice.queue);
    const bool more = following && count < refs.size() &&
                      following.entry->packet.size() <= bundled_size_max &&
                      out.size() + 2 * per_frame + packet.size() + following.entry->packet.size() +
                              wire::header_size + wire::tag_size <=
                          path.datagram_max();
    const auto head = out.append(more ? per_frame : per_frame - wire::length_size);
    head[0] = wire::frame_kind(kind_of(choice, *next.entry), packet.info().class_id, more);
    auto fields = head.subspan(wire::kind_size);
    if (more) {
      wire::Writer{fields}.u16(static_cast<std::uint16_t>(wire::data_fields_size + packet.size()));
      fields = fields.subspan(wire::length_size);
    }
    wire::write_data_fields(fields, fields_of(packet.info()));
    std::memcpy(out.append(packet.size()).data(), packet.bytes().data(), packet.size());
    if (!more) break;
    next = take(path, *choice.queue);
  }
  return count;
}

wire::FrameKind Sender::kind_of(const Choice& choice, const Retained& entry) const {
  const bool in_order = choice.source == Source::class_queue && entry.rounds == 0;
  return in_order ? wire::FrameKind::data : wire::FrameKind::data_overtook;
}

Sender::Next Sender::peek_waiting(Path& path, RefQueue& queue) {
  while (!queue.empty()) {
    const RetainedRef ref = queue.front();
    Retained* entry = retention_.find(ref);
    SENNIT_ASSERT(entry != nullptr && entry->waiting > 0);
    if (!entry->settled) return {ref, entry};
    pop(path, queue, {ref, entry});
    retention_.release_if_done(ref, *entry);
  }
  return {};
}

Sender::Next Sender::take(Path& path, RefQueue& queue) {
  const Next next = peek(path, queue);
  if (next) pop(path, queue, next);
  return next;
}

Rank Sender::rank_of(const Path& path, const RefQueue& queue, const Retained& entry) const {
  if (&queue == &path.repairs || &queue == &path.sparse) return Rank::ahead;
  const ClassId class_id = entry.packet.info().class_id;
  return config_.classes[index(class_id)].realtime ? Rank::urgent : Rank::normal;
}

void Sender::pop(Path& path, RefQueue& queue, Next next) {
  queue.pop();
  --next.entry->waiting;
  path.queued_at(rank_of(path, queue, *next.entry)) -= queued_size(next.entry->packet.size());
}

void Sender::record(Instant now, Path& path, const Packet& datagram, bool eliciting, bool limited,
                    std::span<const RetainedRef> refs, std::uint64_t first_sequence,
                    ClassId class_id) {
  const Instant ready = path.pacer.ready_at();
  const std::size_t on_link = datagram.size() + path.outer_header();
  path.pacer.on_sent(now, bytes_of(on_link), path.rate.rate());
  limited = limited || path.explores();
  const bool waited = limited || path.window_blocked_at >= path.last_sent;
  const Duration idle = waited ? Duration::zero() : std::max(Duration::zero(), now - ready);
  path.last_sent = now;
  const PathSeq number = path.flight.on_sent(now, on_link, eliciting, limited, refs, idle);
  ++path.sent_datagrams;
  path.sent_bytes += datagram.size();
  const auto late = static_cast<std::uint64_t>(std::max<std::int64_t>(0, (now - ready).count()));
  observer_.trace(now, TraceKind::sent, static_cast<std::uint8_t>(path.id), class_id, number.value,
                  first_sequence, late, datagram.size());
  observer_.decided(number.value << 16 ^ static_cast<std::uint64_t>(path.id) << 8 ^ first_sequence ^
                    datagram.size() << 40 ^
                    static_cast<std::uint64_t>(now.time_since_epoch().count()));
}

Instant Sender::next_wake(Instant now) const {
  Instant wake = never;
  for (const Path* path : paths_.all()) {
    if (!path->usable() || !path->carrier) continue;
    if (!path->has_queued() && !path->explores()) continue;
    if (!path->window_open(Bytes{1500})) continue;  // a report or a timeout opens it
    Instant at = path->pacer.wake_at(Bytes{1500}, path->rate.rate());
    if (path->line > Duration::zero() && path->only_new_queued()) {
      at = std::max(at, line_passed_at(*path));
    }
    // What may go already and did not waits for something else (an empty pool): look again soon.
    wake = std::min(wake, at > now ? at : now + Duration{1ms});
  }
  return wake;
}

}  // namespace sennit
