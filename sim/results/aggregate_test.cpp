#include "sim/results/aggregate.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sennit {
namespace {

TEST(Aggregate, the_bound_is_efficiency_times_what_the_links_deliver) {
  const double eta = *payload_efficiency(1400, 60);
  EXPECT_DOUBLE_EQ(eta, 1348.0 / 1460.0);
  EXPECT_NEAR(bound_mbps({{50 * 0.99}, {20}}, eta), (49.5 + 20) * 1348 / 1460, 1e-9);
  EXPECT_FALSE(payload_efficiency(0, 0));
}

TEST(Aggregate, links_behind_one_bottleneck_count_once) {
  EXPECT_DOUBLE_EQ(bound_mbps({{30, "mast"}, {40, "mast"}, {10, std::nullopt}}, 1), 50);
}

TEST(Aggregate, benefit_is_one_at_the_sum_zero_at_the_best_link_and_negative_below) {
  EXPECT_DOUBLE_EQ(*aggregation_benefit(70, 50, 70), 1);
  EXPECT_DOUBLE_EQ(*aggregation_benefit(50, 50, 70), 0);
  EXPECT_DOUBLE_EQ(*aggregation_benefit(60, 50, 70), 0.5);
  EXPECT_DOUBLE_EQ(*aggregation_benefit(25, 50, 70), -0.5);
  EXPECT_FALSE(aggregation_benefit(10, 10, 10));
}

TEST(Aggregate, the_direction_is_that_of_the_first_tcp_flow) {
  Traffic call, upload;
  call.kind = TrafficKind::voip;
  call.from = 'b';
  upload.kind = TrafficKind::tcp;
  upload.from = 'a';
  EXPECT_EQ(bulk_direction({call, upload}), Direction::up);
  EXPECT_EQ(bulk_direction({call}), Direction::down);
  EXPECT_FALSE(bulk_direction({}));
}

TEST(Aggregate, the_best_single_link_is_filled_in_later) {
  auto aggregate = make_aggregate(Direction::down, 60.0, 70.0);
  EXPECT_EQ(aggregate["fraction_of_bound"], 0.857143);
  EXPECT_TRUE(aggregate["aggregation_benefit"].is_null());
  set_best_single(aggregate, 50);
  EXPECT_EQ(aggregate["best_single_mbps"], 50);
  EXPECT_EQ(aggregate["aggregation_benefit"], 0.5);
  auto unknown = make_aggregate(Direction::down, 60.0, std::nullopt);
  set_best_single(unknown, 50);
  EXPECT_TRUE(unknown["fraction_of_bound"].is_null());
  EXPECT_TRUE(unknown["aggregation_benefit"].is_null());
}

}  // namespace
}  // namespace sennit
