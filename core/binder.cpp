#include "core/binder.h"

#include <algorithm>
#include <bit>

#include "core/fq_codel.h"

namespace sennit {
namespace {

// Classes with a budget up to this weigh a path's jitter as realtime ones do: voice and meetings.
constexpr Duration hurried_budget = 200ms;
// Realtime traffic is duplicated by itself only up to this share of the second path: voice is, a
// flood that calls itself realtime is not.
constexpr double duplicate_share_max = 0.1;

PathMask bit_of(std::size_t position) { return PathMask{1} << position; }

}  // namespace

Binder::Binder(const TunnelConfig& config, Observer& observer, PathSet& paths, Retention& retention,
               SourceSink& sink, const SharedBottlenecks& bottlenecks, std::uint64_t seed,
               std::unique_ptr<Scheduler> scheduler)
    : config_(config),
      observer_(observer),
      paths_(paths),
      retention_(retention),
      sink_(sink),
      bottlenecks_(bottlenecks),
      bulk_choice_(config.scheduler, paths, bottlenecks),
      ingress_(config, observer, Rng{seed}.fork("ingress").next()),
      scheduler_(scheduler ? std::move(scheduler) : make_scheduler(config.scheduler)),
      rng_(Rng{seed}.fork("scheduler")),
      stages_(config.classes.size()),
      next_flow_sequence_(config.classes.size() * flow_buckets, 0) {
  SENNIT_ASSERT(scheduler_ != nullptr);
}

void Binder::on_path_added(Instant now, const Path& path) {
  if (paths_.all().size() == 1) opened_ = now;
  scheduler_->set_path_name(path.id, path.config.name);
}

void Binder::handle_inner(Instant now, std::span<Packet> packets, std::size_t inner_max) {
  for (Packet& packet : packets) {
    if (packet.size() > inner_max) {
      observer_.dropped(now, Drop::too_big, packet);
      packet = Packet{};
      continue;
    }
    ++accepted_packets_;
    accepted_bytes_ += packet.size();
    ingress_.push(now, std::move(packet));
  }
}

void Binder::bind(Instant now) {
  for (const ClassId class_id : ingress_.service_order()) bind_class(now, class_id);
}

// The first packets of bulk set out with a delay that lasts (bulk_paths.h), so a session's very
// first wait a moment for the delays of its paths.
bool Binder::waits_for_delays(Instant now, ClassId class_id) const {
  if (now >= opened_ + delays_known_after || !scheduler_->equalises()) return false;
  if (!is_bulk(config_.classes[index(class_id)])) return false;
  const auto all = paths_.all();
  return std::any_of(all.begin(), all.end(), [](const Path* path) {
    return path->config.cost == 0 && path->carrier && !path->usable();
  });
}

// Groups grow 1, 2, 4, … while everything is taken, so that what is left over in the stage, out of
// FQ-CoDel's hands, is never more than what was bound at the same instant. All of a group have one
// rank, because what waits before them on a path depends on it.
void Binder::bind_class(Instant now, ClassId class_id) {
  if (waits_for_delays(now, class_id)) {
    if (!ingress_.empty(class_id)) explain_wait_for_delays(class_id);
    return;
  }
  for (std::size_t group = 1;; group = std::min(2 * group, stage_max)) {
    const std::size_t staged = fill_stage(now, class_id, group);
    if (staged == 0) {
      if (!ingress_.empty(class_id)) explain_hold(class_id, Reason::class_rate);
      return;
    }
    view_count_ = collect_views(now, class_id, stages_[index(class_id)].packets[0]);
    const std::size_t bound = view_count_ == 0 ? 0 : bind_staged(now, class_id, staged);
    explain_missing(class_id, bound, bound < staged);
    if (bound < staged) return;
  }
}

Rank Binder::rank_of(const Packet& packet) const {
  const PacketInfo& info = packet.info();
  if (config_.classes[index(info.class_id)].realtime) return Rank::urgent;
  return (info.flags & PacketFlag::sparse) != 0 ? Rank::ahead : Rank::normal;
}

bool Binder::prefers(const ClassConfig& config, const Path& path) const {
  return std::find(config.links.begin(), config.links.end(), path.config.name) !=
         config.links.end();
}

/// For packets like this one.
std::size_t Binder::collect_views(Instant now, ClassId class_id, const Packet& packet) {
  const ClassConfig& config = config_.classes[index(class_id)];
  const Rank rank = rank_of(packet);
  const auto available = [&](const Path* path) {
    return path->usable() &&
           path->queues[index(class_id)].size() + path->sparse.size() + 2 * stage_max <
               path_queue_max;
  };
  const bool only_preferred =
      !config.links.empty() &&
      std::any_of(paths_.all().begin(), paths_.all().end(),
                  [&](const Path* path) { return path->usable() && prefers(config, *path); });
  const auto eligible = [&](const Path* path) {
    return available(path) && (!only_preferred || prefers(config, *path));
  };
  const bool bulk = rank == Rank::normal && is_bulk(config);
  const bool only_worthy =
      bulk && std::any_of(paths_.all().begin(), paths_.all().end(), [&](const Path* path) {
        return eligible(path) && path->for_bulk && path->capacity_probe.done();
      });
  const bool only_measured =
      std::any_of(paths_.all().begin(), paths_.all().end(),
                  [&](const Path* path) { return eligible(path) && path->capacity_probe.done(); });
  std::size_t count = 0;
  for (const Path* path : paths_.all()) {
    if (!eligible(path) || (only_measured && !path->capacity_probe.done())) continue;
    if (only_worthy && !path->for_bulk) continue;
    views_[count] = path->view(now, rank);
    if (bulk && has_line(packet.info())) views_[count].line_ns = path->line.count();
    ++count;
  }
  return count;
}

/// Returns how many packets of one rank stand at the front of the stage, at most `want`.
std::size_t Binder::fill_stage(Instant now, ClassId class_id, std::size_t want) {
  Stage& stage = stages_[index(class_id)];
  while (stage.size < want) {
    Packet packet = ingress_.pop(now, class_id);
    if (!packet) break;
    // A sender that learns the near path's round trip from its first packets never fills the bond.
    PacketInfo& info = packet.info();
    if (bulk_choice_.delays() && has_line(info) && is_bulk(config_.classes[index(class_id)])) {
      info.flags &= static_cast<std::uint8_t>(~PacketFlag::sparse);
    }
    stage.packets[stage.size++] = std::move(packet);
    ++staged_total_;
  }
  std::size_t same = 0;
  const Packet& first = stage.packets[0];
  while (same < std::min(want, stage.size) && rank_of(stage.packets[same]) == rank_of(first) &&
         has_line(stage.packets[same].info()) == has_line(first.info())) {
    ++same;
  }
  return same;
}

std::size_t Binder::bind_staged(Instant now, ClassId class_id, std::size_t count) {
  Stage& stage = stages_[index(class_id)];
  std::array<PacketView, stage_max> packets;
  std::array<PathMask, stage_max> choice{};
  const bool hurries = config_.classes[index(class_id)].latency_budget <= hurried_budget;
  const int realtime = hurries ? PacketView::realtime : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const PacketInfo& info = stage.packets[i].info();
    const bool sparse = (info.flags & PacketFlag::sparse) != 0;
    packets[i] = {(now - info.since).count(), info.flow_hash,
                  static_cast<std::uint16_t>(stage.packets[i].size()),
                  static_cast<std::uint8_t>(class_id),
                  static_cast<std::uint8_t>(realtime | (sparse ? PacketView::sparse : 0))};
  }
  const ScheduleInput input{now,  {views_.data(), view_count_}, {packets.data(), count},
                            rng_, waiting_bytes(class_id),      observer_.decisions()};
  scheduler_->assign(input, {choice.data(), count});
  std::size_t bound = 0;
  while (bound < count && choice[bound] != 0 && !retention_.full()) {
    const PathMask ids = with_duplicate(now, class_id, choice[bound]);
    Packet& packet = stage.packets[bound];
    const PathMask copies = copies_that_measure(ids);
    bind_packet(now, std::move(packet), ids, copies);
    ++bound;
  }
  if (bound < count && choice[bound] != 0) explain_hold(class_id, Reason::retention_full);
  std::move(stage.packets.begin() + static_cast<std::ptrdiff_t>(bound),
            stage.packets.begin() + static_cast<std::ptrdiff_t>(stage.size), stage.packets.begin());
  staged_total_ -= bound;
  stage.size -= bound;
  return bound;
}

