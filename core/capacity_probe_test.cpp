// A path is measured before anybody needs it: from its first seconds on, its capacity is known.
#include "core/capacity_probe.h"

#include <gtest/gtest.h>

#include "core/testing/pair.h"

namespace sennit {
namespace {

double estimate(Pair& pair, std::size_t path) {
  return static_cast<double>(pair.metrics(Pair::a).paths[path].delivery_rate_bps) * 1e-6;
}
std::uint64_t sent(Pair& pair, std::size_t path) {
  return pair.metrics(Pair::a).paths[path].sent_bytes;
}

TEST(Exploration, finds_the_capacity_of_paths_that_nobody_uses) {
  Pair pair({symmetric(5, 5ms), symmetric(40, 60ms)});
  pair.run(2s);
  EXPECT_NEAR(estimate(pair, 0), 5, 0.5);
  EXPECT_NEAR(estimate(pair, 1), 40, 4);
}

TEST(Exploration, costs_a_few_round_trips_and_is_over) {
  Pair pair({symmetric(20, 30ms)});
  pair.run(3s);
  const std::uint64_t after = sent(pair, 0);
  EXPECT_LT(after, 1'500'000u);  // ten bandwidth-delay products
  pair.run(3s);
  EXPECT_LT(sent(pair, 0) - after, 20'000u);
}

TEST(Exploration, leaves_paths_alone_that_cost) {
  PairLink metered = symmetric(20, 30ms);
  metered.cost = 1;
  Pair pair({symmetric(20, 20ms), metered});
  pair.run(3s);
  EXPECT_LT(sent(pair, 1), 20'000u);
}

TEST(Exploration, is_not_ended_early_by_jitter) {
  PairLink link = symmetric(50, 20ms);
  link.a_to_b.jitter = link.b_to_a.jitter = {10ms, JitterDistribution::normal, false};
  Pair pair({link});
  pair.run(3s);
  EXPECT_GT(estimate(pair, 0), 35);
}

TEST(Exploration, leaves_no_long_queue_behind) {
  Pair pair({symmetric(50, 20ms)});
  Duration longest{};
  for (int i = 0; i < 300; ++i) {
    pair.run(5ms);
    longest = std::max(longest, Duration{pair.metrics(Pair::a).paths[0].standing_queue_ns});
  }
  EXPECT_LT(longest, 80ms);  // two round trips
}

TEST(CapacityProbe, a_path_that_flaps_is_explored_every_ten_seconds_at_most) {
  CapacityProbe probe;
  probe.on_explored(Instant{100s});
  probe.on_return(Instant{105s});
  EXPECT_TRUE(probe.explored());
  probe.on_return(Instant{110s});
  EXPECT_FALSE(probe.explored());
}

TEST(CapacityProbe, padding_ends_at_eight_megabytes) {
  CapacityProbe probe;
  int datagrams = 0;
  for (; !probe.explored(); ++datagrams) probe.on_padding(Instant{1s}, 1'400);
  EXPECT_EQ(datagrams, (8'000'000 + 1'399) / 1'400);
}

}  // namespace
}  // namespace sennit
