// How a path is first measured: by copies of packets that others carry.
//
// Nobody has typed in what a path can carry. A packet that is bound to a path of unknown capacity
// may take a second on it, and everything behind it in its flow waits: beside 50 Mbit/s, a path of
// 0.3 Mbit/s ended an inner BBR's start-up at 0.65 Mbit/s for good. A copy that comes late harms
// nobody. So a new path carries copies only, as many as TCP's initial window (RFC 6928), until it
// has been the limit of what it was given, or has answered all of it.
#pragma once

#include <cstdint>

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

 private:
  std::uint32_t copied_ = 0, answered_ = 0;
  bool done_ = false;
};

}  // namespace sennit
