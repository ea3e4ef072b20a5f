#include "real/offload/split.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "real/offload/testing_frames.h"

namespace sennit::offload {
namespace {

using namespace testing;

struct Split {
  PacketPool pool{128};
  std::vector<Octets> packets;

  Split(const Shape& shape, std::uint16_t gso_size) : Split(shape, virtio_of(shape, gso_size)) {}
  Split(const Shape& shape, const VirtioHeader& virtio) {
    const Octets frame = frame_of(shape, true);
    Splitter splitter(shape.ethernet > 0 ? Layer::ethernet : Layer::ip);
    if (!splitter.begin(virtio, frame)) return;
    while (splitter.more()) packets.push_back(octets(splitter.next(pool)));
  }
};

/// What a sender without offload would have sent.
std::vector<Octets> expected(const Shape& super, std::size_t gso_size) {
  std::vector<Octets> packets;
  for (std::size_t at = 0; at < super.payload; at += gso_size) {
    Shape s = super;
    s.payload = std::min(gso_size, super.payload - at);
    s.id = static_cast<std::uint16_t>(super.id + packets.size());
    s.sequence = static_cast<std::uint32_t>(super.sequence + at);
    s.fill = static_cast<std::uint8_t>(super.fill + at * 7);
    if (at > 0) s.extra_flags &= static_cast<std::uint8_t>(~TcpFlag::cwr);
    if (at + gso_size < super.payload) {
      s.extra_flags &= static_cast<std::uint8_t>(~(TcpFlag::psh | TcpFlag::fin));
    }
    packets.push_back(frame_of(s));
  }
  return packets;
}

TEST(Split, any_super_packet_gives_what_a_sender_without_offload_would_have_sent) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Rng rng(seed);
    Shape s;
    s.ipv6 = rng.below(2) == 0;
    s.tcp = rng.below(2) == 0;
    s.ethernet = std::array<std::size_t, 3>{0, 14, 18}[rng.below(3)];
    s.options = 4 * rng.below(11);
    s.ip_options = s.ipv6 ? 0 : 4 * rng.below(4);
    s.extra_flags = static_cast<std::uint8_t>(rng.below(256)) & ~TcpFlag::syn;
    s.sequence = static_cast<std::uint32_t>(0u - rng.below(40000));  // wraps on the way
    s.id = static_cast<std::uint16_t>(0u - rng.below(30));
    s.fill = static_cast<std::uint8_t>(rng.below(256));
    const auto gso_size = static_cast<std::uint16_t>(1 + rng.below(1400));
    s.payload = 1 + rng.below(std::min<std::size_t>(65000, std::size_t{gso_size} * 100));
    EXPECT_EQ(Split(s, gso_size).packets, expected(s, gso_size)) << "seed " << seed;
  }
}

TEST(Split, push_and_fin_come_last_and_cwr_first) {
  Shape s;
  s.extra_flags = TcpFlag::psh | TcpFlag::fin | TcpFlag::cwr | TcpFlag::ece;
  s.payload = 2500;
  VirtioHeader virtio = virtio_of(s, 1000);
  virtio.gso_type |= GsoType::ecn;
  const Split split(s, virtio);
  ASSERT_EQ(split.packets.size(), 3u);
  const auto flags = [&](std::size_t i) { return get8(split.packets[i], 33); };
  EXPECT_EQ(flags(0), TcpFlag::ack | TcpFlag::ece | TcpFlag::cwr);
  EXPECT_EQ(flags(1), TcpFlag::ack | TcpFlag::ece);
  EXPECT_EQ(flags(2), TcpFlag::ack | TcpFlag::ece | TcpFlag::psh | TcpFlag::fin);
}

TEST(Split, a_packet_that_only_lacks_its_checksum_gets_it) {
  for (const bool tcp : {true, false}) {
    Shape s;
    s.tcp = tcp;
    VirtioHeader virtio = virtio_of(s, 0);
    virtio.gso_type = GsoType::none;
    const Split split(s, virtio);
    ASSERT_EQ(split.packets.size(), 1u);
    EXPECT_EQ(split.packets[0], frame_of(s));
  }
}

TEST(Split, a_packet_without_marks_passes_as_it_is) {
  const Shape s;
  EXPECT_EQ(Split(s, VirtioHeader{}).packets, std::vector<Octets>{frame_of(s, true)});
}

