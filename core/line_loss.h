// What a line loses by itself, apart from what is lost because a queue of ours overflowed. Only the
// first is worth repairing ahead of time: more traffic makes the second worse.
//
// The two are told apart by the standing queue that the report saw which told of the loss, and by
// that of the two round trips before: a loss is proven by the packets just behind it, and those met
// the queue that the lost one found, unless the link became faster meanwhile. Asking for the queue
// later fails, because by then it has gone, while a smoothed loss remembers for seconds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/units.h"

namespace sennit {

class LineLoss {
 public:
  /// The fates that one report decided. In a congested time (see congested()), and two round trips
  /// after, nothing is learned.
  void on_report(Instant now, std::size_t lost, std::size_t arrived, bool congested,
                 Duration round_trip) {
    if (congested) clean_from_ = now + 2 * round_trip;
    const auto decided = static_cast<double>(lost + arrived);
    if (now < clean_from_ || decided == 0) return;
    // A plain mean until there are enough to smooth.
    const auto memory = static_cast<double>(std::min(observations_, smoothed_over));
    share_ += (static_cast<double>(lost) - share_ * decided) / (memory + decided);
    observations_ = std::min(observations_ + arrived + lost, 2 * smoothed_over);
  }

  /// A queue beyond twice its target is nobody's aim: what is lost then is lost to it.
  static bool congested(Duration standing_queue, Duration queue_target) {
    return standing_queue > 2 * queue_target;
  }

  double share() const { return share_; }
  /// How many independent observations share() is worth.
  std::uint64_t observations() const { return observations_; }

 private:
  static constexpr std::uint64_t smoothed_over = 500;

  double share_ = 0;
  std::uint64_t observations_ = 0;
  Instant clean_from_{};
};

}  // namespace sennit
