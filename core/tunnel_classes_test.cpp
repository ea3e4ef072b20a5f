// What an operator may ask of a traffic class.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "core/testing/pair.h"

namespace sennit {
namespace {

constexpr Instant warm{1s};  // what was sent before may have met a rate that was not known yet

std::uint64_t carried(Pair& pair, std::size_t link) {
  return pair.link(link, Pair::a).stats().carried_bytes;
}

TEST(Classes, a_class_keeps_to_the_links_that_it_prefers) {
  TunnelConfig config;
  config.classes[2].links = {"link1"};
  Pair pair({symmetric(50, 10ms), symmetric(50, 40ms)}, config);
  pair.run(2s);  // what measures the links' capacity is of no class
  const std::uint64_t before = carried(pair, 0), preferred_before = carried(pair, 1);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(20), 3s);
  pair.run(4s);
  EXPECT_EQ(pair.missing(Pair::a, 1, warm), 0u);
  EXPECT_GT(carried(pair, 1) - preferred_before, 50 * (carried(pair, 0) - before));
}

TEST(Classes, when_none_of_the_preferred_links_is_up_any_other_will_do) {
  TunnelConfig config;
  config.classes[2].links = {"link1"};
  Pair pair({symmetric(50, 10ms), symmetric(50, 40ms)}, config);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(20), 3s);
  pair.at(Instant{2s}, [&] { pair.set_carrier(1, false); });
  pair.run(4s);
  EXPECT_EQ(pair.missing(Pair::a, 1, warm), 0u);
}

TEST(Classes, a_class_is_held_to_its_largest_rate) {
  TunnelConfig config;
  config.classes[1].rate_max = BitRate::from_mbps(4);
  Pair pair({symmetric(50, 10ms), symmetric(50, 20ms)}, config);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(12), 4s, 1200, dscp_interactive);
  pair.send_stream(Pair::a, 2, BitRate::from_mbps(12), 4s);
  pair.run(5s);
  std::vector<Delivery> limited;
  std::ranges::copy_if(pair.delivered(Pair::b), std::back_inserter(limited),
                       [](const Delivery& d) { return d.flow == 1; });
  EXPECT_NEAR(goodput_mbps(limited, warm, Instant{4s}), 4, 0.1);
  EXPECT_EQ(pair.missing(Pair::a, 2, warm), 0u);
}

TEST(Classes, cheapest_path_first_spares_the_metered_link) {
  TunnelConfig config;
  config.scheduler.algorithm = "cheapest-path-first";
  PairLink metered = symmetric(50, 5ms);
  metered.cost = 10;
  Pair pair({metered, symmetric(50, 30ms)}, config);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(10), 3s);
  pair.run(4s);
  EXPECT_EQ(pair.missing(Pair::a, 1, warm), 0u);
  EXPECT_GT(carried(pair, 1), 10 * carried(pair, 0));
}

TEST(Classes, an_unordered_class_waits_for_nobody) {
  TunnelConfig config;
  config.classes[1].ordered = false;
  config.classes[1].reinject = false;
  PairLink lossy = symmetric(50, 20ms);
  lossy.a_to_b.loss = RandomLoss{0.05};
  Pair pair({lossy}, config);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(5), 3s, 1200, dscp_interactive);
  pair.run(4s);
  EXPECT_LT(transit_quantile(pair.delivered(Pair::b), 1, 1.0, Instant{1s}), 25ms);
}

TEST(Classes, realtime_is_served_before_bulk_and_bulk_is_not_starved) {
  Pair pair({symmetric(20, 10ms)});
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(10), 4s, 1000, dscp_realtime);
  pair.send_stream(Pair::a, 2, BitRate::from_mbps(30), 4s);
  pair.run(5s);
  EXPECT_LE(transit_quantile(pair.delivered(Pair::b), 1, 0.99, Instant{2s}), 10ms + 20ms);
  EXPECT_GT(count_of(pair.delivered(Pair::b), 2), 1500u);  // half of the link would be 3,900
}

}  // namespace
}  // namespace sennit
