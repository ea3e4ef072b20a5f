#include "real/offload/train_reader.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "real/offload/testing_frames.h"

namespace sennit::offload {
namespace {

using testing::octets;
using testing::Octets;

Octets message_of(std::size_t size, std::uint8_t first) {
  Octets bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(first + i * 11);
  return bytes;
}

/// What recvmsg() does.
void deliver(std::span<const iovec> vectors, const Octets& message) {
  std::size_t at = 0;
  for (const iovec& v : vectors) {
    const std::size_t size = std::min(v.iov_len, message.size() - at);
    std::copy_n(message.begin() + static_cast<std::ptrdiff_t>(at), size,
                static_cast<std::byte*>(v.iov_base));
    at += size;
  }
  ASSERT_EQ(at, message.size());
}

void expect_received(TrainReader& reader, PacketPool& pool, const Octets& message,
                     std::size_t segment) {
  deliver(reader.vectors(pool), message);
  reader.filled(message.size(), segment);
  for (std::size_t at = 0; at < message.size(); at += segment) {
    ASSERT_TRUE(reader.more());
    const auto expected = std::span{message}.subspan(at, std::min(segment, message.size() - at));
    ASSERT_EQ(octets(reader.next(pool)), Octets(expected.begin(), expected.end()));
  }
  EXPECT_FALSE(reader.more());
}

TEST(TrainReader, only_the_first_train_of_a_size_is_copied) {
  PacketPool pool(128);
  TrainReader reader(true);
  for (std::uint8_t i = 0; i < 5; ++i) {
    expect_received(reader, pool, message_of(60000 + 1000 * i, i), 1472);
  }
  EXPECT_EQ(reader.copied(), 41u);
}

TEST(TrainReader, a_single_datagram_of_any_size_is_received_in_place) {
  PacketPool pool(128);
  for (const bool guesses : {true, false}) {
    TrainReader reader(guesses);
    for (const std::size_t size : {1u, 64u, 1472u, 2048u}) {
      expect_received(reader, pool, message_of(size, 3), size);
    }
    EXPECT_EQ(reader.copied(), 0u);
  }
}

TEST(TrainReader, an_empty_datagram_is_a_datagram) {
  PacketPool pool(4);
  TrainReader reader(true);
  deliver(reader.vectors(pool), {});
  reader.filled(0, 0);
  ASSERT_TRUE(reader.more());
  EXPECT_EQ(reader.next(pool).size(), 0u);
  EXPECT_FALSE(reader.more());
}

TEST(TrainReader, any_messages_come_out_as_they_were) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    PacketPool pool(200);
    TrainReader reader(rng.below(2) == 0);
    std::size_t segment = 1400;
    for (int i = 0; i < 20; ++i) {
      if (rng.below(3) == 0) segment = 1 + rng.below(2048);
      std::size_t size = 1 + rng.below(std::min<std::size_t>(65507, 64 * segment));
      if (rng.below(3) == 0) size = 1 + rng.below(segment);
      expect_received(reader, pool, message_of(size, static_cast<std::uint8_t>(i)),
                      std::min(size, segment));
      if (HasFatalFailure()) FAIL() << "seed " << seed;
    }
  }
}

TEST(TrainReader, without_slots_the_message_is_gone_and_the_next_comes) {
  PacketPool pool(2);
  TrainReader reader(true);
  std::vector<Packet> held;
  held.push_back(pool.allocate());
  held.push_back(pool.allocate());
  deliver(reader.vectors(pool), message_of(3000, 1));
  reader.filled(3000, 1000);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(reader.next(pool));
  EXPECT_FALSE(reader.more());
  held.clear();
  expect_received(reader, pool, message_of(500, 2), 500);
}

TEST(TrainReader, a_datagram_larger_than_a_slot_is_gone) {
  PacketPool pool(4);
  TrainReader reader(false);
  deliver(reader.vectors(pool), message_of(5000, 1));
  reader.filled(5000, 5000);
  EXPECT_FALSE(reader.next(pool));
  EXPECT_FALSE(reader.more());
}

}  // namespace
}  // namespace sennit::offload
