// Which paths bulk uses now, and the delay line of each: applies bulk_paths.h to the paths of a
// tunnel.
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
  /// not suffice, whatever their delay.
  void choose();
  /// Some path has a line.
  bool delays() const { return delays_; }

 private:
  void set_lines(std::span<Path* const> usable, Duration nearest);

  const SchedulerConfig& config_;
  PathSet& paths_;
  const SharedBottlenecks& bottlenecks_;
  bool chosen_ = false;  // the present choice was made with all capacities known
  bool delays_ = false;
};

}  // namespace sennit
