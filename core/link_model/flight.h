// Packets between the transmitter and the far end, in order of arrival. Without jitter they arrive
// as they left, and a ring is enough; one heap for all would cost every link what only a jittered
// one needs. So a packet that arrives after all others so far goes to the ring, an overtaking one
// to a heap, and the earlier of the two heads is next.
#pragma once

#include <cstdint>
#include <tuple>
#include <vector>

#include "core/link_model/ring.h"
#include "core/units.h"

namespace sennit {

struct InFlight {
  Instant at{};             // arrival
  std::uint64_t order = 0;  // of transmission; among equal arrivals
  std::uint64_t token = 0;
  Duration queueing{};
  std::uint32_t size = 0;  // bytes
  bool lost = false;
};

class Flight {
 public:
  Flight() { overtaking_.reserve(64); }
  /// `packet.order` is set here.
  void push(InFlight packet);
  /// Arrival of the next packet, or `never`.
  Instant next_arrival() const {
    const Instant in_order = in_order_.empty() ? never : in_order_.front().at;
    return overtaking_.empty() ? in_order : std::min(in_order, overtaking_.front().at);
  }
  /// The packet that arrives at next_arrival(), which is not `never`.
  InFlight pop();
  /// The line is cut: what has not arrived by `now` is lost at `now`.
  void lose_all_after(Instant now);

 private:
  static bool later(const InFlight& a, const InFlight& b) {
    return std::tie(a.at, a.order) > std::tie(b.at, b.order);
  }
  Ring<InFlight> in_order_;
  std::vector<InFlight> overtaking_;  // a heap, earliest first
  std::uint64_t pushed_ = 0;
};

}  // namespace sennit
