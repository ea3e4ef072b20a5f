#include "core/packet.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "core/rng.h"

namespace sennit {
namespace {

Packet packet_of(PacketPool& pool, std::size_t size, unsigned fill) {
  Packet packet = pool.allocate();
  std::memset(packet.append(size).data(), static_cast<int>(fill), size);
  return packet;
}

TEST(Packet, an_empty_pool_answers_with_an_empty_handle) {
  PacketPool pool{2};
  const Packet a = pool.allocate(), b = pool.allocate();
  EXPECT_TRUE(a && b);
  EXPECT_EQ(pool.available(), 0u);
  EXPECT_FALSE(pool.allocate());
}

TEST(Packet, its_slot_returns_when_it_dies_and_is_used_again_first) {
  PacketPool pool{8};
  const std::byte* memory = nullptr;
  {
    const Packet packet = pool.allocate();
    memory = packet.bytes().data();
    EXPECT_EQ(pool.available(), 7u);
  }
  EXPECT_EQ(pool.available(), 8u);
  EXPECT_EQ(pool.allocate().bytes().data(), memory);
}

TEST(Packet, nothing_of_its_last_life_is_left) {
  PacketPool pool{1};
  {
    Packet packet = packet_of(pool, 100, 0xff);
    packet.drop_front(50);
    packet.info().class_id = ClassId{3};
    packet.info().flags = PacketFlag::copy;
  }
  const Packet packet = pool.allocate();
  EXPECT_EQ(packet.size(), 0u);
  EXPECT_EQ(packet.info().class_id, ClassId{});
  EXPECT_EQ(packet.info().flags, 0);
}

TEST(Packet, grows_and_shrinks_at_both_ends_without_moving_the_payload) {
  PacketPool pool{1};
  Packet packet = packet_of(pool, 100, 7);
  const std::byte* payload = packet.bytes().data();
  EXPECT_EQ(packet.prepend(headroom).data() + headroom, payload);
  EXPECT_EQ(packet.append(16).data(), payload + 100);
  EXPECT_EQ(packet.size(), headroom + 100 + 16);
  packet.drop_front(headroom);
  packet.drop_back(16);
  EXPECT_EQ(packet.bytes().data(), payload);
  EXPECT_EQ(packet.size(), 100u);
  for (const std::byte b : packet.bytes()) EXPECT_EQ(b, std::byte{7});
}

TEST(Packet, has_room_for_the_largest_with_headers_and_tag) {
  PacketPool pool{2};
  Packet packet = pool.allocate();
  ASSERT_GE(packet.writable().size(), packet_max);
  std::memset(packet.writable().data(), 1, packet.writable().size());
  packet.resize(packet_max);
  std::memset(packet.append(tailroom).data(), 2, tailroom);
  std::memset(packet.prepend(headroom).data(), 3, headroom);
  EXPECT_EQ(packet.size(), headroom + packet_max + tailroom);
}

TEST(Packet, neighbours_do_not_share_bytes) {
  PacketPool pool{3, 100};
  std::vector<Packet> packets;
  for (unsigned i = 0; i < 3; ++i) {
    packets.push_back(pool.allocate());
    std::memset(packets[i].writable().data(), static_cast<int>(i), packets[i].writable().size());
    packets[i].resize(packets[i].writable().size());
  }
  for (unsigned i = 0; i < 3; ++i) {
    for (const std::byte b : packets[i].bytes()) ASSERT_EQ(b, std::byte(i));
  }
}

TEST(Packet, moves_leave_exactly_one_owner) {
  PacketPool pool{4};
  Packet a = pool.allocate();
  Packet b = std::move(a);
  EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move): what is left is the question
  a = std::move(b);
  EXPECT_TRUE(a);
  EXPECT_EQ(pool.available(), 3u);
  a = Packet{};
  EXPECT_EQ(pool.available(), 4u);
}

/// Out of the optimiser's sight, which would see the leak at compile time.
PacketList list_of(Packet packet) {
  PacketList list;
  list.push_back(std::move(packet));
  return list;
}

using PacketDeathTest = ::testing::Test;

TEST(PacketDeathTest, a_leaked_packet_is_found_when_its_pool_dies) {
  auto pool = std::make_unique<PacketPool>(4);
  const PacketList leaked = list_of(pool->allocate());
  EXPECT_DEATH(pool.reset(), "available_ == slots_");
}

TEST(PacketDeathTest, growing_beyond_either_room_is_our_bug) {
  PacketPool pool{1};
  Packet packet = pool.allocate();
  EXPECT_DEATH(packet.prepend(headroom + 1), "assertion failed");
  EXPECT_DEATH(packet.append(packet_max + tailroom + 64), "assertion failed");
  EXPECT_DEATH(packet.resize(packet_max + tailroom + 64), "assertion failed");
  EXPECT_DEATH(packet.drop_front(1), "assertion failed");
  EXPECT_DEATH(packet.drop_back(1), "assertion failed");
}

// --- lists ---

TEST(PacketList, an_empty_one_pops_empty_handles) {
  PacketList list;
  EXPECT_FALSE(list.pop_front());
  EXPECT_TRUE(list.empty());
}

TEST(PacketList, behaves_like_a_deque) {
  PacketPool pool{64};
  PacketList list;
  std::deque<std::pair<std::uint32_t, std::size_t>> model;  // label, size
  Rng rng{1};
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    const std::size_t size = 1 + rng.below(1500);
    if (rng.chance(0.5) && pool.available() > 0) {
      Packet packet = packet_of(pool, size, 0);
      packet.info().flow_hash = i;
      const bool front = rng.chance(0.3);
      front ? list.push_front(std::move(packet)) : list.push_back(std::move(packet));
      front ? model.emplace_front(i, size) : model.emplace_back(i, size);
    } else if (!model.empty()) {
      ASSERT_EQ(list.front_info().flow_hash, model.front().first);
      ASSERT_EQ(list.front_size(), model.front().second);
      ASSERT_EQ(list.pop_front().info().flow_hash, model.front().first);
      model.pop_front();
    }
    std::size_t bytes = 0;
    for (const auto& entry : model) bytes += entry.second;
    ASSERT_EQ(list.size(), model.size());
    ASSERT_EQ(list.bytes(), bytes_of(bytes));
    ASSERT_EQ(list.empty(), model.empty());
    ASSERT_EQ(pool.available(), 64 - model.size());
  }
}

TEST(PacketList, gives_its_packets_back_when_it_dies_or_is_moved_over) {
  PacketPool pool{4};
  {
    PacketList a, b;
    a.push_back(pool.allocate());
    b.push_back(pool.allocate());
    PacketList c = std::move(a);
    EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(c.size(), 1u);
    c = std::move(b);
    c.push_back(pool.allocate());
    EXPECT_EQ(c.size(), 2u);
  }
  EXPECT_EQ(pool.available(), 4u);
}

TEST(Batch, clearing_gives_packets_back) {
  PacketPool pool{4};
  Batch<Packet, 3> batch;
  while (!batch.full()) batch.push(pool.allocate());
  EXPECT_EQ(batch.size(), 3u);
  EXPECT_EQ(batch.all().size(), 3u);
  batch.clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(pool.available(), 4u);
}

}  // namespace
}  // namespace sennit
