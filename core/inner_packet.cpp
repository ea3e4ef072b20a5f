#include "core/inner_packet.h"

#include <bit>
#include <cstring>

#include "core/wire.h"

namespace sennit {

namespace {

using Octets = std::span<const std::byte>;

constexpr std::size_t extension_headers_max = 8;
constexpr std::size_t ipv4_header_min = 20, ipv6_header = 40, tcp_header_min = 20;
constexpr std::uint16_t https = 443;  // QUIC's port, too

// IANA protocol numbers.
constexpr std::uint8_t hop_by_hop = 0, tcp = 6, udp = 17, dccp = 33, routing = 43, fragment = 44,
                       authentication = 51, destination_options = 60, sctp = 132, udp_lite = 136;

std::uint8_t u8(Octets b, std::size_t at) { return static_cast<std::uint8_t>(b[at]); }
std::uint16_t u16(Octets b, std::size_t at) {
  return static_cast<std::uint16_t>(u8(b, at) << 8 | u8(b, at + 1));
}

/// All five carry source and destination port in their first four bytes.
bool protocol_has_ports(std::uint8_t protocol) {
  return protocol == tcp || protocol == udp || protocol == dccp || protocol == sctp ||
         protocol == udp_lite;
}

/// Neither data nor SYN or FIN.
bool is_acknowledgement(Octets segment) {
  if (segment.size() < tcp_header_min) return false;
  const std::size_t header_length = std::size_t{u8(segment, 12)} / 16 * 4;
  constexpr unsigned fin = 1, syn = 2;
  return segment.size() <= header_length && (u8(segment, 13) & (fin | syn)) == 0;
}

/// A packet that ends before its ports is no error: it has none.
void read_ports(InnerHeader& header, Octets transport) {
  if (!protocol_has_ports(header.protocol) || transport.size() < 4) return;
  header.source_port = u16(transport, 0);
  header.destination_port = u16(transport, 2);
  header.has_ports = true;
  if (header.protocol == tcp) {
    header.stream = !is_acknowledgement(transport);
  } else if (header.protocol == udp) {
    header.stream = header.source_port == https || header.destination_port == https;
  }
}

void read_traffic_class(InnerHeader& header, unsigned value) {
  header.dscp = static_cast<std::uint8_t>(value >> 2 & 63);
  header.ecn = static_cast<Ecn>(value & 3);
}

/// ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
void map_ipv4(std::array<std::uint8_t, 16>& address, std::span<const std::byte, 4> ipv4) {
  const std::uint64_t low = std::uint64_t{0xffff} << 32 | wire::Reader{ipv4}.u32();
  wire::Writer{std::as_writable_bytes(std::span{address}).last<8>()}.u64(low);
}

std::optional<InnerHeader> parse_ipv4(Octets b) {
  if (b.size() < ipv4_header_min) return {};
  const std::size_t header_length = std::size_t{u8(b, 0)} % 16 * 4;
  const std::size_t total_length = u16(b, 2);
  if (header_length < ipv4_header_min || total_length < header_length || total_length > b.size()) {
    return {};
  }
  std::optional<InnerHeader> result{std::in_place};
  InnerHeader& header = *result;
  header.version = 4;
  header.protocol = u8(b, 9);
  read_traffic_class(header, u8(b, 1));
  map_ipv4(header.source, b.subspan<12, 4>());
  map_ipv4(header.destination, b.subspan<16, 4>());
  const unsigned offset = u16(b, 6) & 0x1fffu;
  const bool more = (u16(b, 6) & 0x2000u) != 0;
  header.fragment = more || offset != 0;
  if (offset == 0) read_ports(header, b.subspan(header_length, total_length - header_length));
  return result;
}

bool is_extension(std::uint8_t next) {
  return next == hop_by_hop || next == routing || next == fragment || next == authentication ||
         next == destination_options;
}

/// Length in bytes of the extension header of this kind that opens `b`, which has at least 8 bytes.
std::size_t extension_length(std::uint8_t kind, Octets b) {
  if (kind == fragment) return 8;
  if (kind == authentication) return (std::size_t{u8(b, 1)} + 2) * 4;  // RFC 4302 section 2.2
  return (std::size_t{u8(b, 1)} + 1) * 8;                              // RFC 8200 section 4.2
}

/// Follows the chain of extension headers; false when one is cut short.
bool read_extensions(InnerHeader& header, Octets rest) {
  bool first_part = true;
  for (std::size_t n = 0; n < extension_headers_max && is_extension(header.protocol); ++n) {
    if (rest.size() < 8) return false;
    const std::uint8_t kind = header.protocol;
    const std::size_t length = extension_length(kind, rest);
    if (length < 8 || length > rest.size()) return false;
    header.protocol = u8(rest, 0);
    if (kind == fragment) {
      header.fragment = true;
      first_part = (u16(rest, 2) & 0xfff8u) == 0;
    }
    rest = rest.subspan(length);
    if (!first_part) return true;  // what follows belongs to the middle of something
  }
  read_ports(header, rest);
  return true;
}

std::optional<InnerHeader> parse_ipv6(Octets b) {
  if (b.size() < ipv6_header) return {};
  const std::size_t payload_length = u16(b, 4);
  if (payload_length > b.size() - ipv6_header) return {};
  std::optional<InnerHeader> result{std::in_place};
  InnerHeader& header = *result;
  header.version = 6;
  header.protocol = u8(b, 6);
  read_traffic_class(header, u16(b, 0) >> 4 & 0xffu);
  std::memcpy(header.source.data(), &b[8], 16);
  std::memcpy(header.destination.data(), &b[24], 16);
  if (!read_extensions(header, b.subspan(ipv6_header, payload_length))) return {};
  return result;
}

/// Both halves of a 128-bit product: one multiplication mixes 64 bits (as in wyhash).
std::uint64_t multiply_mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::optional<InnerHeader> parse_inner(std::span<const std::byte> packet) {
  if (packet.empty()) return {};
  const int version = u8(packet, 0) >> 4;
  if (version == 4) return parse_ipv4(packet);
  if (version == 6) return parse_ipv6(packet);
  return {};
}

std::uint32_t flow_hash(const InnerHeader& header, std::uint64_t seed) {
  constexpr std::uint64_t k[] = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb};
  const auto word = [](const std::array<std::uint8_t, 16>& address, std::size_t half) {
    std::uint64_t w;
    std::memcpy(&w, &address[half * 8], sizeof w);
    // Equal seeds give equal hashes on every machine.
    return std::endian::native == std::endian::little ? w : __builtin_bswap64(w);
  };
  const std::uint64_t key = seed ^ k[2];  // a product with 0 would forget the address
  const bool ports = header.has_ports && !header.fragment;
  const std::uint64_t transport =
      std::uint64_t{header.protocol} << 32 |
      (ports ? std::uint64_t{header.source_port} << 16 | header.destination_port : 0);
  const std::uint64_t from =
      multiply_mix(word(header.source, 0) ^ key, word(header.source, 1) ^ k[0]);
  const std::uint64_t to =
      multiply_mix(word(header.destination, 0) ^ ~key, word(header.destination, 1) ^ k[1]);
  const std::uint64_t hash = multiply_mix(from ^ k[1], multiply_mix(to ^ key, transport ^ k[0]));
  return static_cast<std::uint32_t>(hash ^ hash >> 32);
}

bool set_ce(std::span<std::byte> packet) {
  const bool ipv4 = u8(packet, 0) >> 4 == 4;
  const std::size_t at = 1;  // the field's byte in both versions: bits 0-1, or 4-5 in IPv6
  const std::byte mask{static_cast<std::uint8_t>(ipv4 ? 0x03 : 0x30)};
  if ((packet[at] & mask) == std::byte{0}) return false;
  const unsigned before = u16(packet, 0);
  packet[at] |= mask;
  if (!ipv4) return true;
  // RFC 1624: HC' = ~(~HC + ~m + m') in one's complement.
  unsigned sum = (~unsigned{u16(packet, 10)} & 0xffff) + (~before & 0xffff) + u16(packet, 0);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  packet[10] = static_cast<std::byte>(~sum >> 8 & 0xff);
  packet[11] = static_cast<std::byte>(~sum & 0xff);
  return true;
}

}  // namespace sennit
