// CoDel (RFC 8289): a queue is too long when no packet for a whole interval waited less than the
// target. Then one packet is dropped, and the next ones at interval/sqrt(1), /sqrt(2), ... after,
// because the rate of a TCP flow goes with 1/sqrt of its loss, so that this lowers it linearly.
//
// The RFC's loop pulls packets itself. Here it is turned inside out: the owner of the queue asks
// about each packet that it takes out, drops or marks it on `true` and asks again about the next.
// The one difference: a packet that follows a drop and is fine ends the dropping state at once, not
// one packet later.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/units.h"

namespace sennit {

struct CodelParameters {
  Duration target = 5ms;
  Duration interval = 100ms;
  Bytes least_backlog{1514};  // a queue of less than one full packet cannot be shortened
};

/// The state of one queue: 24 bytes.
class Codel {
 public:
  /// Whether the packet that was just taken out, after waiting for `sojourn` and leaving `backlog`
  /// behind, must be dropped or marked.
  bool must_drop(Instant now, Duration sojourn, Bytes backlog, const CodelParameters& p) {
    if (sojourn < p.target || backlog <= p.least_backlog) {
      reset();
      return false;
    }
    return above_target(now, p);
  }
  /// The queue ran empty: that counts as a packet without delay.
  void reset() {
    first_above_ = Instant{};
    dropping_ = 0;
  }
  std::uint32_t count() const { return count_; }
  bool dropping() const { return dropping_ != 0; }
  Instant drop_next() const { return drop_next_; }

 private:
  bool above_target(Instant now, const CodelParameters& p) {
    if (first_above_ == Instant{}) {
      first_above_ = now + p.interval;
      dropping_ = 0;
      return false;
    }
    if (now < first_above_) return false;
    if (!dropping()) {
      start(now, p);
      return true;
    }
    if (now < drop_next_) return false;
    ++count_;
    drop_next_ = control_law(drop_next_, p);
    return true;
  }

  /// RFC 8289 section 5.5: if the last dropping state was a moment ago, start with the drop rate
  /// that controlled the queue then. (The RFC's `delta`: the drops of that state alone.)
  void start(Instant now, const CodelParameters& p) {
    dropping_ = 1;
    const std::uint32_t drops = count_ - last_count_;
    const bool recent = now - drop_next_ < 16 * p.interval;
    count_ = drops > 1 && recent ? drops : 1;
    last_count_ = count_ & 0x7fffffff;
    drop_next_ = control_law(now, p);
  }

  Instant control_law(Instant t, const CodelParameters& p) const {
    return t + scaled(p.interval, 1.0 / std::sqrt(static_cast<double>(count_)));
  }

  Instant
      first_above_{};  // when the queue will have been too long for an interval; epoch: it is not
  Instant drop_next_{};
  std::uint32_t count_ = 0;            // drops in this dropping state
  std::uint32_t last_count_ : 31 = 0;  // its start in count_
  std::uint32_t dropping_ : 1 = 0;
};
static_assert(sizeof(Codel) == 24);

}  // namespace sennit
