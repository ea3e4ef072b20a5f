// The published policies on the arguments of their papers, in the papers' own world: each is held
// against the scheduler that its paper wants to improve.
#include <gtest/gtest.h>

#include "core/schedulers/sample_stage.h"

namespace sennit {
namespace {

using samples::Road;
using samples::Stage;

// --- ECF: the last packets of a burst ---

Duration completion_of(std::string_view algorithm, std::initializer_list<Road> roads,
                       std::size_t packets) {
  Stage stage{algorithm, roads};
  const Instant begin = stage.now();
  stage.offer(packets);
  stage.run(5s);
  EXPECT_EQ(stage.arrival().size(), packets);
  return stage.completion() - begin;
}

TEST(Ecf, a_short_transfer_completes_on_the_fast_path_long_before_min_rtts) {
  // 17 packets fit into the fast window, 170 into the slow one.
  const std::initializer_list<Road> roads{{10, 10ms}, {10, 100ms}};
  const Duration ecf = completion_of("ecf", roads, 40),
                 min_rtt = completion_of("min-rtt", roads, 40);
  EXPECT_LT(ecf, 70ms);
  EXPECT_GT(min_rtt, 110ms);
}

TEST(Ecf, a_long_transfer_uses_both_paths_and_ends_sooner_than_on_one) {
  const std::initializer_list<Road> roads{{10, 10ms}, {10, 100ms}};
  const Duration one = completion_of("ecf", {{10, 10ms}}, 1000);
  const Duration ecf = completion_of("ecf", roads, 1000);
  EXPECT_LT(ecf, 0.7 * one);
  EXPECT_LE(ecf, completion_of("min-rtt", roads, 1000));
}

// --- BLEST: the send window that all paths share ---

constexpr std::initializer_list<Road> fast_and_long{{1000, 10ms}, {10, 300ms}};

double goodput_in_order(std::string_view algorithm, std::initializer_list<Road> roads) {
  Stage stage{algorithm, roads};
  stage.offer(500'000);
  stage.run(4s);
  return stage.goodput_mbps(Instant{2s}, Instant{4s});
}

TEST(Blest, the_fast_path_is_not_stopped_by_a_window_full_of_what_waits_for_the_slow_one) {
  const double alone = goodput_in_order("min-rtt", {{1000, 10ms}});
  EXPECT_LT(goodput_in_order("min-rtt", fast_and_long), 0.5 * alone);
  EXPECT_GT(goodput_in_order("blest", fast_and_long), 0.99 * alone);
}

TEST(Blest, the_slow_path_is_used_when_the_window_has_room_for_it) {
  const std::initializer_list<Road> roads{{50, 10ms}, {50, 40ms}};
  EXPECT_GT(goodput_in_order("blest", roads), 1.9 * goodput_in_order("min-rtt", {{50, 10ms}}));
}

/// Fast 1 Gbit/s, 20 ms round trip; slow 130 ms. The fast path will bind 17.5 of the window's 23.5
/// MB by BLEST's model, times lambda: 21.0 at first.
struct BlestDesk : samples::Desk {
  BlestDesk() : Desk("blest", {{0, 1000, 10ms}, {1, 100, 65ms}}) {}
  /// What the slow path would have in flight for its packet to be held is what the estimate leaves.
  bool slow_is_held_with_in_flight(std::int64_t bytes) {
    paths[0].window_bytes = 0;
    paths[1].window_bytes = 100'000'000 / 8 * 130 / 1000 - bytes;
    paths[1].queued_bytes = 0;
    return send() == -1;
  }
  /// One slow packet, then `packets` on the fast path before it can be acknowledged; then the end
  /// of its round trip.
  void round_with(std::size_t packets) {
    EXPECT_FALSE(slow_is_held_with_in_flight(0));
    for (std::size_t i = 0; i < packets; ++i) {
      paths[0].window_bytes = 1 << 20;
      paths[0].queued_bytes = 0;
      ASSERT_EQ(send(), 0);
    }
    drain(131ms);
  }
};

TEST(Blest, lambda_grows_after_the_window_was_blocked_and_falls_again_when_it_is_not) {
  BlestDesk desk;
  constexpr std::int64_t in_flight = 1'200'000;
  EXPECT_FALSE(desk.slow_is_held_with_in_flight(in_flight));
  desk.drain(131ms);
  for (int i = 0; i < 5; ++i) desk.round_with(resequence_max + 100);
  EXPECT_TRUE(desk.slow_is_held_with_in_flight(in_flight)) << "lambda is 1.3 now";
  for (int i = 0; i < 12; ++i) desk.round_with(1000);
  EXPECT_FALSE(desk.slow_is_held_with_in_flight(in_flight)) << "lambda is below 1.2 again";
}

// --- OTIAS: sent out of order, to arrive in order ---

TEST(Otias, what_leaves_out_of_order_arrives_in_order) {
  const auto hold = [](std::string_view algorithm) {
    Stage stage{algorithm, {{10, 10ms}, {10, 50ms}}};
    stage.offer(4000);
    stage.run(2s);
    EXPECT_GT(stage.packets_on(0), 1500u);
    EXPECT_GT(stage.packets_on(1), 1400u);
    return stage.longest_hold(800);  // both windows are full by then
  };
  EXPECT_GT(hold("min-rtt"), 35ms);  // the difference of the paths
  EXPECT_LT(hold("otias"), 8ms);
}

// --- cheapest path first, and its adaptive form ---

TEST(CheapestPathFirst, the_metered_link_carries_nothing_until_the_free_one_is_full) {
  Stage below{"cheapest-path-first", {{10, 40ms, 1, 0}, {50, 10ms, 1, 9}}};
  below.offer_at(9);
  below.run(5s);
  EXPECT_EQ(below.packets_on(1), 0u);
  Stage above{"cheapest-path-first", {{10, 40ms, 1, 0}, {50, 10ms, 1, 9}}};
  above.offer_at(20);
  above.run(5s);
  const auto free = static_cast<double>(above.packets_on(0));
  const auto metered = static_cast<double>(above.packets_on(1));
  EXPECT_NEAR(free / (free + metered), 10.0 / 20, 0.05);
}

/// A window of three times what the free path holds: the rest stands in its bottleneck.
constexpr std::initializer_list<Road> bloated{{20, 20ms, 3, 0}, {20, 20ms, 1, 9}};

TEST(AdaptiveCheapestPathFirst, keeps_the_free_paths_queue_short_by_using_the_other_earlier) {
  Stage plain{"cheapest-path-first", bloated}, adaptive{"adaptive-cheapest-path-first", bloated};
  for (Stage* stage : {&plain, &adaptive}) {
    stage->offer_at(25);
    stage->run(6s);
  }
  EXPECT_GT(plain.queue_of(0), 60ms);
  EXPECT_LT(adaptive.queue_of(0), 15ms);
  EXPECT_GT(adaptive.packets_on(0), plain.packets_on(0) * 9 / 10) << "and still fills it";
}

TEST(AdaptiveCheapestPathFirst, the_metered_link_carries_nothing_while_no_queue_stands) {
  Stage stage{"adaptive-cheapest-path-first", bloated};
  stage.offer_at(18);
  stage.run(5s);
  EXPECT_EQ(stage.packets_on(1), 0u);
}

TEST(AdaptiveCheapestPathFirst, a_short_burst_does_not_spill_over) {
  Stage stage{"adaptive-cheapest-path-first", bloated};
  stage.offer_at(5);
  stage.run(1s);
  for (int i = 0; i < 10; ++i) {
    stage.offer(60);  // 35 ms of the free path, well above the target of 5 ms
    stage.run(500ms);
  }
  EXPECT_EQ(stage.packets_on(1), 0u);
}

TEST(AdaptiveCheapestPathFirst, goes_back_to_the_free_path_when_its_queue_has_gone) {
  Stage stage{"adaptive-cheapest-path-first", bloated};
  stage.offer_at(30);
  stage.run(5s);
  EXPECT_GT(stage.packets_on(1), 0u);
  stage.offer_at(10);
  stage.run(1s);
  const std::size_t before = stage.packets_on(1);
  stage.run(3s);
  EXPECT_EQ(stage.packets_on(1), before);
}

TEST(AdaptiveCheapestPathFirst, when_every_path_has_a_queue_the_shortest_round_trip_counts) {
  Stage stage{"adaptive-cheapest-path-first", {{20, 20ms, 3, 0}, {20, 20ms, 3, 9}}};
  stage.offer_at(60);
  stage.run(5s);
  const auto free = static_cast<double>(stage.packets_on(0));
  EXPECT_NEAR(free / static_cast<double>(stage.packets_on(0) + stage.packets_on(1)), 0.5, 0.05);
}

}  // namespace
}  // namespace sennit
