#include "real/offload/coalesce.h"

#include "real/offload/checksum.h"

namespace sennit::offload {
namespace {

using Octets = std::span<const std::byte>;

constexpr std::size_t udp_segments_max = 64;  // UDP_MAX_SEGMENTS of every kernel that has USO
constexpr std::uint16_t right = 0xffff;       // what a range with its own checksum folds to

bool same(Octets a, Octets b, std::size_t at, std::size_t size) {
  return std::memcmp(&a[at], &b[at], size) == 0;
}

/// Direct-mapped: a collision ends the other flow's group early, and no more.
std::size_t slot_of(Octets frame, std::size_t address, std::size_t addresses,
                    std::size_t transport) {
  std::uint64_t mixed = get32(frame, transport);
  for (std::size_t i = 0; i < addresses; i += 8) {
    std::uint64_t part;
    std::memcpy(&part, &frame[address + i], sizeof part);
    mixed = (mixed ^ part) * 0x9e3779b97f4a7c15;
    mixed ^= mixed >> 32;
  }
  return static_cast<std::size_t>(mixed * 0x9e3779b97f4a7c15 >> 56);
}

/// IPv4 header and transport, pseudo-header included. A checksum of all ones where zero is meant
/// would pass, and would not come back.
bool checksums_right(Octets frame, std::size_t network, std::size_t transport, bool ipv6,
                     bool tcp) {
  const auto ip = frame.subspan(network, transport - network);
  if (!ipv6 && (fold(sum_of(ip)) != right || get16(ip, 10) == 0xffff)) return false;
  if (tcp && get16(frame, transport + 16) == 0xffff) return false;
  const std::size_t address = ipv6 ? 8 : 12;
  const auto segment = frame.subspan(transport);
  const Sum sum = sum_of(ip.subspan(address, ipv6 ? 32 : 8)) + sum_of(segment) +
                  word(tcp ? protocol_tcp : protocol_udp) +
                  word(static_cast<std::uint16_t>(segment.size()));
  return fold(sum) == right;
}

/// A segment that nothing but its payload and place in the stream tells from its neighbours.
bool opens_group(std::uint8_t flags) {
  return (flags & ~(TcpFlag::ece | TcpFlag::cwr)) == TcpFlag::ack;
}

}  // namespace

Coalescer::Kind Coalescer::read(Octets frame, Segment& out) const {
  const auto network = network_offset(layer_, frame);
  // A VLAN's frames go one by one: kernels differ in what they take.
  if (!network || *network > 14 || frame.size() > frame_max) return Kind::opaque;
  out.network = static_cast<std::uint16_t>(*network);
  return read_ip(frame, out);
}

Coalescer::Kind Coalescer::read_ip(Octets frame, Segment& out) const {
  const auto ip = frame.subspan(out.network);
  out.ipv6 = get8(ip, 0) >> 4 == 6;
  const std::size_t header = out.ipv6 ? ipv6_header : ipv4_header_min;
  if (ip.size() < header) return Kind::opaque;
  const std::uint8_t protocol = get8(ip, out.ipv6 ? 6 : 9);
  if (out.ipv6) {
    if (get16(ip, 4) > ip.size() - ipv6_header) return Kind::opaque;
  } else {
    constexpr unsigned dont_fragment = 0x4000;
    const bool whole = (get16(ip, 6) & ~dont_fragment) == 0;
    if (get8(ip, 0) != 0x45 || !whole || get16(ip, 2) > ip.size()) return Kind::opaque;
    out.id = get16(ip, 4);
  }
  out.transport = static_cast<std::uint16_t>(out.network + header);
  if (protocol != protocol_tcp && protocol != protocol_udp) {
    constexpr std::uint8_t icmp6 = 58, esp = 50;  // all others may be extension headers
    return out.ipv6 && protocol != icmp6 && protocol != esp ? Kind::opaque : Kind::other;
  }
  out.tcp = protocol == protocol_tcp;
  const Kind kind = read_transport(frame, out);
  const std::size_t length = out.ipv6 ? ipv6_header + get16(ip, 4) : get16(ip, 2);
  if (kind == Kind::eligible && length != ip.size()) return Kind::ineligible;  // padded
  return kind;
}

Coalescer::Kind Coalescer::read_transport(Octets frame, Segment& out) const {
  const auto rest = frame.subspan(out.transport);
  if (rest.size() < (out.tcp ? tcp_header_min : udp_header)) return Kind::opaque;
  std::size_t header = udp_header;
  bool wanted = merges_.udp;
  if (out.tcp) {
    header = std::size_t{get8(rest, 12)} / 16 * 4;
    out.flags = get8(rest, 13);
    out.sequence = get32(rest, 4);
    wanted = out.ipv6 ? merges_.tcp6 : merges_.tcp4;
    constexpr int ends = TcpFlag::psh | TcpFlag::fin;  // what a last segment may have, too
    wanted = wanted && opens_group(static_cast<std::uint8_t>(out.flags & ~ends));
  } else {
    wanted = wanted && get16(rest, 4) == rest.size() && get16(rest, 6) != 0;
  }
  if (!wanted || header < (out.tcp ? tcp_header_min : udp_header) || header >= rest.size()) {
    return Kind::ineligible;
  }
  out.header_size = static_cast<std::uint16_t>(out.transport + header);
  out.payload = static_cast<std::uint16_t>(rest.size() - header);
  return Kind::eligible;
}

/// Whether a segmenter that starts from the head's headers would make this packet's next.
bool Coalescer::continues(const Group& group, const Segment& segment, Octets head,
                          Octets bytes) const {
  const Segment& first = group.head;
  const std::size_t network = first.network, transport = first.transport;
  if (segment.tcp != first.tcp || segment.ipv6 != first.ipv6 ||
      segment.header_size != first.header_size || segment.payload > first.payload ||
      first.header_size - network + group.payload + segment.payload > frame_max) {
    return false;
  }
  if (!same(head, bytes, 0, network + 2)) return false;  // Ethernet, version, traffic class
  if (segment.ipv6) {
    // Flow label; next header, hop limit and addresses.
    if (!same(head, bytes, network + 2, 2) || !same(head, bytes, network + 6, 34)) return false;
  } else {
    // Fragment field, TTL and protocol; addresses.
    if (static_cast<std::uint16_t>(first.id + group.packets) != segment.id ||
        !same(head, bytes, network + 6, 4) || !same(head, bytes, network + 12, 8)) {
      return false;
    }
  }
  if (!same(head, bytes, transport, 4)) return false;  // ports
  if (!segment.tcp) return group.packets < udp_segments_max;
  constexpr int ends = TcpFlag::psh | TcpFlag::fin;
  // Acknowledgement and data offset; window; urgent pointer and options.
  return first.sequence + group.payload == segment.sequence &&
         (segment.flags & ~ends) == (first.flags & ~TcpFlag::cwr) &&
         same(head, bytes, transport + 8, 5) && same(head, bytes, transport + 14, 2) &&
         same(head, bytes, transport + 18, first.header_size - transport - 18);
}

/// True when packet `i` is now the group's last.
bool Coalescer::extend(std::span<Packet> packets, Group& group, std::size_t i,
                       const Segment& segment) {
  const Octets head = packets[group.first].bytes(), bytes = packets[i].bytes();
  if (!continues(group, segment, head, bytes)) return false;
  const auto proven = [&](Octets frame) {
    return checksums_right(frame, segment.network, segment.transport, segment.ipv6, segment.tcp);
  };
  group.proven = group.proven || proven(head);
  if (!group.proven || !proven(bytes)) return false;
  next_[group.last] = static_cast<std::uint8_t>(i);
  payload_at_[i] = segment.header_size;
  group.last = static_cast<std::uint16_t>(i);
  ++group.packets;
  group.payload += segment.payload;
  return true;
}

Coalescer::Group& Coalescer::begin_group(std::size_t i) {
  Group& group = group_[groups_++];
  group = {};
  group.first = group.last = static_cast<std::uint16_t>(i);
  group.packets = 1;
  return group;
}

void Coalescer::run(std::span<Packet> packets) {
  SENNIT_ASSERT(packets.size() <= batch_max);
  groups_ = 0;
  open_.fill(nobody);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    Segment segment;
    const Octets bytes = std::as_const(packets[i]).bytes();
    const Kind kind = read(bytes, segment);
    if (kind == Kind::opaque) open_.fill(nobody);
    if (kind == Kind::opaque || kind == Kind::other) {
      begin_group(i);
      continue;
    }
    const std::size_t address = segment.network + (segment.ipv6 ? 8u : 12u);
    std::uint8_t& open = open_[slot_of(bytes, address, segment.ipv6 ? 32 : 8, segment.transport)];
    const bool ends = segment.tcp && (segment.flags & (TcpFlag::psh | TcpFlag::fin)) != 0;
    if (kind == Kind::eligible && open != nobody && extend(packets, group_[open], i, segment)) {
      if (ends || segment.payload < group_[open].head.payload) open = nobody;
      continue;
    }
    open = kind == Kind::eligible && !ends ? static_cast<std::uint8_t>(groups_) : nobody;
    Group& group = begin_group(i);
    group.head = segment;
    group.payload = segment.payload;
  }
  gather(packets);
}