TEST(Split, a_udp_checksum_of_zero_is_sent_as_ones) {
  Shape s;
  s.tcp = false;
  s.payload = 4;
  Octets frame = frame_of(s, true);
  // Chosen so that the sum over everything is all ones, and its complement zero.
  Octets full = frame_of(s);
  const std::size_t payload = header_size(s);
  const std::uint32_t raise = get16(full, payload - 2) + get16(frame, payload);
  put16(frame, payload, (raise & 0xffff) + (raise >> 16));
  PacketPool pool(1);
  Splitter splitter(Layer::ip);
  VirtioHeader virtio = virtio_of(s, 0);
  virtio.gso_type = GsoType::none;
  ASSERT_TRUE(splitter.begin(virtio, frame));
  const Packet packet = splitter.next(pool);
  EXPECT_EQ(get16(packet.bytes(), payload - 2), 0xffff);
}

TEST(Split, waits_where_it_was_while_the_pool_is_empty) {
  Shape s;
  s.payload = 3000;
  const Octets frame = frame_of(s, true);
  PacketPool pool(2);
  Splitter splitter(Layer::ip);
  ASSERT_TRUE(splitter.begin(virtio_of(s, 1000), frame));
  std::vector<Packet> held;
  held.push_back(splitter.next(pool));
  held.push_back(splitter.next(pool));
  EXPECT_FALSE(splitter.next(pool));
  held.clear();
  EXPECT_EQ(octets(splitter.next(pool)), expected(s, 1000)[2]);
  EXPECT_FALSE(splitter.more());
}

TEST(Split, refuses_headers_that_contradict_each_other) {
  const auto refused = [](auto change) {
    Shape s;
    VirtioHeader virtio = virtio_of(s, 500);
    Octets frame = frame_of(s, true);
    change(virtio, frame);
    return !Splitter(Layer::ip).begin(virtio, frame);
  };
  EXPECT_FALSE(refused([](VirtioHeader&, Octets&) {}));
  EXPECT_TRUE(refused([](VirtioHeader& v, Octets&) { v.gso_size = 0; }));
  EXPECT_TRUE(refused([](VirtioHeader& v, Octets&) { v.gso_type = GsoType::tcp6; }));
  EXPECT_TRUE(refused([](VirtioHeader& v, Octets&) { v.gso_type = GsoType::udp; }));
  EXPECT_TRUE(refused([](VirtioHeader& v, Octets&) { v.gso_type = 3; }));
  EXPECT_TRUE(refused([](VirtioHeader& v, Octets&) { v.flags = 0; }));
  EXPECT_TRUE(refused([](VirtioHeader& v, Octets&) { v.checksum_start = 60000; }));
  EXPECT_TRUE(refused([](VirtioHeader& v, Octets&) { v.checksum_start = 24; }));
  EXPECT_TRUE(refused([](VirtioHeader& v, Octets&) { v.checksum_offset = 10; }));
  EXPECT_TRUE(refused([](VirtioHeader&, Octets& f) { f[32] = std::byte{0x40}; }));
  EXPECT_TRUE(refused([](VirtioHeader&, Octets& f) { f[32] = std::byte{0xf0}, f.resize(75); }));
  EXPECT_TRUE(refused([](VirtioHeader&, Octets& f) { f.resize(52); }));
  EXPECT_TRUE(refused([](VirtioHeader&, Octets& f) { f.clear(); }));
}

TEST(Split, survives_any_bytes) {
  PacketPool pool(64);
  for (std::uint64_t seed = 0; seed < 20000; ++seed) {
    Rng rng(seed);
    Shape s;
    s.ipv6 = rng.below(2) == 0;
    s.tcp = rng.below(2) == 0;
    s.ethernet = rng.below(2) * 14;
    s.payload = rng.below(200);
    Octets frame = frame_of(s, true);
    VirtioHeader virtio = virtio_of(s, static_cast<std::uint16_t>(1 + rng.below(100)));
    Octets raw(sizeof virtio);
    std::memcpy(raw.data(), &virtio, sizeof virtio);
    for (std::uint64_t n = rng.below(4); n > 0; --n) {
      raw[rng.below(raw.size())] = static_cast<std::byte>(rng.below(256));
    }
    for (std::uint64_t n = rng.below(4); n > 0; --n) {
      frame[rng.below(80) % frame.size()] = static_cast<std::byte>(rng.below(256));
    }
    frame.resize(rng.below(frame.size() + 1));
    std::memcpy(&virtio, raw.data(), sizeof virtio);
    const Octets exact(frame);  // so that AddressSanitizer sees its end
    Splitter splitter(s.ethernet > 0 ? Layer::ethernet : Layer::ip);
    if (!splitter.begin(virtio, exact)) continue;
    std::size_t total = 0;
    while (splitter.more()) total += splitter.next(pool).size();
    EXPECT_GE(total, exact.size()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace sennit::offload
