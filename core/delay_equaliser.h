// A flow that needs several paths has the delay of the slowest of them, because the receiver
// restores its order. This makes it have that delay all the time.
//
// Without it, a sender that models its path (BBR) learns a round trip that it can never have while
// it uses the bond: it measures the fast path's when it sends little (PROBE_RTT), allows itself
// twice that path's bandwidth-delay product, and all of it fits into the fast path and the queue
// that must stand there before the slow path is worth taking. Over 50 Mbit/s at 20 and at 70 ms one
// such flow carried 0.49 of the bound.
//
// So while the faster paths are full for a while, packets of bulk classes leave them through a
// delay line, as much later as their path is faster than the slowest one in use. A full path has
// that queue anyway; the line only keeps it when the flow pauses. What is more than the fast path
// carries goes to the slow one at once, and finds no earlier packets to wait for.
#pragma once

#include <algorithm>
#include <optional>

#include "core/units.h"

namespace sennit {

/// Whether a path is filled, over a few hundred milliseconds: longer than PROBE_RTT (200 ms) and
/// than the phases of BBR's cycle on usual paths.
class Saturation {
 public:
  /// One report's sample; `limited`: the path was the limit of what it was given.
  void on_sample(Instant now, bool limited) {
    const Duration since =
        std::clamp<Duration>(now - last_.value_or(now), Duration::zero(), memory);
    last_ = now;
    share_ += ((limited ? 1.0 : 0.0) - share_) * (to_seconds(since) / to_seconds(memory));
    if (share_ > full) saturated_ = true;
    if (share_ < idle) saturated_ = false;
  }
  bool saturated() const { return saturated_; }

 private:
  static constexpr Duration memory = std::chrono::milliseconds{300};
  static constexpr double full = 0.7, idle = 0.2;
  std::optional<Instant> last_{};
  double share_ = 0;  // of the recent samples that were limited, by time
  bool saturated_ = false;
};

}  // namespace sennit