/// For the decision log: why the scheduler was not even asked about some paths.
void Binder::explain_missing(ClassId class_id, std::size_t bound, bool held) {
  DecisionLog* log = observer_.decisions();
  if (log == nullptr || view_count_ == paths_.all().size()) return;
  std::size_t row = 0;
  for (const Path* path : paths_.all()) {  // rows are in the order of paths
    const auto id = static_cast<std::uint8_t>(path->id);
    if (row < view_count_ && views_[row].path == id) {
      ++row;
      continue;
    }
    const ClassConfig& config = config_.classes[index(class_id)];
    const bool wanted = config.links.empty() || prefers(config, *path);
    const bool left_out = is_bulk(config) && !path->for_bulk;
    const Path* nearer = left_out ? nearer_of_bottleneck(*path) : nullptr;
    const Reason unworthy = nearer != nullptr ? Reason::shared : Reason::not_worth;
    const Reason worthy = left_out ? unworthy : Reason::queue_full;
    const Reason eligible = path->capacity_probe.done() ? worthy : Reason::unmeasured;
    const Reason reason =
        path->unusable_because().value_or(wanted ? eligible : Reason::class_links);
    const auto waiting = static_cast<std::int64_t>(path->queues[index(class_id)].size());
    std::pair<std::int64_t, std::int64_t> values{reason == Reason::queue_full ? waiting : 0, 0};
    if (reason == Reason::not_worth) values = worth_of(*path);
    if (reason == Reason::shared) {
      values = {(path->forward.base() - nearer->forward.base()).count(), index(nearer->id)};
    }
    const auto [a, b] = values;
    if (bound > 0) {
      log->add({class_id, id, Outcome::elsewhere, reason}, a, b, static_cast<std::uint32_t>(bound));
    }
    if (held) log->add({class_id, id, Outcome::held, reason}, a, b);
  }
}

