#include "sim/results/packet_fates.h"

namespace sennit {
namespace {

constexpr Duration patience = 5s;
constexpr std::size_t window_max = 65536;

}  // namespace

void PacketFates::sent(Instant now) {
  expire(now);
  append(now);
}

bool PacketFates::arrived(std::uint64_t number, Instant sent, Instant now) {
  expire(now);
  if (number < first_) return false;
  // A backend that cannot see the sender (real sockets) shows its packets only by what arrives.
  while (number >= first_ + window_.size()) append(sent);
  if (number < first_) return false;
  Pending& packet = window_[number - first_];
  if (packet.delay) return false;
  packet.delay = now - sent;
  return true;
}

void PacketFates::finish(Instant end, Duration grace) {
  for (const Pending& packet : window_) {
    if (packet.delay || packet.sent + grace <= end) decide_(packet.sent, packet.delay);
  }
  first_ += window_.size();
  window_.clear();
}

void PacketFates::append(Instant sent) {
  if (window_.size() == window_max) {
    decide_(window_.front().sent, window_.front().delay);
    window_.pop_front();
    ++first_;
  }
  window_.push_back({sent, std::nullopt});
}

void PacketFates::expire(Instant now) {
  while (!window_.empty() && window_.front().sent + patience < now) {
    decide_(window_.front().sent, window_.front().delay);
    window_.pop_front();
    ++first_;
  }
}

}  // namespace sennit