/// Makes the head's headers those of the super-packet.
void Coalescer::finish(Group& group, std::span<Packet> packets) {
  const Segment& head = group.head;
  const auto bytes = packets[group.first].bytes();
  const auto ip = bytes.subspan(head.network);
  const auto transport = bytes.subspan(head.transport);
  const std::size_t header = head.header_size - head.transport;
  const auto length = static_cast<std::uint16_t>(header + group.payload);
  if (head.ipv6) {
    put16(ip, 4, length);
  } else {
    put16(ip, 2, ipv4_header_min + length);
    put16(ip, 10, 0);
    put_sum(ip, 10, static_cast<std::uint16_t>(~fold(sum_of(ip.first(ipv4_header_min)))));
  }
  group.virtio.flags = VirtioFlag::needs_checksum;
  group.virtio.hdr_len = head.header_size;
  group.virtio.gso_size = head.payload;
  group.virtio.checksum_start = head.transport;
  group.virtio.checksum_offset = head.tcp ? 16 : 6;
  if (head.tcp) {
    const auto last = std::as_const(packets[group.last]).bytes();
    transport[13] |=
        last[head.transport + std::size_t{13}] & std::byte{TcpFlag::psh | TcpFlag::fin};
    const int type = head.ipv6 ? GsoType::tcp6 : GsoType::tcp4;
    const int ecn = (head.flags & TcpFlag::cwr) != 0 ? GsoType::ecn : 0;
    group.virtio.gso_type = static_cast<std::uint8_t>(type | ecn);
  } else {
    put16(transport, 4, length);
    group.virtio.gso_type = GsoType::udp;
  }
  // The kernel wants the pseudo-header's sum in the field, and adds the rest.
  const std::size_t address = head.ipv6 ? 8 : 12;
  const Sum pseudo = sum_of(ip.subspan(address, head.ipv6 ? 32 : 8)) + word(length) +
                     word(head.tcp ? protocol_tcp : protocol_udp);
  put_sum(transport, group.virtio.checksum_offset, fold(pseudo));
}

void Coalescer::gather(std::span<Packet> packets) {
  std::size_t used = 0;
  for (std::size_t g = 0; g < groups_; ++g) {
    Group& group = group_[g];
    if (group.packets > 1) finish(group, packets);
    group.vector = static_cast<std::uint16_t>(used);
    vectors_[used++] = {&group.virtio, sizeof group.virtio};
    const auto head = packets[group.first].bytes();
    vectors_[used++] = {head.data(), head.size()};
    for (std::size_t i = group.first; i != group.last;) {
      i = next_[i];
      const auto rest = packets[i].bytes().subspan(payload_at_[i]);
      vectors_[used++] = {rest.data(), rest.size()};
    }
  }
}

}  // namespace sennit::offload
