#include "core/inner_packet.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "core/inner_packet_samples.h"
#include "core/rng.h"

namespace sennit {
namespace {

using Octets = std::vector<std::byte>;

TEST(InnerPacket, ipv4_gives_its_five_tuple_and_traffic_class) {
  const auto header = parse_inner(samples::ipv4({.dscp = 46, .ecn = Ecn::ect0}));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->version, 4);
  EXPECT_EQ(header->protocol, 17);
  EXPECT_EQ(header->dscp, 46);
  EXPECT_EQ(header->ecn, Ecn::ect0);
  EXPECT_EQ(header->source_port, 1000);
  EXPECT_EQ(header->destination_port, 2000);
  const std::array<std::uint8_t, 16> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};
  EXPECT_EQ(header->source, mapped);
}

TEST(InnerPacket, ipv6_gives_its_five_tuple_and_traffic_class) {
  const auto header = parse_inner(samples::ipv6({.protocol = 6, .dscp = 34, .ecn = Ecn::ce}));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->version, 6);
  EXPECT_EQ(header->protocol, 6);
  EXPECT_EQ(header->dscp, 34);
  EXPECT_EQ(header->ecn, Ecn::ce);
  EXPECT_EQ(header->source_port, 1000);
  EXPECT_EQ(header->source[0], 0x20);
  EXPECT_EQ(header->destination[15], 2);
}

TEST(InnerPacket, ipv6_extension_headers_are_skipped) {
  const std::vector<std::uint8_t> hop_by_hop_then_options{60, 0, 0, 0, 0, 0, 0, 0,  // 8 bytes
                                                          17, 1, 0, 0, 0, 0, 0, 0,  // 16 bytes
                                                          0,  0, 0, 0, 0, 0, 0, 0};
  const auto header = parse_inner(samples::ipv6({}, 0, hop_by_hop_then_options));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->protocol, 17);
  EXPECT_EQ(header->destination_port, 2000);
}

TEST(InnerPacket, a_chain_of_extension_headers_ends_somewhere) {
  std::vector<std::uint8_t> chain(20 * 8, 0);  // each says: another hop-by-hop header follows
  const auto header = parse_inner(samples::ipv6({.size = 300}, 0, chain));
  ASSERT_TRUE(header);
  EXPECT_FALSE(header->has_ports);
}

TEST(InnerPacket, an_extension_header_that_is_cut_short_is_refused) {
  const std::vector<std::uint8_t> too_long{17, 200, 0, 0, 0, 0, 0, 0};
  EXPECT_FALSE(parse_inner(samples::ipv6({}, 0, too_long)));
}

TEST(InnerPacket, a_later_fragment_has_no_ports) {
  Octets first = samples::ipv4({}), later = first;
  first[6] = std::byte{0x20};  // more fragments
  later[7] = std::byte{0x10};  // offset 128
  EXPECT_TRUE(parse_inner(first)->has_ports);
  EXPECT_FALSE(parse_inner(later)->has_ports);
  EXPECT_TRUE(parse_inner(later)->fragment);
  const std::vector<std::uint8_t> later6{17, 0, 0x10, 0, 0, 0, 0, 1},
      first6{17, 0, 0, 1, 0, 0, 0, 1};
  EXPECT_TRUE(parse_inner(samples::ipv6({}, 44, first6))->has_ports);
  EXPECT_FALSE(parse_inner(samples::ipv6({}, 44, later6))->has_ports);
}

TEST(InnerPacket, all_fragments_of_a_packet_hash_alike) {
  Octets first = samples::ipv4({}), later = first;
  first[6] = std::byte{0x20};
  later[7] = std::byte{0x10};
  EXPECT_EQ(flow_hash(*parse_inner(first), 7), flow_hash(*parse_inner(later), 7));
  EXPECT_NE(flow_hash(*parse_inner(first), 7), flow_hash(*parse_inner(samples::ipv4({})), 7));
}

TEST(InnerPacket, lengths_that_contradict_are_refused) {
  const Octets whole = samples::ipv4({});
  for (const std::size_t size : {0u, 1u, 19u}) {
    EXPECT_FALSE(parse_inner(std::span{whole}.first(size))) << size;
  }
  Octets longer = samples::ipv4({});
  samples::put16(longer, 2, 101);  // of 100 bytes
  EXPECT_FALSE(parse_inner(longer));
  Octets shorter = samples::ipv4({});
  samples::put16(shorter, 2, 19);  // less than its own header
  EXPECT_FALSE(parse_inner(shorter));
  Octets options = samples::ipv4({.size = 40});
  options[0] = std::byte{0x4f};  // 60 bytes of header
  EXPECT_FALSE(parse_inner(options));
  Octets six = samples::ipv6({});
  samples::put16(six, 4, 61);  // of 60
  EXPECT_FALSE(parse_inner(six));
  Octets strange = samples::ipv4({});
  strange[0] = std::byte{0x55};
  EXPECT_FALSE(parse_inner(strange));
}