/// For the decision log: packets wait until the delay of every path is known.
void Binder::explain_wait_for_delays(ClassId class_id) {
  DecisionLog* log = observer_.decisions();
  if (log == nullptr) return;
  for (const Path* path : paths_.all()) {
    const Reason reason = path->unusable_because().value_or(Reason::unmeasured);
    log->add({class_id, static_cast<std::uint8_t>(path->id), Outcome::held, reason});
  }
}

/// For the decision log: how much farther than the nearest a path is, and its share of the rate.
std::pair<std::int64_t, std::int64_t> Binder::worth_of(const Path& path) const {
  Duration nearest = Duration::max();
  double sum = 0;
  for (const Path* other : paths_.all()) {
    if (!other->usable()) continue;
    nearest = std::min(nearest, other->forward.base());
    sum += other->rate.bandwidth().mbps();
  }
  const double share = path.rate.bandwidth().mbps() / std::max(sum, 1e-3);
  return {(path.forward.base() - nearest).count(), static_cast<std::int64_t>(1000 * share)};
}

/// The nearest of those that bulk uses and that share the path's bottleneck; null if there is none.
const Path* Binder::nearer_of_bottleneck(const Path& path) const {
  const Path* nearest = nullptr;
  for (const Path* other : paths_.all()) {
    if (!other->usable() || !other->for_bulk || other == &path) continue;
    if (bottlenecks_.group(other->id) != bottlenecks_.group(path.id)) continue;
    if (nearest == nullptr || other->forward.base() < nearest->forward.base()) nearest = other;
  }
  return nearest;
}

/// For the decision log: packets of this class wait, whatever the path.
void Binder::explain_hold(ClassId class_id, Reason reason) {
  DecisionLog* log = observer_.decisions();
  if (log == nullptr) return;
  for (const Path* path : paths_.all()) {
    log->add({class_id, static_cast<std::uint8_t>(path->id), Outcome::held, reason});
  }
}

