#include "core/link_model/flight.h"

#include <algorithm>

namespace sennit {

void Flight::push(InFlight packet) {
  packet.order = pushed_++;
  if (in_order_.empty() || packet.at >= in_order_.back().at) {
    in_order_.push_back(packet);
    return;
  }
  overtaking_.push_back(packet);
  std::push_heap(overtaking_.begin(), overtaking_.end(), later);
}

InFlight Flight::pop() {
  const bool from_ring =
      overtaking_.empty() || (!in_order_.empty() && later(overtaking_.front(), in_order_.front()));
  if (from_ring) {
    const InFlight packet = in_order_.front();
    in_order_.pop_front();
    return packet;
  }
  std::pop_heap(overtaking_.begin(), overtaking_.end(), later);
  const InFlight packet = overtaking_.back();
  overtaking_.pop_back();
  return packet;
}

void Flight::lose_all_after(Instant now) {
  const auto lose = [now](InFlight& packet) {
    if (packet.at <= now) return;
    packet.at = now;
    packet.lost = true;
  };
  for (std::size_t i = 0; i < in_order_.size(); ++i) lose(in_order_[i]);
  std::for_each(overtaking_.begin(), overtaking_.end(), lose);
  std::make_heap(overtaking_.begin(), overtaking_.end(), later);
}

}  // namespace sennit
