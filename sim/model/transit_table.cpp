#include "sim/model/transit_table.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace sennit {

namespace {

constexpr std::uint8_t protocol_tcp = 6;

std::size_t octet(std::span<const std::byte> packet, std::size_t at) {
  return std::to_integer<std::size_t>(packet[at]);
}
std::size_t word(std::span<const std::byte> packet, std::size_t at) {
  return octet(packet, at) << 8 | octet(packet, at + 1);
}

/// Without type of service and header checksum, which the tunnel changes when it marks congestion.
std::uint64_t hash_of(std::span<const std::byte> packet) {
  std::array<std::byte, 64> head{};
  std::memcpy(head.data(), packet.data(), std::min(packet.size(), head.size()));
  head[1] = head[10] = head[11] = std::byte{0};
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < head.size(); i += sizeof hash) {
    std::uint64_t piece;
    std::memcpy(&piece, head.data() + i, sizeof piece);
    hash = (hash ^ piece) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  return hash | 1;
}

}  // namespace

void TransitTable::watch(std::uint16_t port, std::size_t flow) { watched_.push_back({port, flow}); }

std::optional<std::size_t> TransitTable::flow_of(std::span<const std::byte> packet) const {
  if (packet.size() < 40 || octet(packet, 9) != protocol_tcp) return std::nullopt;
  const std::size_t ip_header = (octet(packet, 0) & 15) * 4;
  if (ip_header + 20 > packet.size()) return std::nullopt;
  const std::size_t tcp_header = (octet(packet, ip_header + 12) >> 4) * 4;
  if (ip_header + tcp_header >= packet.size()) return std::nullopt;
  const std::size_t source = word(packet, ip_header);
  const std::size_t destination = word(packet, ip_header + 2);
  const auto found = std::ranges::find_if(
      watched_, [&](const Watched& w) { return w.port == source || w.port == destination; });
  return found == watched_.end() ? std::nullopt : std::optional{found->flow};
}

std::span<TransitTable::Entry> TransitTable::set_of(std::uint64_t hash) {
  return std::span{entries_}.subspan((hash >> 32) % sets * ways, ways);
}

void TransitTable::enter(std::span<const std::byte> packet, Instant now) {
  const std::optional<std::size_t> flow = flow_of(packet);
  if (!flow) return;
  const std::uint64_t hash = hash_of(packet);
  const std::span<Entry> set = set_of(hash);
  auto place = std::ranges::find_if(set, [](const Entry& e) { return e.hash == 0; });
  if (place == set.end()) place = std::ranges::min_element(set, {}, &Entry::entered);
  *place = {hash, now, static_cast<std::uint32_t>(*flow)};
}

std::optional<TransitTable::Transit> TransitTable::leave(std::span<const std::byte> packet) {
  if (!flow_of(packet)) return std::nullopt;
  const std::uint64_t hash = hash_of(packet);
  for (Entry& entry : set_of(hash)) {
    if (entry.hash != hash) continue;
    entry.hash = 0;
    return Transit{entry.flow, entry.entered};
  }
  return std::nullopt;
}

}  // namespace sennit