// Rows chosen -> path ids chosen, and a second path for a class that asks for it.
PathMask Binder::with_duplicate(Instant now, ClassId class_id, PathMask rows) const {
  PathMask ids = 0;
  const PathView* second = nullptr;
  for (std::size_t row = 0; row < view_count_; ++row) {
    if ((rows & bit_of(row)) != 0) {
      ids |= bit_of(views_[row].path);
    } else if (second == nullptr || views_[row].one_way_ns < second->one_way_ns) {
      second = &views_[row];
    }
  }
  if (second == nullptr || !std::has_single_bit(ids)) return ids;
  const ClassConfig& config = config_.classes[index(class_id)];
  const Path& chosen = *paths_.find(PathId{static_cast<std::uint8_t>(std::countr_zero(ids))});
  const bool asked = config.duplicate || sink_.wants_copies(class_id) ||
                     (config.realtime && in_doubt(now, chosen, *second, config));
  return asked ? ids | bit_of(second->path) : ids;
}

/// Paths that no packet is bound to before they have been measured (see capacity_probe.h), and that
/// cost no more than those which carry this one. Before any has been, a packet goes on all.
PathMask Binder::copies_that_measure(PathMask chosen) {
  int cost = 0;
  for (const Path* path : paths_.all()) {
    if ((chosen & bit_of(index(path->id))) != 0) cost = std::max<int>(cost, path->config.cost);
  }
  const bool any_done = std::any_of(paths_.all().begin(), paths_.all().end(), [](const Path* path) {
    return path->usable() && path->capacity_probe.done();
  });
  PathMask copies = 0;
  for (Path* path : paths_.all()) {
    const PathMask bit = bit_of(index(path->id));
    if (!path->usable() || path->config.cost > cost) continue;
    if (any_done ? !path->capacity_probe.wants() : path->capacity_probe.done()) continue;
    path->capacity_probe.on_copy();
    copies |= bit & ~chosen;
  }
  return copies;
}

// A realtime packet goes on two paths when it may well be late on the best one, either because that
// path's delay varies by more than half the budget or because its answer is due and has not come.
// It must cost the other path little.
bool Binder::in_doubt(Instant now, const Path& chosen, const PathView& second,
                      const ClassConfig& config) const {
  const double share = realtime_rate_.mbps() / (1e-6 * static_cast<double>(second.rate_bps));
  if (share > duplicate_share_max) return false;
  if (4 * chosen.forward.deviation() > config.latency_budget / 2) return true;
  const PathFacts facts = chosen.facts(config_, now);
  return facts.oldest_unanswered && now > *facts.oldest_unanswered + facts.usual_answer;
}

void Binder::bind_packet(Instant now, Packet packet, PathMask chosen, PathMask copies) {
  PacketInfo& info = packet.info();
  const std::size_t class_index = index(info.class_id);
  const Duration waited = now - info.since;
  info.sequence = next_sequence_[class_index];
  next_sequence_[class_index] = info.sequence.next();
  info.flow_sequence =
      next_flow_sequence_[class_index * flow_buckets + info.flow_hash % flow_buckets]++;
  info.since = now;
  observer_.trace(now, TraceKind::assigned, no_path, info.class_id, info.sequence.value, chosen,
                  static_cast<std::uint64_t>(waited.count()), packet.size());
  sink_.on_bound(now, packet, chosen);

  const Rank rank = rank_of(packet);
  if (rank == Rank::urgent) realtime_bytes_ += bytes_of(packet.size());
  const Bytes size = queued_size(packet.size());
  const RetainedRef ref = retention_.keep(std::move(packet));
  Retained& entry = *retention_.find(ref);
  entry.measuring = static_cast<std::uint8_t>(std::popcount(copies));
  for (PathMask rest = chosen | copies; rest != 0; rest &= rest - 1) {
    Path& path = *paths_.find(PathId{static_cast<std::uint8_t>(std::countr_zero(rest))});
    (rank == Rank::ahead ? path.sparse : path.queues[class_index]).push(ref);
    path.queued_at(rank) += size;
    ++entry.waiting;
  }
  duplicated_ += static_cast<std::uint64_t>(entry.waiting - 1);
}

