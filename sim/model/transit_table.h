// When did this inner packet enter the tunnel? The tunnel carries nothing of ours, so the
// simulation remembers what went in and recognises it at the other end by a hash of its first bytes
// (IPv4's identification and TCP's numbers make them unique). Of bounded size: packets that the
// tunnel lost are forgotten when newer ones need their place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/units.h"

namespace sennit {

class TransitTable {
 public:
  struct Transit {
    std::size_t flow;
    Instant entered;
  };
  /// Which TCP packets are worth remembering: those with data from or to this port.
  void watch(std::uint16_t port, std::size_t flow);

  /// `packet`: an IPv4 packet. Anything but TCP data of a watched port is ignored.
  void enter(std::span<const std::byte> packet, Instant now);
  /// What enter() knew of this packet, once.
  std::optional<Transit> leave(std::span<const std::byte> packet);

 private:
  struct Entry {
    std::uint64_t hash = 0;  // 0 = free
    Instant entered{};
    std::uint32_t flow = 0;
  };
  struct Watched {
    std::uint16_t port;
    std::size_t flow;
  };
  static constexpr std::size_t ways = 4;
  static constexpr std::size_t sets = 8192;  // 32,768 packets: a tunnel's whole pool

  std::optional<std::size_t> flow_of(std::span<const std::byte> packet) const;
  std::span<Entry> set_of(std::uint64_t hash);

  std::vector<Watched> watched_;
  std::vector<Entry> entries_ = std::vector<Entry>(ways * sets);
};

}  // namespace sennit
