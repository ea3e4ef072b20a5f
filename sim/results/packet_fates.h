// What became of each packet of a numbered flow, decided in order. A packet is lost when it has not
// arrived five seconds after it was sent; at the end of a run, packets that may still be on their
// way are left out instead of being called lost.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "core/units.h"

namespace sennit {

/// Bounded: packets leave the window after five seconds or 65,536 successors.
class PacketFates {
 public:
  /// In order of their numbers: when it was sent, and its one-way delay or nothing if it was lost.
  using Decide = std::function<void(Instant sent, std::optional<Duration> delay)>;
  explicit PacketFates(Decide decide) : decide_(std::move(decide)) {}

  void sent(Instant now);
  /// False for a second copy, and for one that comes after it was given up.
  bool arrived(std::uint64_t number, Instant sent, Instant now);
  /// Decides the rest: what was sent less than `grace` before `end` and did not arrive stays out.
  void finish(Instant end, Duration grace);

 private:
  struct Pending {
    Instant sent;
    std::optional<Duration> delay;
  };
  void append(Instant sent);
  void expire(Instant now);

  Decide decide_;
  std::deque<Pending> window_;
  std::uint64_t first_ = 0;  // number of window_.front()
};

}  // namespace sennit
