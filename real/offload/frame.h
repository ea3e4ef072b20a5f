// What the kernel and a TUN or TAP with IFF_VNET_HDR say to each other: a virtio header, then a
// frame of up to 64 KiB (Virtual I/O Device 1.2, section 5.1.6). And where the headers of a frame
// lie, read without trusting it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace sennit::offload {

/// In front of every frame, in the machine's byte order, which is a TUN's default.
struct VirtioHeader {
  std::uint8_t flags = 0;             // see VirtioFlag
  std::uint8_t gso_type = 0;          // see GsoType
  std::uint16_t hdr_len = 0;          // bytes of all headers; a hint only
  std::uint16_t gso_size = 0;         // payload bytes of every segment but the last
  std::uint16_t checksum_start = 0;   // offset of the transport header in the frame
  std::uint16_t checksum_offset = 0;  // of the checksum field from there
};
static_assert(sizeof(VirtioHeader) == 10);

// <linux/virtio_net.h>, which has no USO before 6.2.
struct VirtioFlag {
  static constexpr std::uint8_t needs_checksum = 1;  // the field has only the pseudo-header's sum
};
struct GsoType {
  static constexpr std::uint8_t none = 0, tcp4 = 1, tcp6 = 4, udp = 5;
  static constexpr std::uint8_t ecn = 0x80;  // beside tcp4 or tcp6: CWR belongs to the first only
};

/// What a frame begins with: IP, or Ethernet with any number of VLAN tags up to two.
enum class Layer : std::uint8_t { ip, ethernet };

inline constexpr std::size_t frame_max = 65535;  // what IPv4's total length can say, and a TUN read

inline constexpr std::uint8_t protocol_tcp = 6, protocol_udp = 17;  // IANA protocol numbers
inline constexpr std::size_t ipv4_header_min = 20, ipv6_header = 40, tcp_header_min = 20,
                             udp_header = 8;

/// TCP flags (RFC 9293, RFC 3168).
struct TcpFlag {
  static constexpr std::uint8_t fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32, ece = 64,
                                cwr = 128;
};

inline std::uint8_t get8(std::span<const std::byte> b, std::size_t at) {
  return static_cast<std::uint8_t>(b[at]);
}
inline std::uint16_t get16(std::span<const std::byte> b, std::size_t at) {
  return static_cast<std::uint16_t>(get8(b, at) << 8 | get8(b, at + 1));
}
inline std::uint32_t get32(std::span<const std::byte> b, std::size_t at) {
  return std::uint32_t{get16(b, at)} << 16 | get16(b, at + 2);
}
inline void put16(std::span<std::byte> b, std::size_t at, std::size_t value) {
  b[at] = static_cast<std::byte>(value >> 8 & 0xff);
  b[at + 1] = static_cast<std::byte>(value & 0xff);
}
inline void put32(std::span<std::byte> b, std::size_t at, std::uint32_t value) {
  put16(b, at, value >> 16);
  put16(b, at + 2, value);
}
/// A folded sum (checksum.h) is in memory order already.
inline void put_sum(std::span<std::byte> b, std::size_t at, std::uint16_t folded) {
  std::memcpy(&b[at], &folded, sizeof folded);
}

/// Offset of the IP header; nothing when the frame ends before it or is not IP.
inline std::optional<std::size_t> network_offset(Layer layer, std::span<const std::byte> frame) {
  if (layer == Layer::ip) return frame.empty() ? std::nullopt : std::optional<std::size_t>{0};
  constexpr std::uint16_t ipv4 = 0x0800, ipv6 = 0x86dd, vlan = 0x8100, provider_vlan = 0x88a8;
  std::size_t at = 12;  // the EtherType, behind two addresses
  for (int tags = 0; tags <= 2 && at + 3 <= frame.size(); ++tags, at += 4) {
    const std::uint16_t type = get16(frame, at);
    if (type == ipv4 || type == ipv6) return at + 2;
    if (type != vlan && type != provider_vlan) return {};
  }
  return {};
}

}  // namespace sennit::offload
