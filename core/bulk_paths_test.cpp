#include "core/bulk_paths.h"

#include <gtest/gtest.h>

#include <array>

#include "core/testing/pair.h"

namespace sennit {
namespace {

constexpr Bytes transfer{100'000'000};

constexpr PathId alone{255};

BulkPath path(Duration delay, double mbps, bool used = false, PathId group = alone) {
  return {delay, BitRate::from_mbps(mbps), group, used};
}

/// `paths` without a group share with none.
template <std::size_t N>
std::array<bool, N> chosen(std::array<BulkPath, N> paths, Duration near_round_trip,
                           Bytes size = transfer, Duration spread = 150ms) {
  for (std::size_t i = 0; i < N; ++i) {
    if (paths[i].group == alone) paths[i].group = PathId{static_cast<std::uint8_t>(i)};
  }
  choose_bulk_paths(paths, near_round_trip, size, spread);
  std::array<bool, N> used{};
  for (std::size_t i = 0; i < N; ++i) used[i] = paths[i].used;
  return used;
}

TEST(BulkPaths, a_thin_path_as_near_as_the_others_is_used) {
  EXPECT_EQ(chosen(std::array{path(20ms, 100), path(20ms, 1)}, 40ms), (std::array{true, true}));
}

TEST(BulkPaths, a_far_path_is_used_for_much_rate) {
  EXPECT_EQ(chosen(std::array{path(20ms, 50), path(70ms, 50)}, 40ms), (std::array{true, true}));
  EXPECT_EQ(chosen(std::array{path(10ms, 300), path(30ms, 80)}, 20ms), (std::array{true, true}));
}

TEST(BulkPaths, and_not_for_little) {
  EXPECT_EQ(chosen(std::array{path(98ms, 4), path(5ms, 51)}, 10ms), (std::array{false, true}));
}

TEST(BulkPaths, near_paths_however_thin_go_with_a_far_one_that_is_worth_it) {
  const auto used = chosen(std::array{path(66ms, 43), path(3ms, 1.5), path(3ms, 5)}, 6ms);
  EXPECT_EQ(used, (std::array{true, true, true}));
}

TEST(BulkPaths, each_farther_path_is_weighed_against_those_before_it) {
  const auto used = chosen(std::array{path(5ms, 40), path(30ms, 40), path(120ms, 3)}, 10ms);
  EXPECT_EQ(used, (std::array{true, true, false}));
}

TEST(BulkPaths, paths_farther_apart_than_the_spread_are_not_used_together) {
  EXPECT_EQ(chosen(std::array{path(5ms, 50), path(156ms, 50)}, 10ms), (std::array{true, false}));
  EXPECT_EQ(chosen(std::array{path(5ms, 1), path(156ms, 100)}, 10ms), (std::array{false, true}));
}

TEST(BulkPaths, a_much_larger_path_beyond_it_is_used_alone) {
  EXPECT_EQ(chosen(std::array{path(2ms, 9), path(167ms, 43)}, 4ms), (std::array{false, true}));
}

TEST(BulkPaths, with_those_that_are_near_to_it) {
  const auto used = chosen(std::array{path(2ms, 3), path(100ms, 20), path(160ms, 30)}, 4ms);
  EXPECT_EQ(used, (std::array{false, true, true}));
}

TEST(BulkPaths, but_not_for_little) {
  EXPECT_EQ(chosen(std::array{path(2ms, 40), path(167ms, 43)}, 4ms), (std::array{true, false}));
}

TEST(BulkPaths, short_transfers_favour_the_near_path) {
  const std::array pair{path(20ms, 50), path(70ms, 50)};
  EXPECT_EQ(chosen(pair, 40ms, Bytes{300'000}), (std::array{true, false}));
}

TEST(BulkPaths, what_is_used_stays_while_it_is_of_some_use) {
  const auto gain_of_seven_percent = [](bool used) {
    return chosen(std::array{path(5ms, 100, true), path(40ms, 12, used)}, 10ms);
  };
  EXPECT_EQ(gain_of_seven_percent(false), (std::array{true, false}));
  EXPECT_EQ(gain_of_seven_percent(true), (std::array{true, true}));
}

TEST(BulkPaths, a_farther_path_of_the_same_bottleneck_is_not_used) {
  const PathId mast{0};
  const auto used =
      chosen(std::array{path(20ms, 25, true, mast), path(50ms, 25, true, mast)}, 40ms);
  EXPECT_EQ(used, (std::array{true, false}));
}

TEST(BulkPaths, one_as_near_is_for_two_sockets_carry_what_one_does) {
  const PathId mast{0};
  const auto used =
      chosen(std::array{path(20ms, 25, true, mast), path(20ms, 25, true, mast)}, 40ms);
  EXPECT_EQ(used, (std::array{true, true}));
}

TEST(BulkPaths, a_farther_path_counts_with_what_it_carries_beyond_a_nearer_one_of_its_bottleneck) {
  const PathId mast{0};
  const auto used =
      chosen(std::array{path(20ms, 5, true, mast), path(50ms, 50, false, mast)}, 40ms);
  EXPECT_EQ(used, (std::array{true, true}));
}

Duration least_delay(const Pair& pair, std::uint16_t flow, Instant from, Instant to) {
  Duration least = Duration::max();
  for (const Delivery& d : pair.delivered(Pair::b)) {
    if (d.flow == flow && d.sent >= from && d.sent < to) least = std::min(least, d.at - d.sent);
  }
  return least;
}

constexpr std::uint16_t quic = 443;  // flow and port

struct Stream {
  std::uint16_t flow;
  double mbps;
  std::size_t size = 1400;
};

/// Of the last of these streams, over 50 Mbit/s at 10 ms and 50 at 50 ms whose capacities are
/// known.
Duration least_delay_of_last(std::initializer_list<Stream> streams) {
  Pair pair({symmetric(50, 10ms), symmetric(50, 50ms)});
  pair.run(2s);
  for (const auto& [flow, mbps, size] : streams) {
    pair.send_stream(Pair::a, flow, BitRate::from_mbps(mbps), 2s, size);
  }
  pair.run(3s);
  return least_delay(pair, std::rbegin(streams)->flow, Instant{2s}, Instant{4s});
}

TEST(BulkPaths, bulk_has_the_far_path_s_delay_however_little_it_sends) {
  EXPECT_GE(least_delay_of_last({{quic, 3}}), 40ms);
}

TEST(BulkPaths, sparse_flows_have_the_near_path_s) {
  EXPECT_LE(least_delay_of_last({{1, 80}, {2, 0.05, 100}}), 15ms);
}

TEST(BulkPaths, and_flows_that_no_model_is_made_of_too) {
  EXPECT_LE(least_delay_of_last({{1, 10}}), 15ms);
}

TEST(BulkPaths, bulk_keeps_off_a_far_path_that_brings_little) {
  Pair pair({symmetric(50, 5ms), symmetric(3, 95ms)});
  pair.run(2s);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(30), 2s, 1400);
  pair.run(3s);
  for (const Delivery& d : pair.delivered(Pair::b)) {
    if (d.sent < Instant{2s + 500ms}) continue;
    ASSERT_LE(d.at - d.sent, 30ms);
  }
}

}  // namespace
}  // namespace sennit
