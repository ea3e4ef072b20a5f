#include "core/bulk_choice.h"

#include <algorithm>

#include "core/bulk_paths.h"

namespace sennit {

void BulkChoice::choose() {
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
  chosen_ = all_explored;
  for (std::size_t i = 0; i < count; ++i) usable[i]->for_bulk = rows[i].used;
  set_lines({usable.data(), count}, nearest);
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
