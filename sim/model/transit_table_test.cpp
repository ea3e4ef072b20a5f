#include "sim/model/transit_table.h"

#include <array>

#include <gtest/gtest.h>

namespace sennit {
namespace {

constexpr std::uint16_t port = 10001;

/// An IPv4 packet of TCP to `port` with some data; `number` tells it from others.
std::array<std::byte, 60> tcp_packet(std::uint16_t number, std::uint16_t to = port) {
  std::array<std::byte, 60> p{};
  p[0] = std::byte{0x45};
  p[4] = static_cast<std::byte>(number >> 8);
  p[5] = static_cast<std::byte>(number & 255);
  p[9] = std::byte{6};
  p[22] = static_cast<std::byte>(to >> 8);
  p[23] = static_cast<std::byte>(to & 255);
  p[32] = std::byte{0x50};
  return p;
}

struct TransitTableTest : ::testing::Test {
  TransitTableTest() { table.watch(port, 3); }
  TransitTable table;
};

TEST_F(TransitTableTest, a_packet_is_recognised_once_with_its_flow_and_entry) {
  table.enter(tcp_packet(1), Instant{} + 5ms);
  const auto transit = table.leave(tcp_packet(1));
  ASSERT_TRUE(transit);
  EXPECT_EQ(transit->flow, 3u);
  EXPECT_EQ(transit->entered, Instant{} + 5ms);
  EXPECT_FALSE(table.leave(tcp_packet(1)));
}

TEST_F(TransitTableTest, a_congestion_mark_on_the_way_does_not_hide_a_packet) {
  table.enter(tcp_packet(1), Instant{});
  auto marked = tcp_packet(1);
  marked[1] = std::byte{3};
  marked[10] = std::byte{0xab};
  EXPECT_TRUE(table.leave(marked));
}

TEST_F(TransitTableTest, other_ports_and_packets_without_data_are_ignored) {
  table.enter(tcp_packet(1, port + 1), Instant{});
  EXPECT_FALSE(table.leave(tcp_packet(1, port + 1)));
  const auto whole = tcp_packet(2);
  const auto headers = std::span{whole}.first(40);
  table.enter(headers, Instant{});
  EXPECT_FALSE(table.leave(headers));
}

TEST_F(TransitTableTest, anything_but_tcp_is_ignored_however_short) {
  auto udp = tcp_packet(1);
  udp[9] = std::byte{17};
  for (std::size_t size = 0; size <= udp.size(); ++size) {
    table.enter(std::span{udp}.first(size), Instant{});
    EXPECT_FALSE(table.leave(std::span{udp}.first(size)));
  }
}

TEST_F(TransitTableTest, packets_that_never_leave_make_room_for_newer_ones) {
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 60000; ++i) {
      table.enter(tcp_packet(static_cast<std::uint16_t>(i)), Instant{} + i * 1us + round * 1s);
    }
  }
  table.enter(tcp_packet(65000), Instant{} + 9s);
  EXPECT_TRUE(table.leave(tcp_packet(65000)));
}

}  // namespace
}  // namespace sennit
