// Inner packets for tests and benchmarks: correct headers around zeros.
#pragma once

#include <cstdint>
#include <vector>

#include "core/packet.h"
#include "core/units.h"

namespace sennit::samples {

struct Udp {
  std::uint32_t source = 0x0a000001, destination = 0x0a000002;  // the last 32 bits, for IPv6
  std::uint16_t source_port = 1000, destination_port = 2000;
  std::uint8_t protocol = 17;
  std::uint8_t dscp = 0;
  Ecn ecn = Ecn::not_ect;
  std::size_t size = 100;  // of the IP packet
};

inline void put16(std::vector<std::byte>& b, std::size_t at, unsigned value) {
  b[at] = static_cast<std::byte>(value >> 8 & 0xff);
  b[at + 1] = static_cast<std::byte>(value & 0xff);
}

/// RFC 1071, over the first 20 bytes; 0 for a header whose checksum is right.
inline std::uint16_t ipv4_checksum(std::span<const std::byte> b) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < 20; i += 2) {
    sum += static_cast<unsigned>(b[i]) << 8 | static_cast<unsigned>(b[i + 1]);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

inline std::vector<std::byte> ipv4(const Udp& p) {
  std::vector<std::byte> b(p.size);
  b[0] = std::byte{0x45};
  b[1] = static_cast<std::byte>(p.dscp << 2 | static_cast<int>(p.ecn));
  put16(b, 2, static_cast<unsigned>(p.size));
  b[8] = std::byte{64};
  b[9] = std::byte{p.protocol};
  put16(b, 12, p.source >> 16);
  put16(b, 14, p.source);
  put16(b, 16, p.destination >> 16);
  put16(b, 18, p.destination);
  put16(b, 20, p.source_port);
  put16(b, 22, p.destination_port);
  put16(b, 10, ipv4_checksum(b));
  return b;
}

/// 2001:db8::source to 2001:db8::destination; `extensions` (each a multiple of 8 bytes, the first
/// byte of the last one naming the transport protocol) go between header and transport.
inline std::vector<std::byte> ipv6(const Udp& p, std::uint8_t first_header = 0,
                                   const std::vector<std::uint8_t>& extensions = {}) {
  std::vector<std::byte> b(p.size);
  const unsigned traffic_class = static_cast<unsigned>(p.dscp << 2 | static_cast<int>(p.ecn));
  put16(b, 0, 0x6000u | traffic_class << 4);
  put16(b, 4, static_cast<unsigned>(p.size - 40));
  b[6] = std::byte{extensions.empty() ? p.protocol : first_header};
  b[7] = std::byte{64};
  for (const std::size_t address : {8u, 24u}) {
    put16(b, address, 0x2001);
    put16(b, address + 2, 0x0db8);
  }
  put16(b, 20, p.source >> 16);
  put16(b, 22, p.source);
  put16(b, 36, p.destination >> 16);
  put16(b, 38, p.destination);
  for (std::size_t i = 0; i < extensions.size(); ++i) b[40 + i] = std::byte{extensions[i]};
  put16(b, 40 + extensions.size(), p.source_port);
  put16(b, 42 + extensions.size(), p.destination_port);
  return b;
}

/// A slot of the pool, which must have one, filled with `bytes`.
inline Packet packet(PacketPool& pool, std::span<const std::byte> bytes) {
  Packet p = pool.allocate();
  SENNIT_ASSERT(static_cast<bool>(p));
  std::copy(bytes.begin(), bytes.end(), p.writable().begin());
  p.resize(bytes.size());
  return p;
}

}  // namespace sennit::samples
