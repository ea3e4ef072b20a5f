#include "real/offload/frame_reader.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "real/offload/testing_frames.h"

namespace sennit::offload {
namespace {

using namespace testing;

/// What readv() on a TUN does; what does not fit is cut off.
std::size_t deliver(std::span<const iovec> vectors, const VirtioHeader& virtio,
                    std::span<const std::byte> frame) {
  Octets all(sizeof virtio + frame.size());
  std::memcpy(all.data(), &virtio, sizeof virtio);
  std::memcpy(all.data() + sizeof virtio, frame.data(), frame.size());
  std::size_t at = 0;
  for (const iovec& v : vectors) {
    const std::size_t size = std::min(v.iov_len, all.size() - at);
    std::memcpy(v.iov_base, all.data() + at, size);
    at += size;
  }
  return at;
}

std::vector<Octets> read(FrameReader& reader, PacketPool& pool, const VirtioHeader& virtio,
                         std::span<const std::byte> frame) {
  std::vector<Octets> packets;
  const auto vectors = reader.vectors(pool);
  EXPECT_FALSE(vectors.empty());
  if (!reader.filled(deliver(vectors, virtio, frame))) return packets;
  while (reader.more()) packets.push_back(octets(reader.next(pool)));
  return packets;
}

std::vector<Octets> split(Layer layer, PacketPool& pool, const VirtioHeader& virtio,
                          std::span<const std::byte> frame) {
  std::vector<Octets> packets;
  Splitter splitter(layer);
  if (!splitter.begin(virtio, frame)) return packets;
  while (splitter.more()) packets.push_back(octets(splitter.next(pool)));
  return packets;
}

TEST(FrameReader, frames_like_the_last_are_read_in_place) {
  PacketPool pool(128);
  FrameReader reader(Layer::ip, true);
  Shape s;
  s.payload = 60000;
  for (int i = 0; i < 5; ++i) {
    s.payload -= 777;
    s.sequence += 7;
    const Octets frame = frame_of(s, true);
    EXPECT_EQ(read(reader, pool, virtio_of(s, 1300), frame),
              split(Layer::ip, pool, virtio_of(s, 1300), frame));
  }
  EXPECT_EQ(reader.frames_moved(), 1u);
  EXPECT_EQ(reader.frames_in_place(), 4u);
}

TEST(FrameReader, small_packets_between_do_not_spoil_the_guess) {
  PacketPool pool(128);
  FrameReader reader(Layer::ip, true);
  Shape super, small;
  super.payload = 50000;
  small.payload = 0;
  for (int i = 0; i < 4; ++i) {
    read(reader, pool, virtio_of(super, 1400), frame_of(super, true));
    const auto packets = read(reader, pool, VirtioHeader{}, frame_of(small));
    EXPECT_EQ(packets, std::vector<Octets>{frame_of(small)});
  }
  EXPECT_EQ(reader.frames_moved(), 1u);
  EXPECT_EQ(reader.frames_in_place(), 3u);
}

TEST(FrameReader, whatever_comes_gives_what_the_splitter_gives) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    PacketPool pool(300);
    const Layer layer = rng.below(3) == 0 ? Layer::ethernet : Layer::ip;
    FrameReader reader(layer, true);
    Shape s;
    auto gso_size = std::uint16_t{1400};
    for (int frame_number = 0; frame_number < 20; ++frame_number) {
      s.ethernet = layer == Layer::ethernet ? 14 : 0;
      if (rng.below(4) == 0) {
        s.tcp = rng.below(3) != 0;
        s.ipv6 = rng.below(2) == 0;
        s.options = 4 * rng.below(11);
        gso_size = static_cast<std::uint16_t>(1 + rng.below(1900));
      }
      s.payload = 1 + rng.below(std::min<std::size_t>(65535 - 120, 200u * gso_size));
      VirtioHeader virtio = virtio_of(s, gso_size);
      if (rng.below(4) == 0) {
        virtio.gso_type = GsoType::none;
        s.payload = rng.below(1900);
      }
      const Octets frame = frame_of(s, true);
      ASSERT_EQ(read(reader, pool, virtio, frame), split(layer, pool, virtio, frame))
          << "seed " << seed << ", frame " << frame_number;
    }
  }
}

TEST(FrameReader, reads_nothing_while_the_pool_is_short) {
  PacketPool pool(60);
  FrameReader reader(Layer::ip, true);
  Shape s;
  s.payload = 50000;
  read(reader, pool, virtio_of(s, 1400), frame_of(s, true));
  std::vector<Packet> held;
  while (pool.available() > 20) held.push_back(pool.allocate());
  EXPECT_TRUE(reader.vectors(pool).empty());
  held.clear();
  EXPECT_FALSE(reader.vectors(pool).empty());
}

TEST(FrameReader, without_virtio_headers_a_frame_is_a_packet) {
  PacketPool pool(4);
  FrameReader reader(Layer::ip, false);
  const Octets frame = frame_of(Shape{});
  const auto vectors = reader.vectors(pool);
  std::memcpy(vectors[0].iov_base, frame.data(), frame.size());
  ASSERT_TRUE(reader.filled(frame.size()));
  EXPECT_EQ(octets(reader.next(pool)), frame);
  EXPECT_FALSE(reader.more());
}

}  // namespace
}  // namespace sennit::offload
