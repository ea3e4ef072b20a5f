// Links die in every way that they can, and come back. No inner packet is lost that another link
// could carry, and nobody waits for long.
#include <gtest/gtest.h>

#include "core/testing/pair.h"

namespace sennit {
namespace {

const std::vector<PairLink> two_links{symmetric(50, 10ms), symmetric(40, 25ms)};
constexpr std::uint16_t stream = 1;

/// A constant 20 Mbit/s from `from`, which the first and faster link carries until it breaks at 2
/// s.
void stream_through_fault(Pair& pair, Pair::End from, const std::function<void()>& fault) {
  pair.send_stream(from, stream, BitRate::from_mbps(20), 4s);
  pair.at(Instant{2s}, fault);
  pair.run(5s);
}

/// Of what was sent once the links' rates were known.
std::uint64_t lost(const Pair& pair, Pair::End from) {
  return pair.missing(from, stream, Instant{1s});
}

TEST(Failover, black_holing_the_faster_link_loses_no_packet) {
  Pair pair(two_links);
  stream_through_fault(pair, Pair::a, [&] { pair.set_state(0, LinkState::blackhole); });
  EXPECT_EQ(lost(pair, Pair::a), 0u);
  EXPECT_LT(longest_gap(pair.delivered(Pair::b), stream), 150ms);
  EXPECT_EQ(out_of_order(pair.delivered(Pair::b), stream), 0u);
  EXPECT_NE(pair.state(Pair::a, 0), PathState::up);
}

TEST(Failover, the_other_direction_fails_over_as_fast) {
  Pair pair(two_links);
  stream_through_fault(pair, Pair::b, [&] { pair.set_state(0, LinkState::blackhole); });
  EXPECT_EQ(lost(pair, Pair::b), 0u);
  EXPECT_LT(longest_gap(pair.delivered(Pair::a), stream), 150ms);
}

TEST(Failover, black_holing_the_slower_link_is_hardly_noticed) {
  Pair pair(two_links);
  stream_through_fault(pair, Pair::a, [&] { pair.set_state(1, LinkState::blackhole); });
  EXPECT_EQ(lost(pair, Pair::a), 0u);
  EXPECT_LT(longest_gap(pair.delivered(Pair::b), stream), 20ms);
}

TEST(Failover, a_link_that_dies_in_one_direction_only_loses_no_packet) {
  for (const Pair::End dead : {Pair::a, Pair::b}) {
    Pair pair(two_links);
    stream_through_fault(pair, Pair::a, [&] {
      LinkModel& link = pair.link(0, dead);
      LinkConfig config = link.config();
      config.state = LinkState::blackhole;
      link.configure(pair.now(), config);
    });
    EXPECT_EQ(lost(pair, Pair::a), 0u) << "from end " << dead;
    EXPECT_LT(longest_gap(pair.delivered(Pair::b), stream), 150ms) << "from end " << dead;
  }
}

TEST(Failover, carrier_down_acts_at_once) {
  Pair pair(two_links);
  stream_through_fault(pair, Pair::a, [&] {
    pair.set_carrier(0, false);
    EXPECT_EQ(pair.state(Pair::a, 0), PathState::down);
  });
  EXPECT_EQ(lost(pair, Pair::a), 0u);
  // What was on the way goes again over the other link, with its delay and its queue.
  EXPECT_LT(longest_gap(pair.delivered(Pair::b), stream), 60ms);
}

TEST(Failover, a_class_that_duplicates_has_no_gap) {
  TunnelConfig config;
  config.classes[0].duplicate = true;
  Pair pair(two_links, config);
  pair.send_stream(Pair::a, 2, BitRate::from_mbps(2), 4s, 200, dscp_realtime);
  stream_through_fault(pair, Pair::a, [&] { pair.set_state(0, LinkState::blackhole); });
  EXPECT_LE(longest_gap(pair.delivered(Pair::b), 2), 25ms);
  EXPECT_EQ(pair.missing(Pair::a, 2, Instant{1s}), 0u);
  EXPECT_EQ(repeated(pair.delivered(Pair::b), 2), 0u);
}

TEST(Failover, a_link_that_comes_back_is_used_again_within_two_seconds) {
  Pair pair(two_links);
  pair.send_stream(Pair::a, stream, BitRate::from_mbps(20), 6s);
  pair.at(Instant{2s}, [&] { pair.set_state(0, LinkState::blackhole); });
  pair.at(Instant{3s}, [&] { pair.set_state(0, LinkState::up); });
  pair.run(5s);
  const std::uint64_t before = pair.link(0, Pair::a).stats().carried_bytes;
  pair.run(1s);
  const std::uint64_t carried = pair.link(0, Pair::a).stats().carried_bytes - before;
  EXPECT_GT(8e-6 * static_cast<double>(carried), 10);  // Mbit/s: it is the faster one
  pair.run(500ms);
  EXPECT_EQ(lost(pair, Pair::a), 0u);
}

TEST(Failover, a_carrier_that_comes_back_is_used_again_within_two_seconds) {
  Pair pair(two_links);
  pair.at(Instant{2s}, [&] { pair.set_carrier(0, false); });
  pair.at(Instant{3s}, [&] { pair.set_carrier(0, true); });
  pair.run(5s);
  EXPECT_EQ(pair.state(Pair::a, 0), PathState::up);
  EXPECT_EQ(pair.state(Pair::b, 0), PathState::up);
}

TEST(Failover, the_tunnel_starts_over_any_path) {
  for (const LinkState dead : {LinkState::blackhole, LinkState::carrier_down}) {
    Pair pair(two_links);
    pair.set_state(0, dead);
    pair.send_stream(Pair::a, stream, BitRate::from_mbps(10), 2s);
    pair.run(3s);
    EXPECT_EQ(lost(pair, Pair::a), 0u);
  }
}

TEST(Failover, all_links_may_be_down_for_a_minute) {
  Pair pair(two_links);
  pair.send_stream(Pair::a, stream, BitRate::from_mbps(1), 65s);
  pair.at(Instant{2s}, [&] {
    pair.set_state(0, LinkState::blackhole);
    pair.set_state(1, LinkState::blackhole);
  });
  pair.at(Instant{62s}, [&] {
    pair.set_state(0, LinkState::up);
    pair.set_state(1, LinkState::up);
  });
  pair.run(64s);
  EXPECT_EQ(pair.state(Pair::a, 0), PathState::up);
  EXPECT_EQ(pair.state(Pair::a, 1), PathState::up);
  const std::size_t before = count_of(pair.delivered(Pair::b), stream);
  pair.run(1s);
  EXPECT_GT(count_of(pair.delivered(Pair::b), stream) - before, 90u);  // of 104 a second
}

TEST(Failover, a_link_may_be_silent_for_a_quarter_of_an_hour) {
  Pair pair(two_links);
  pair.run(1s);
  pair.set_state(0, LinkState::blackhole);
  pair.run(15min);
  EXPECT_NE(pair.state(Pair::a, 0), PathState::up);
  pair.set_state(0, LinkState::up);
  pair.run(2s);
  EXPECT_EQ(pair.state(Pair::a, 0), PathState::up);
  EXPECT_EQ(pair.state(Pair::b, 0), PathState::up);
}

TEST(Failover, a_path_is_added_and_one_removed_while_traffic_flows) {
  PairOptions options;
  options.paths = 2;
  Pair pair({symmetric(50, 10ms), symmetric(40, 25ms), symmetric(50, 5ms)}, {}, 1, options);
  pair.at(Instant{1s}, [&] { pair.add_path(2); });
  stream_through_fault(pair, Pair::a, [&] { pair.remove_path(0); });
  EXPECT_EQ(lost(pair, Pair::a), 0u);
  EXPECT_LT(longest_gap(pair.delivered(Pair::b), stream), 50ms);
  EXPECT_GT(pair.link(2, Pair::a).stats().carried_packets, 1000u);
  EXPECT_EQ(pair.metrics(Pair::a).path_mask, 0b110u);
}

TEST(Failover, the_last_path_may_be_removed_and_another_added) {
  PairOptions options;
  options.paths = 1;
  Pair pair(two_links, {}, 1, options);
  pair.send_stream(Pair::a, stream, BitRate::from_mbps(1), 4s);
  pair.at(Instant{1s}, [&] { pair.remove_path(0); });
  pair.at(Instant{2s}, [&] { pair.add_path(1); });
  pair.run(3s);
  const std::size_t before = count_of(pair.delivered(Pair::b), stream);
  pair.run(2s);
  EXPECT_GE(count_of(pair.delivered(Pair::b), stream) - before, 100u);
}

// Its packet numbers would begin anew, and AES-GCM must never see a nonce twice.
TEST(FailoverDeathTest, an_id_names_one_path_only) {
  Pair pair(two_links);
  pair.remove_path(0);
  EXPECT_DEATH(pair.add_path(0), "assertion failed");
}

}  // namespace
}  // namespace sennit
