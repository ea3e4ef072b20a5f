// Spaces datagrams at a rate. Pure arithmetic: it knows neither packets nor paths, only when the
// bytes accepted so far will have left.
//
// A caller that wakes late may catch up by `credit`, so that a coarse timer costs no throughput and
// one wake-up can send a small batch; it never sends early, so a queue downstream never sees more
// than credit's worth at once.
#pragma once

#include "core/units.h"

namespace sennit {

class Pacer {
 public:
  /// 0.25 ms: a burst of three full packets at 100 Mbit/s, of 26 at 1.25 Gbit/s; an access link's
  /// queue absorbs that without a measurable standing queue.
  static constexpr Duration credit = std::chrono::microseconds{250};

  /// The next datagram may go at this instant.
  Instant ready_at() const { return ready_; }

  void on_sent(Instant now, Bytes size, BitRate rate) {
    ready_ = std::max(ready_, now - credit) + rate.time_to_send(size);
  }

  /// How long what has been accepted still occupies the sender.
  Duration debt(Instant now) const { return std::max(Duration::zero(), ready_ - now); }

  /// A timer that asks for this instant instead of ready_at() sends several small gaps' worth at
  /// once; a gap of more than half the credit is kept exactly.
  Instant wake_at(Bytes next, BitRate rate) const {
    const Duration gap = rate.time_to_send(next);
    return gap > credit / 2 ? ready_ : ready_ + credit / 2;
  }

 private:
  Instant ready_{};
};

}  // namespace sennit
