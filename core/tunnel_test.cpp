// What a tunnel is for, in its simplest form: what goes in at one end comes out at the other.
#include <gtest/gtest.h>

#include "core/testing/pair.h"

namespace sennit {
namespace {

TEST(Tunnel, a_packet_crosses_and_comes_out_intact) {
  Pair pair({symmetric(10, 20ms)});
  pair.at(pair.now() + 1s, [&] { pair.send(Pair::a, 1); });  // capacities are known by then
  pair.run(1100ms);
  ASSERT_EQ(pair.delivered(Pair::b).size(), 1u);
  const Delivery& d = pair.delivered(Pair::b).front();
  EXPECT_TRUE(d.intact);
  EXPECT_EQ(d.size, 1200u);
  EXPECT_LT(d.at - d.sent, 22ms);  // 20 ms of delay and 1 ms on the wire
  EXPECT_TRUE(pair.delivered(Pair::a).empty());
}

TEST(Tunnel, what_is_sent_before_the_first_answer_waits_for_it) {
  Pair pair({symmetric(10, 20ms)});
  pair.send(Pair::a, 1);
  pair.run(100ms);
  EXPECT_EQ(count_of(pair.delivered(Pair::b), 1), 1u);
}

TEST(Tunnel, packets_of_every_size_cross_in_both_directions) {
  Pair pair({symmetric(50, 5ms), symmetric(50, 8ms)});
  const std::size_t largest = pair.tunnel(Pair::a).inner_mtu();
  pair.run(100ms);
  for (std::size_t size = 48; size <= largest; size += 7) {
    pair.send(Pair::a, 1, size, dscp_interactive);
    pair.send(Pair::b, 2, size);
    pair.run(1ms);
  }
  pair.run(100ms);
  EXPECT_EQ(count_of(pair.delivered(Pair::b), 1), pair.sent(Pair::a, 1));
  EXPECT_EQ(count_of(pair.delivered(Pair::a), 2), pair.sent(Pair::b, 2));
  EXPECT_TRUE(all_intact(pair.delivered(Pair::b)) && all_intact(pair.delivered(Pair::a)));
}

TEST(Tunnel, a_packet_that_no_path_can_carry_is_dropped_with_its_reason) {
  Pair pair({symmetric(10, 5ms)});
  pair.run(50ms);
  pair.send(Pair::a, 1, pair.tunnel(Pair::a).inner_mtu());
  pair.send(Pair::a, 1, pair.tunnel(Pair::a).inner_mtu() + 1u);
  pair.run(50ms);
  EXPECT_EQ(count_of(pair.delivered(Pair::b), 1), 1u);
  EXPECT_EQ(pair.drops(Pair::a, Drop::too_big), 1u);
}

TEST(Tunnel, small_packets_of_one_moment_share_datagrams) {
  Pair pair({symmetric(50, 5ms)});
  pair.run(1s);
  const std::uint64_t before = pair.metrics(Pair::a).paths[0].sent_packets;
  for (int i = 0; i < 40; ++i) pair.send(Pair::a, 1, 80);
  pair.run(50ms);
  EXPECT_EQ(count_of(pair.delivered(Pair::b), 1), 40u);
  EXPECT_EQ(out_of_order(pair.delivered(Pair::b), 1), 0u);
  EXPECT_LT(pair.metrics(Pair::a).paths[0].sent_packets - before, 30u);
}

// Reports come back on the faster link, so the slower one's round trip is its delay and the
// other's.
TEST(Tunnel, delays_are_measured_as_the_links_have_them) {
  Pair pair({symmetric(50, 15ms), symmetric(50, 40ms)});
  pair.run(1s);  // the start-up leaves a queue behind
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(5), 2s);
  pair.run(2s);
  const Metrics metrics = pair.metrics(Pair::a);
  EXPECT_NEAR(to_seconds(Duration{metrics.paths[0].rtt_min_ns}), 0.030, 0.003);
  EXPECT_NEAR(to_seconds(Duration{metrics.paths[1].rtt_min_ns}), 0.055, 0.003);
  const Duration apart{metrics.paths[1].one_way_ns - metrics.paths[0].one_way_ns};
  EXPECT_NEAR(to_seconds(apart), 0.025, 0.002);
}

TEST(Tunnel, an_idle_tunnel_wakes_seldom_and_says_little) {
  Pair pair({symmetric(50, 15ms), symmetric(50, 40ms)});
  pair.run(2s);  // capacities are known by then
  const std::uint64_t before = pair.metrics(Pair::a).paths[0].sent_bytes;
  pair.wakes = {};
  pair.run(10s);
  std::uint64_t wakes = 0;
  for (const std::uint64_t n : pair.wakes) wakes += n;
  EXPECT_LT(wakes, 2000u);  // two ends and two paths: 50 a second each
  const double bits = 8.0 * static_cast<double>(pair.metrics(Pair::a).paths[0].sent_bytes - before);
  EXPECT_LT(bits / 10, 50e3);
}

}  // namespace
}  // namespace sennit
