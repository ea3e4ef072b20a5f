// What the tunnel needs to know of an inner IP packet, read without trusting a single byte of it:
// addresses, ports, DSCP and ECN, and a keyed hash that all packets of a flow share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/units.h"

namespace sennit {

struct InnerHeader {
  std::array<std::uint8_t, 16> source{}, destination{};  // IPv4 as ::ffff:a.b.c.d
  std::uint16_t source_port = 0, destination_port = 0;   // 0 unless has_ports
  std::uint8_t version = 0;                              // 4 or 6
  std::uint8_t protocol = 0;  // IP protocol number; of IPv6 after its extension headers
  std::uint8_t dscp = 0;
  Ecn ecn = Ecn::not_ect;
  bool fragment = false;   // any but an unfragmented packet
  bool stream = false;     // TCP or QUIC, and not merely a TCP acknowledgement: its sender learns
                           // from it what round trip the path has
  bool has_ports = false;  // TCP, UDP, DCCP, SCTP or UDP-Lite, and not a later fragment
};

/// Nothing when the bytes are neither IPv4 nor IPv6, a header is cut short or contradicts itself,
/// or the packet's own length exceeds the bytes. Bytes behind the packet's own length (padding of a
/// link) are not looked at. IPv6: at most 8 extension headers are followed; what lies behind is
/// taken as the protocol, without ports.
std::optional<InnerHeader> parse_inner(std::span<const std::byte> packet);

/// Of addresses, protocol and ports; of a fragment without ports, so that all fragments of a packet
/// stay together. Keyed by `seed`, so that nobody can aim at a bucket.
std::uint32_t flow_hash(const InnerHeader& header, std::uint64_t seed);

/// Marks a packet that parse_inner() accepted as having met congestion (RFC 3168) and mends the
/// IPv4 checksum incrementally (RFC 1624, equation 3). False, and no change, when the packet's
/// sender does not understand ECN.
bool set_ce(std::span<std::byte> packet);

}  // namespace sennit
