// Frames for the tests of this folder, with checksums by the slowest and plainest code there is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/packet.h"
#include "real/offload/frame.h"

namespace sennit::offload::testing {

using Octets = std::vector<std::byte>;

/// RFC 1071, byte pair by byte pair.
inline std::uint16_t plain_checksum(std::span<const std::byte> bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += static_cast<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

struct Shape {
  bool ipv6 = false, tcp = true;
  std::uint32_t source = 1;  // last bytes of the address
  std::uint16_t source_port = 5000, destination_port = 443, id = 100, window = 500;
  std::uint16_t fragment = 0x4000;
  std::uint8_t traffic_class = 0, ttl = 64, flags = TcpFlag::ack, extra_flags = 0;
  std::uint32_t sequence = 1000, acknowledgement = 77;
  std::size_t options = 12, ip_options = 0, payload = 1000;
  std::uint8_t fill = 1;     // the payload's first byte; it counts up from there
  std::size_t ethernet = 0;  // 14, or 18 with a VLAN tag
};

inline std::size_t transport_offset(const Shape& s) {
  return s.ethernet + (s.ipv6 ? ipv6_header : ipv4_header_min + s.ip_options);
}
inline std::size_t header_size(const Shape& s) {
  return transport_offset(s) + (s.tcp ? tcp_header_min + s.options : udp_header);
}

/// Folded, not complemented: what the kernel leaves in the field for the device to finish.
inline std::uint16_t pseudo_sum(const Shape& s, const Octets& frame) {
  const std::size_t at = s.ethernet + (s.ipv6 ? 8 : 12);
  const std::size_t length = frame.size() - transport_offset(s);
  const std::uint32_t rest = static_cast<std::uint32_t>(length) + (s.tcp ? 6 : 17);
  const auto addresses = std::span{frame}.subspan(at, s.ipv6 ? 32 : 8);
  return static_cast<std::uint16_t>(~plain_checksum(addresses, rest));
}

inline void finish_checksums(const Shape& s, Octets& frame, bool partial = false) {
  const std::size_t transport = transport_offset(s), field = transport + (s.tcp ? 16 : 6);
  if (!s.ipv6) {
    put16(frame, s.ethernet + 10, 0);
    const auto ip = std::span{frame}.subspan(s.ethernet, transport - s.ethernet);
    put16(frame, s.ethernet + 10, plain_checksum(ip));
  }
  put16(frame, field, 0);
  const std::uint16_t pseudo = pseudo_sum(s, frame);
  std::uint16_t checksum = plain_checksum(std::span{frame}.subspan(transport), pseudo);
  if (!s.tcp && checksum == 0) checksum = 0xffff;
  put16(frame, field, partial ? pseudo : checksum);
}

/// A frame with correct lengths; full checksums, or the kernel's partial one.
inline Octets frame_of(const Shape& s, bool partial = false) {
  Octets b(header_size(s) + s.payload);
  const std::size_t ip = s.ethernet, transport = transport_offset(s);
  if (ip > 0) {
    for (std::size_t i = 0; i < 12; ++i) b[i] = static_cast<std::byte>(0x20 + i);
    if (ip == 18) put16(b, 12, 0x8100), put16(b, 14, 7);
    put16(b, ip - 2, s.ipv6 ? 0x86dd : 0x0800);
  }
  if (s.ipv6) {
    put16(b, ip, 0x6000u | static_cast<unsigned>(s.traffic_class << 4));
    put16(b, ip + 2, 0x1234);
    put16(b, ip + 4, b.size() - ip - ipv6_header);
    b[ip + 6] = static_cast<std::byte>(s.tcp ? protocol_tcp : protocol_udp);
    b[ip + 7] = static_cast<std::byte>(s.ttl);
    put16(b, ip + 8, 0x2001);
    put32(b, ip + 20, s.source);
    put16(b, ip + 24, 0x2001);
    put32(b, ip + 36, 9);
  } else {
    b[ip] = static_cast<std::byte>(0x45 + s.ip_options / 4);
    b[ip + 1] = static_cast<std::byte>(s.traffic_class);
    put16(b, ip + 2, b.size() - ip);
    put16(b, ip + 4, s.id);
    put16(b, ip + 6, s.fragment);
    b[ip + 8] = static_cast<std::byte>(s.ttl);
    b[ip + 9] = static_cast<std::byte>(s.tcp ? protocol_tcp : protocol_udp);
    put32(b, ip + 12, s.source);
    put32(b, ip + 16, 0x0a000009);
    for (std::size_t i = 0; i < s.ip_options; ++i) b[ip + 20 + i] = std::byte{1};  // no operation
  }
  put16(b, transport, s.source_port);
  put16(b, transport + 2, s.destination_port);
  if (s.tcp) {
    put32(b, transport + 4, s.sequence);
    put32(b, transport + 8, s.acknowledgement);
    b[transport + 12] = static_cast<std::byte>((tcp_header_min + s.options) / 4 << 4);
    b[transport + 13] = static_cast<std::byte>(s.flags | s.extra_flags);
    put16(b, transport + 14, s.window);
    for (std::size_t i = 0; i < s.options; ++i) b[transport + 20 + i] = std::byte{1};
  } else {
    put16(b, transport + 4, b.size() - transport);
  }
  for (std::size_t i = 0; i < s.payload; ++i) {
    b[header_size(s) + i] = static_cast<std::byte>(s.fill + i * 7);
  }
  finish_checksums(s, b, partial);
  return b;
}

/// What the kernel says of a frame that it leaves to the device to cut.
inline VirtioHeader virtio_of(const Shape& s, std::uint16_t gso_size) {
  VirtioHeader v;
  v.flags = VirtioFlag::needs_checksum;
  v.gso_type = !s.tcp ? GsoType::udp : s.ipv6 ? GsoType::tcp6 : GsoType::tcp4;
  v.hdr_len = static_cast<std::uint16_t>(header_size(s));
  v.gso_size = gso_size;
  v.checksum_start = static_cast<std::uint16_t>(transport_offset(s));
  v.checksum_offset = s.tcp ? 16 : 6;
  return v;
}

inline Packet packet_of(PacketPool& pool, std::span<const std::byte> bytes) {
  Packet p = pool.allocate();
  SENNIT_ASSERT(static_cast<bool>(p) && bytes.size() <= p.writable().size());
  std::memcpy(p.writable().data(), bytes.data(), bytes.size());
  p.resize(bytes.size());
  return p;
}

inline Octets octets(const Packet& packet) {
  return {packet.bytes().begin(), packet.bytes().end()};
}

}  // namespace sennit::offload::testing