bool Binder::queue_copy(Instant now, Path& path, RetainedRef ref, Retained& entry) {
  if (path.repairs.full()) return false;
  path.repairs.push(ref);
  path.queued_at(Rank::ahead) += queued_size(entry.packet.size());
  entry.packet.info().since = now;
  ++entry.waiting;
  return true;
}

void Binder::give_back(Instant now, Path& path) {
  const std::uint32_t here = bit_of(index(path.id));
  if (paths_.fastest(now, 0, here) == nullptr) return;  // nowhere better: all keep their places
  const auto move_all = [&](RefQueue& queue, Rank rank) {
    for (std::size_t n = queue.size(); n > 0; --n) {
      const RetainedRef ref = queue.pop();
      Retained& entry = *retention_.find(ref);
      --entry.waiting;
      path.queued_at(rank) -= queued_size(entry.packet.size());
      Path& other = *paths_.fastest(now, entry.packet.size(), here);
      if (!entry.settled && entry.waiting == 0 && queue_copy(now, other, ref, entry)) continue;
      retention_.release_if_done(ref, entry);
    }
  };
  move_all(path.repairs, Rank::ahead);
  move_all(path.sparse, Rank::ahead);
  for (const ClassId class_id : ingress_.service_order()) {
    const bool realtime = config_.classes[index(class_id)].realtime;
    move_all(path.queues[index(class_id)], realtime ? Rank::urgent : Rank::normal);
  }
}

void Binder::forget_queued(Path& path) {
  const auto drop_all = [&](RefQueue& queue) {
    while (!queue.empty()) {
      const RetainedRef ref = queue.pop();
      Retained& entry = *retention_.find(ref);
      --entry.waiting;
      retention_.release_if_done(ref, entry);
    }
  };
  drop_all(path.repairs);
  drop_all(path.sparse);
  for (RefQueue& queue : path.queues) drop_all(queue);
}

std::int64_t Binder::waiting_bytes(ClassId class_id) const {
  const Stage& stage = stages_[index(class_id)];
  std::int64_t bytes = ingress_.bytes(class_id).count;
  for (std::size_t i = 0; i < stage.size; ++i) {
    bytes += static_cast<std::int64_t>(stage.packets[i].size());
  }
  return bytes;
}

// The round trip of flows that wait for order: that of the longest path, and where lines lose so
// much that some gap is nearly always open, the time that a repair takes. A CUBIC flow whose queue
// was sized for less than its round trip ran empty for seconds after each drop.
Duration Binder::round_trip_of_flows() const {
  Duration longest{}, repair{};
  double open_gaps = 0;
  for (const Path* path : paths_.all()) {
    if (!path->usable()) continue;
    const Duration srtt = path->flight.srtt();
    longest = std::max(longest, srtt);
    const Duration until_repaired = srtt + srtt / 2 + path->flight.report_interval();
    const double lost_per_second = path->line_loss.share() * path->rate.bandwidth().mbps() * 1e6 /
                                   (8.0 * static_cast<double>(FqCodel::quantum));
    if (lost_per_second > 0) repair = std::max(repair, until_repaired);
    open_gaps += lost_per_second * to_seconds(until_repaired);
  }
  return longest + scaled(repair, std::min(1.0, open_gaps));
}

void Binder::on_paths_measured(Instant now) {
  BitRate sum;
  for (const Path* path : paths_.all()) {
    if (path->usable()) sum = sum + path->rate.bandwidth();
  }
  realtime_rate_ = realtime_rate_.scaled_by(0.75) +
                   BitRate::from(realtime_bytes_, measuring_interval).scaled_by(0.25);
  realtime_bytes_ = {};
  ingress_.set_round_trip(round_trip_of_flows());
  ingress_.set_rate(sum);
  choose_paths_for_bulk(now);
}

void Binder::choose_paths_for_bulk(Instant now, bool at_once) {
  if (scheduler_->equalises()) bulk_choice_.choose(now, at_once);
}

}  // namespace sennit
