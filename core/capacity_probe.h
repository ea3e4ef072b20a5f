// How a path is first measured: by copies of packets that others carry, and by padding.
//
// Nobody has typed in what a path can carry. A packet that is bound to a path of unknown capacity
// may take a second on it, and everything behind it in its flow waits: beside 50 Mbit/s, a path of
// 0.3 Mbit/s ended an inner BBR's start-up at 0.65 Mbit/s for good. A copy that comes late harms
// nobody. So a new path carries copies only, as many as TCP's initial window (RFC 6928), until it
// has been the limit of what it was given, or has answered all of it.
//
// What there is to copy may be far less than the path carries. A flow fits its window to the paths
// that it has, so a larger one beside them would never be found. So a path that costs nothing is
// explored as well: padding fills it, behind all other traffic, until the rate control's start-up
// has met the path's limit.
#pragma once

#include <cstdint>

#include "core/units.h"

namespace sennit {

class CapacityProbe {
 public:
  static constexpr std::uint32_t copies_max = 10;
  static constexpr std::uint32_t copies_min = 2;

  /// Whether a packet bound now should be copied onto the path too.
  bool wants() const { return !done_ && copied_ < copies_max; }
  void on_copy() { ++copied_; }
  /// The fate of a datagram with packets is known; `limited`: the path has been the limit.
  void on_answer(bool limited) {
    ++answered_;
    done_ = done_ || limited || (answered_ >= copies_min && answered_ >= copied_);
  }
  /// Packets may be bound to the path.
  bool done() const { return done_; }

  /// Padding was sent.
  void on_padding(Instant now, std::size_t size) {
    padding_ += size;
    if (padding_ >= padding_max) on_explored(now);
  }
  void on_explored(Instant now) {
    explored_ = true;
    explored_at_ = now;
  }
  /// The path was away and is back: it may not be what it was.
  void on_return(Instant now) {
    if (!explored_ || now - explored_at_ < explore_again_after) return;
    explored_ = false;
    padding_ = 0;
  }
  bool explored() const { return explored_; }

 private:
  static constexpr Duration explore_again_after = std::chrono::seconds{10};  // of a path that flaps
  // Enough for the bandwidth-delay product of 300 Mbit/s over 60 ms three times, which a start-up
  // needs; what is faster than that is found by those who use it.
  static constexpr std::size_t padding_max = 8'000'000;
  std::size_t padding_ = 0;
  std::uint32_t copied_ = 0, answered_ = 0;
  bool done_ = false, explored_ = false;
  Instant explored_at_{};
};

}  // namespace sennit