TEST(InnerPacket, padding_behind_the_packet_is_no_error) {
  Octets padded = samples::ipv4({.size = 30});
  padded.resize(46);
  EXPECT_TRUE(parse_inner(padded));
}

TEST(InnerPacket, flow_hash_tells_flows_apart_and_spreads_them) {
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    std::map<std::uint32_t, int> buckets;
    for (std::uint16_t port = 0; port < 10240; ++port) {
      const auto header = parse_inner(samples::ipv4({.source_port = port}));
      ++buckets[flow_hash(*header, seed) % 1024];
    }
    EXPECT_GT(buckets.size(), 1020u) << seed;  // 1024 (1 - e^-10) = 1023.95 expected
    for (const auto& [bucket, n] : buckets) EXPECT_LT(n, 30) << seed;
    std::map<std::uint32_t, int> hosts;
    for (std::uint32_t host = 0; host < 10240; ++host) {
      ++hosts[flow_hash(*parse_inner(samples::ipv6({.destination = host})), seed) % 1024];
    }
    EXPECT_GT(hosts.size(), 1020u) << seed;
  }
}

TEST(InnerPacket, flow_hash_depends_on_the_seed) {
  const auto header = parse_inner(samples::ipv4({}));
  EXPECT_NE(flow_hash(*header, 1), flow_hash(*header, 2));
}

TEST(InnerPacket, marking_sets_ce_and_keeps_the_checksum_right) {
  Rng rng{20};
  for (int i = 0; i < 10000; ++i) {
    samples::Udp udp;
    udp.source = static_cast<std::uint32_t>(rng.next());
    udp.destination = static_cast<std::uint32_t>(rng.next());
    udp.dscp = static_cast<std::uint8_t>(rng.below(64));
    udp.ecn = static_cast<Ecn>(1 + rng.below(3));
    Octets four = samples::ipv4(udp), six = samples::ipv6(udp);
    ASSERT_TRUE(set_ce(four) && set_ce(six));
    EXPECT_EQ(samples::ipv4_checksum(four), 0) << "draw " << i;
    for (const Octets& marked : {four, six}) {
      EXPECT_EQ(parse_inner(marked)->ecn, Ecn::ce);
      EXPECT_EQ(parse_inner(marked)->dscp, udp.dscp);
    }
  }
}

TEST(InnerPacket, a_sender_without_ecn_is_not_marked) {
  for (Octets packet : {samples::ipv4({}), samples::ipv6({})}) {
    const Octets before = packet;
    EXPECT_FALSE(set_ce(packet));
    EXPECT_EQ(packet, before);
  }
}

/// Exactly `size` bytes on the heap, so that AddressSanitizer sees every read beyond them.
void parse_exactly(std::span<const std::byte> bytes) {
  const auto copy = std::make_unique<std::byte[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  const std::span<std::byte> exact{copy.get(), bytes.size()};
  if (const auto header = parse_inner(exact)) {
    EXPECT_LT(header->dscp, 64);
    EXPECT_FALSE(header->has_ports && header->version != 4 && header->version != 6);
    set_ce(exact);
  }
}

TEST(InnerPacket, no_bytes_make_it_read_beyond_the_end) {
  Rng rng{42};
  for (int i = 0; i < 200000; ++i) {
    Octets bytes(rng.below(120));
    for (auto& b : bytes) b = static_cast<std::byte>(rng.next() & 0xff);
    if (!bytes.empty() && rng.chance(0.9)) {
      bytes[0] = rng.chance(0.5) ? std::byte{0x45} : std::byte{0x60};
    }
    if (bytes.size() > 7 && rng.chance(0.9)) {  // plausible enough to get far
      samples::put16(bytes, 2, static_cast<unsigned>(rng.below(bytes.size() + 2)));
      samples::put16(bytes, 4, static_cast<unsigned>(rng.below(bytes.size() + 2)));
      constexpr std::uint8_t kinds[] = {0, 43, 44, 51, 60, 6, 17};
      bytes[6] = std::byte{kinds[rng.below(7)]};
      if (bytes.size() > 40) bytes[40] = std::byte{kinds[rng.below(7)]};
      if (bytes.size() > 41) bytes[41] = std::byte{static_cast<std::uint8_t>(rng.below(4))};
    }
    parse_exactly(bytes);
  }
}

TEST(InnerPacket, every_truncation_is_safe) {
  const std::vector<std::uint8_t> extensions{60, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0};
  for (const Octets& packet : {samples::ipv4({}), samples::ipv6({}, 0, extensions)}) {
    for (std::size_t n = 0; n <= packet.size(); ++n) {
      Octets cut{packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(n)};
      parse_exactly(cut);
      if (n < 42) continue;
      samples::put16(cut, cut[0] == std::byte{0x45} ? 2 : 4,
                     static_cast<unsigned>(cut[0] == std::byte{0x45} ? n : n - 40));
      parse_exactly(cut);  // now with a length that claims to be right
    }
  }
}

}  // namespace
}  // namespace sennit
