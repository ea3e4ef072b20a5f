// Each policy on its own paper's argument.
#include <gtest/gtest.h>

#include <map>

#include "core/schedulers/sample_paths.h"

namespace sennit {
namespace {

using samples::Desk;
using samples::full;

TEST(Scheduler, every_name_makes_a_scheduler_of_that_name) {
  EXPECT_EQ(scheduler_names().front(), SchedulerConfig{}.algorithm);
  for (const std::string_view name : scheduler_names()) {
    SchedulerConfig config;
    config.algorithm = name;
    const auto scheduler = make_scheduler(config);
    ASSERT_TRUE(scheduler) << name;
    EXPECT_EQ(scheduler->name(), name);
  }
  SchedulerConfig unknown;
  unknown.algorithm = "fastest";
  EXPECT_FALSE(make_scheduler(unknown));
}

TEST(RoundRobin, takes_paths_in_turn_whatever_they_are) {
  Desk d{"round-robin", {{0, 100, 5ms}, {1, 10, 90ms}, {2, 50, 20ms}}};
  for (const int expected : {0, 1, 2, 0, 1, 2}) EXPECT_EQ(d.send(), expected);
}

TEST(RoundRobin, its_turn_belongs_to_the_path_not_to_the_row) {
  Desk d{"round-robin", {{.id = 0}, {.id = 1}, {.id = 2}}};
  EXPECT_EQ(d.send(), 0);
  EXPECT_EQ(d.send(), 1);
  d.paths.erase(d.paths.begin());  // path 0 is down: path 2 is in row 1 now
  EXPECT_EQ(d.send(), 1);
  EXPECT_EQ(d.send(), 0);
}

TEST(RoundRobin, skips_a_full_path_and_holds_when_all_are_full) {
  Desk d{"round-robin", {{.id = 0, .mbps = 1}, {.id = 1}}};
  EXPECT_EQ(d.send(), 0);  // one packet fills it: 12 ms
  while (d.send() == 1) {
  }
  EXPECT_EQ(d.send(), -1);
  EXPECT_NEAR(d.wait_ms(1), 5, 0.3);
}

TEST(WeightedRoundRobin, shares_bytes_by_the_operators_weights) {
  SchedulerConfig config;
  config.weights = {{"fibre", 3}, {"lte", 1}};
  Desk d{"weighted-round-robin", {{0, 1000}, {1, 1000}}, config};
  d.scheduler->set_path_name(PathId{0}, "lte");
  d.scheduler->set_path_name(PathId{1}, "fibre");
  std::vector<int> turns;
  for (int i = 0; i < 8; ++i) turns.push_back(d.send());
  EXPECT_EQ(turns, (std::vector{1, 0, 1, 1, 1, 0, 1, 1}));  // interleaved
}

TEST(WeightedRoundRobin, follows_estimated_rates_without_weights) {
  Desk d{"weighted-round-robin", {{0, 800}, {1, 200}}};
  std::map<int, int> taken;
  for (int i = 0; i < 200; ++i) ++taken[d.send()];
  EXPECT_EQ(taken[0], 160);
  EXPECT_EQ(taken[1], 40);
}

TEST(LeastLoaded, takes_the_shortest_wait_not_the_fewest_bytes) {
  Desk d{"least-loaded",
         {{.id = 0, .mbps = 100, .queued = 20000}, {.id = 1, .mbps = 10, .queued = 5000}}};
  EXPECT_EQ(d.send(), 0);  // 1.6 ms against 4 ms
}

TEST(FlowHash, keeps_a_flow_on_its_path_and_uses_all_paths) {
  Desk d{"flow-hash", {{0, 1e5}, {1, 1e5}, {2, 1e5}}};
  std::map<int, int> flows;
  for (std::uint32_t flow = 0; flow < 3000; ++flow) {
    const int first = d.send(full(0, flow));
    EXPECT_EQ(d.send(full(0, flow)), first);
    ++flows[first];
  }
  for (const int path : {0, 1, 2}) EXPECT_NEAR(flows[path], 1000, 100) << path;
}

TEST(FlowHash, a_new_path_takes_only_its_own_share) {
  Desk before{"flow-hash", {{0, 1e5}, {1, 1e5}, {2, 1e5}}};
  Desk after{"flow-hash", {{0, 1e5}, {1, 1e5}, {2, 1e5}, {3, 1e5}}};
  int moved = 0;
  for (std::uint32_t flow = 0; flow < 3000; ++flow) {
    const int was = before.send(full(0, flow)), is = after.send(full(0, flow));
    if (was == is) continue;
    EXPECT_EQ(is, 3);
    ++moved;
  }
  EXPECT_NEAR(moved, 750, 100);
}

TEST(FlowHash, a_lost_path_moves_only_its_own_flows) {
  Desk all{"flow-hash", {{0, 1e5}, {1, 1e5}, {2, 1e5}}};
  Desk rest{"flow-hash", {{0, 1e5}, {2, 1e5}}};
  for (std::uint32_t flow = 0; flow < 1000; ++flow) {
    const int was = all.send(full(0, flow)), is = rest.send(full(0, flow));
    if (was == 1) continue;
    EXPECT_EQ(rest.paths[static_cast<std::size_t>(is)].path, was);
  }
}

TEST(FlowHash, never_leaves_its_path_even_when_it_is_full) {
  Desk d{"flow-hash", {{.id = 0}, {.id = 1}}};
  const int path = d.send();
  int packets = 1;
  for (; d.send() == path; ++packets) {
  }
  EXPECT_EQ(d.send(), -1);
  EXPECT_NEAR(d.wait_ms(static_cast<std::size_t>(path)), 100, 0.5);
}

TEST(MinRtt, takes_the_fast_path_until_it_is_full_then_the_next) {
  Desk d{"min-rtt", {{0, 50, 70ms}, {1, 50, 20ms}}};
  while (d.send() == 1) {
  }
  EXPECT_NEAR(d.wait_ms(1), 5, 0.3);
  EXPECT_GT(d.paths[0].queued_bytes, 0);
}

TEST(MinRtt, a_closed_window_counts_as_full) {
  Desk d{"min-rtt", {{0, 50, 70ms}, {.id = 1, .one_way = 20ms, .window = 0}}};
  EXPECT_EQ(d.send(), 0);
}

TEST(Redundant, copies_to_every_available_path) {
  Desk d{"redundant", {{.id = 0}, {.id = 1, .window = 0}, {.id = 4}}};
  EXPECT_EQ(d.choose(), 0b101u);
  d.paths[0].window_bytes = d.paths[2].window_bytes = 0;
  EXPECT_EQ(d.choose(), 0u);
}

TEST(Otias, fills_the_slow_path_when_the_fast_queue_is_long_enough) {
  Desk d{"otias", {{.id = 0, .one_way = 10ms, .window = 14670}, {1, 50, 50ms}}};
  int on_fast = 0;
  while (d.send() == 0) ++on_fast;
  // Ten packets fit the window; then 40 ms (half the difference of round trips) are queued.
  EXPECT_NEAR(on_fast, 10 + 0.040 * 50e6 / 8 / 1467, 2);
  EXPECT_GT(d.paths[1].queued_bytes, 0);
}

TEST(Otias, does_not_queue_without_end) {
  Desk d{"otias", {{.id = 0, .window = 0}, {.id = 1, .window = 0}}};
  int packets = 0;
  for (; d.send() >= 0; ++packets) ASSERT_LT(packets, 1000);
  EXPECT_NEAR(d.wait_ms(0), 5, 0.5);
}

/// Round trips of 20 and 200 ms at 10 Mbit/s each; the fast path has no room now.
constexpr std::initializer_list<samples::Link> fast_full_slow_free{
    {.id = 0, .mbps = 10, .one_way = 10ms, .window = 0}, {.id = 1, .mbps = 10, .one_way = 100ms}};

TEST(Ecf, waits_for_the_fast_path_at_the_tail_where_min_rtt_would_not) {
  EXPECT_EQ(Desk("ecf", fast_full_slow_free).send(full(), 1400), -1);
  EXPECT_EQ(Desk("min-rtt", fast_full_slow_free).send(full(), 1400), 1);
}

TEST(Ecf, uses_the_slow_path_when_plenty_is_left_to_send) {
  EXPECT_EQ(Desk("ecf", fast_full_slow_free).send(full(), 1000000), 1);
}

TEST(Ecf, once_waiting_it_needs_a_margin_to_give_up) {
  // Without hysteresis it waits for k < W_f (R_s/R_f - 1) = 225 kB, with it for k < 287 kB.
  Desk fresh{"ecf", fast_full_slow_free}, waiting{"ecf", fast_full_slow_free};
  EXPECT_EQ(fresh.send(full(), 250000), 1);
  EXPECT_EQ(waiting.send(full(), 200000), -1);
  EXPECT_EQ(waiting.send(full(), 250000), -1);
  EXPECT_EQ(waiting.send(full(), 300000), 1);
  EXPECT_EQ(waiting.send(full(), 250000), 1);
}

TEST(Ecf, does_not_wait_when_the_slow_path_is_nearly_as_fast) {
  Desk d{"ecf",
         {{.id = 0, .mbps = 10, .one_way = 10ms, .window = 0},
          {.id = 1, .mbps = 10, .one_way = 15ms}}};
  EXPECT_EQ(d.send(full(), 1400), 1);
}

TEST(Ecf, classes_wait_for_themselves) {
  Desk d{"ecf", fast_full_slow_free};
  EXPECT_EQ(d.send(full(), 200000), -1);
  PacketView other = full();
  other.class_id = 1;
  EXPECT_EQ(d.send(other, 250000), 1);
}

TEST(Blest, does_not_let_the_slow_path_block_the_receivers_room) {
  // During 600 ms the fast path would deliver 75 MB, the peer's resequencer holds 23.
  Desk d{"blest",
         {{.id = 0, .mbps = 1000, .one_way = 10ms, .window = 0},
          {.id = 1, .mbps = 10, .one_way = 300ms}}};
  EXPECT_EQ(d.send(), -1);
}

TEST(Blest, uses_the_slow_path_while_there_is_room) {
  Desk d{"blest",
         {{.id = 0, .mbps = 1000, .one_way = 10ms, .window = 0},
          {.id = 1, .mbps = 10, .one_way = 30ms}}};
  EXPECT_EQ(d.send(), 1);
}

TEST(CheapestPathFirst, overflows_to_the_metered_link_only_when_the_free_one_is_full) {
  Desk d{"cheapest-path-first",
         {{.id = 0, .one_way = 10ms, .cost = 5}, {.id = 1, .one_way = 80ms, .cost = 0}}};
  while (d.send() == 1) {
  }
  EXPECT_NEAR(d.wait_ms(1), 5, 0.3);
  EXPECT_GT(d.paths[0].queued_bytes, 0);
}

}  // namespace
}  // namespace sennit
