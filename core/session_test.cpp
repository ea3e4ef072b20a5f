#include "core/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace sennit {
namespace {

template <class... Values>
AeadNonce nonce_of(Values... values) {
  return {static_cast<std::byte>(values)...};
}

TEST(Session, a_nonce_is_the_iv_with_path_and_number_as_multipath_quic_computes_it) {
  const AeadIv iv =
      nonce_of(0x6b, 0x26, 0x11, 0x4b, 0x9c, 0xba, 0x2b, 0x63, 0xa9, 0xe8, 0xdd, 0x4f);
  EXPECT_EQ(make_nonce(iv, PathId{3}, PathSeq{54321}),
            nonce_of(0x6b, 0x26, 0x11, 0x48, 0x9c, 0xba, 0x2b, 0x63, 0xa9, 0xe8, 0x09, 0x7e));
}

TEST(Session, no_two_datagrams_of_a_direction_share_a_nonce) {
  std::set<std::pair<std::uint8_t, std::uint64_t>> datagrams;
  std::set<AeadNonce> nonces;
  for (std::uint8_t path = 0; path < paths_max; ++path) {
    for (unsigned bit = 0; bit < 62; ++bit) {
      for (const std::uint64_t offset : {0u, 1u, 255u, 70'000u}) {
        const std::uint64_t number = (std::uint64_t{1} << bit) + offset;
        datagrams.emplace(path, number);
        nonces.insert(make_nonce({}, PathId{path}, PathSeq{number}));
      }
    }
  }
  EXPECT_EQ(nonces.size(), datagrams.size());
}

struct Ends {
  PacketPool pool{16};
  SessionSecret secret{std::byte{1}, std::byte{2}};
  Session a{Role::a, secret}, b{Role::b, secret};

  std::vector<std::byte> plain(std::size_t size) const {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7);
    return bytes;
  }
  Packet sealed(Session& by, PathId path, PathSeq number, std::size_t size) {
    Packet packet = pool.allocate();
    by.seal(path, number, plain(size), packet);
    return packet;
  }
  Packet copy(const Packet& packet) {
    Packet twin = pool.allocate();
    std::ranges::copy(packet.bytes(), twin.append(packet.size()).begin());
    return twin;
  }
};

bool holds(const Packet& packet, const std::vector<std::byte>& bytes) {
  return std::ranges::equal(packet.bytes(), bytes);
}

TEST(Session, the_roles_mirror_each_other) {
  Ends ends;
  EXPECT_EQ(ends.a.local_index(), ends.b.remote_index());
  EXPECT_EQ(ends.b.local_index(), ends.a.remote_index());
  EXPECT_NE(ends.a.local_index(), ends.b.local_index());
  for (const std::size_t size : {0u, 1u, 100u, 1400u}) {
    Packet there = ends.sealed(ends.a, PathId{1}, PathSeq{5}, size);
    ASSERT_TRUE(ends.b.open(PathId{1}, PathSeq{5}, there));
    EXPECT_TRUE(holds(there, ends.plain(size)));
    Packet back = ends.sealed(ends.b, PathId{1}, PathSeq{5}, size);
    ASSERT_TRUE(ends.a.open(PathId{1}, PathSeq{5}, back));
    EXPECT_TRUE(holds(back, ends.plain(size)));
  }
}

TEST(Session, directions_have_keys_of_their_own) {
  Ends ends;
  Packet own = ends.sealed(ends.a, PathId{0}, PathSeq{1}, 64);
  Packet other = ends.sealed(ends.b, PathId{0}, PathSeq{1}, 64);
  EXPECT_FALSE(std::ranges::equal(own.bytes().subspan(wire::header_size),
                                  other.bytes().subspan(wire::header_size)));
  EXPECT_FALSE(ends.a.open(PathId{0}, PathSeq{1}, own)) << "a reflected datagram";
}

TEST(Session, sealing_in_place_makes_the_same_datagram) {
  Ends ends;
  const Packet copied = ends.sealed(ends.a, PathId{2}, PathSeq{9}, 333);
  Packet in_place = ends.pool.allocate();
  std::ranges::copy(ends.plain(333), in_place.append(333).begin());
  ends.a.seal_in_place(PathId{2}, PathSeq{9}, in_place);
  EXPECT_TRUE(std::ranges::equal(copied.bytes(), in_place.bytes()));
}

TEST(Session, the_header_names_path_receiver_and_number) {
  Ends ends;
  const Packet packet = ends.sealed(ends.a, PathId{7}, PathSeq{0x1'2345'6789}, 50);
  EXPECT_EQ(packet.size(), wire::header_size + 50 + wire::tag_size);
  const auto header = wire::read_header(packet.bytes());
  ASSERT_TRUE(header);
  EXPECT_EQ(header->path, 7);
  EXPECT_EQ(header->receiver_index, ends.b.local_index());
  EXPECT_EQ(header->packet_number, 0x23456789u);
}

TEST(Session, a_datagram_with_one_bit_changed_anywhere_is_not_opened) {
  Ends ends;
  const Packet genuine = ends.sealed(ends.a, PathId{1}, PathSeq{77}, 120);
  for (std::size_t bit = 0; bit < 8 * genuine.size(); ++bit) {
    Packet forged = ends.copy(genuine);
    forged.bytes()[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    EXPECT_FALSE(ends.b.open(PathId{1}, PathSeq{77}, forged)) << "bit " << bit;
  }
}

TEST(Session, a_datagram_cut_short_anywhere_is_not_opened) {
  Ends ends;
  const Packet genuine = ends.sealed(ends.a, PathId{1}, PathSeq{77}, 40);
  for (std::size_t size = wire::header_size + wire::tag_size; size < genuine.size(); ++size) {
    Packet cut = ends.copy(genuine);
    cut.resize(size);
    EXPECT_FALSE(ends.b.open(PathId{1}, PathSeq{77}, cut)) << size << " bytes";
  }
}

TEST(Session, another_path_number_or_secret_does_not_open_it) {
  Ends ends;
  const Packet genuine = ends.sealed(ends.a, PathId{1}, PathSeq{77}, 40);
  Session stranger{Role::b, SessionSecret{std::byte{1}, std::byte{3}}};
  Packet first = ends.copy(genuine), second = ends.copy(genuine), third = ends.copy(genuine);
  EXPECT_FALSE(ends.b.open(PathId{2}, PathSeq{77}, first));
  EXPECT_FALSE(ends.b.open(PathId{1}, PathSeq{77 + (std::uint64_t{1} << 32)}, second));
  EXPECT_FALSE(stranger.open(PathId{1}, PathSeq{77}, third));
}

TEST(Session, numbers_beyond_32_bits_open_with_the_number_that_was_meant) {
  Ends ends;
  const PathSeq number{0x3'0000'0001};
  Packet packet = ends.sealed(ends.a, PathId{1}, number, 40);
  const auto header = wire::read_header(packet.bytes());
  const PathSeq meant = PathSeq::expand(header->packet_number, 32, PathSeq{0x2'ffff'fff0});
  EXPECT_EQ(meant, number);
  EXPECT_TRUE(ends.b.open(PathId{1}, meant, packet));
}

}  // namespace
}  // namespace sennit
