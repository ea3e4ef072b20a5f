// Which paths bulk uses now, and the delay line of each: applies bulk_paths.h to the paths of a
// tunnel.
//
// Every change costs: the delay of all flows moves, and what is under way arrives out of order. But
// estimates vary, the more so where delays jitter: 46 Mbit/s at 70 ms was joined for a second or
// less by 9 Mbit/s at 229 ms again and again, and carried a tenth less than alone. So another
// choice must stand for some seconds before it is made, unless a path has come or gone, or is known
// to share a bottleneck.
#pragma once

#include "core/config.h"
#include "core/path_set.h"
#include "core/shared_bottleneck.h"

namespace sennit {

class BulkChoice {
 public:
  BulkChoice(const SchedulerConfig& config, PathSet& paths, const SharedBottlenecks& bottlenecks)
      : config_(config), paths_(paths), bottlenecks_(bottlenecks) {}

  /// Sets `for_bulk` and `line` of each path that costs nothing. The others are used when these do
  /// not suffice, whatever their delay. `at_once`: something is known now that is no estimate.
  void choose(Instant now, bool at_once);
  /// Some path has a line.
  bool delays() const { return delays_; }

 private:
  PathMask settled(Instant now, PathMask wanted, PathMask usable);
  void set_lines(std::span<Path* const> usable, Duration nearest);

  const SchedulerConfig& config_;
  PathSet& paths_;
  const SharedBottlenecks& bottlenecks_;
  bool chosen_ = false;  // the present choice was made with all capacities known
  PathMask present_ = 0, usable_ = 0;
  PathMask candidate_ = 0;  // what has been wanted instead
  Instant candidate_since_{};
  bool delays_ = false;
};

}  // namespace sennit
