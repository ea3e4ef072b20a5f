#include "core/bulk_choice.h"

#include <algorithm>

#include "core/bulk_paths.h"

namespace sennit {
namespace {

// Longer than noise in the estimates moves a choice, shorter than what a wrong one costs matters.
constexpr Duration settled_after = 3s;

PathMask bit_of(const Path& path) { return PathMask{1} << index(path.id); }

}  // namespace

void BulkChoice::choose(Instant now, bool at_once) {
  std::array<BulkPath, paths_max> rows{};
  std::array<Path*, paths_max> usable{};
  std::size_t count = 0;
  bool all_explored = true;
  for (Path* path : paths_.all()) {
    path->line = {};
    if (!path->usable() || path->config.cost != 0) continue;
    usable[count] = path;
    all_explored = all_explored && path->capacity_probe.explored();
    rows[count++] = {path->forward.base() + 2 * path->forward.deviation(), path->rate.bandwidth(),
                     bottlenecks_.group(path->id), chosen_ && path->for_bulk};
  }
  delays_ = false;
  if (count < 2) {
    for (std::size_t i = 0; i < count; ++i) usable[i]->for_bulk = true;
    return;
  }
  Duration round_trip = Duration::max();
  Duration nearest = Duration::max();
  for (std::size_t i = 0; i < count; ++i) {
    round_trip = std::min(round_trip, usable[i]->flight.rtt_min());
    nearest = std::min(nearest, usable[i]->forward.base());
  }
  if (all_explored) {
    choose_bulk_paths({rows.data(), count}, round_trip, config_.bulk_transfer, config_.spread_max);
  } else {  // what is not known yet may be worth it, and a delay that shrinks later harms less
    for (std::size_t i = 0; i < count; ++i) {
      rows[i].used = rows[i].delay - nearest <= config_.spread_max;
    }
  }
  PathMask wanted = 0, all = 0;
  for (std::size_t i = 0; i < count; ++i) {
    all |= bit_of(*usable[i]);
    if (rows[i].used) wanted |= bit_of(*usable[i]);
  }
  const bool settles = chosen_ && all_explored && !at_once;
  present_ = settles ? settled(now, wanted, all) : wanted;
  usable_ = all;
  chosen_ = all_explored;
  for (Path* path : std::span{usable}.first(count)) {
    path->for_bulk = (present_ & bit_of(*path)) != 0;
  }
  set_lines({usable.data(), count}, nearest);
}

PathMask BulkChoice::settled(Instant now, PathMask wanted, PathMask usable) {
  if (usable != usable_) return wanted;
  if (wanted != candidate_) {
    candidate_ = wanted;
    candidate_since_ = now;
  }
  return now - candidate_since_ >= settled_after ? wanted : present_;
}

void BulkChoice::set_lines(std::span<Path* const> usable, Duration nearest) {
  Duration farthest = nearest;
  for (const Path* path : usable) {
    if (path->for_bulk) farthest = std::max(farthest, path->forward.base());
  }
  for (Path* path : usable) {
    // A little shorter, or a packet that would arrive at the same time either way goes far.
    const Duration lead = farthest - path->forward.base() - config_.commit_slack;
    path->line = std::max(Duration::zero(), lead);
    delays_ = delays_ || lead > Duration::zero();
  }
}

}  // namespace sennit
