#include "core/line_loss.h"

#include <gtest/gtest.h>

#include "core/rng.h"

namespace sennit {
namespace {

TEST(LineLoss, the_first_reports_give_their_mean) {
  LineLoss loss;
  loss.on_report(Instant{1s}, 1, 9, false, 40ms);
  EXPECT_NEAR(loss.share(), 0.1, 1e-12);
  loss.on_report(Instant{1s}, 0, 90, false, 40ms);
  EXPECT_NEAR(loss.share(), 0.01, 1e-12);
  EXPECT_EQ(loss.observations(), 100u);
}

TEST(LineLoss, settles_at_the_lines_loss_and_follows_it) {
  LineLoss loss;
  Rng rng{4};
  const auto send = [&](std::size_t packets, double p) {
    for (std::size_t i = 0; i < packets; i += 10) {
      std::size_t lost = 0;
      for (int j = 0; j < 10; ++j) lost += rng.chance(p);
      loss.on_report(Instant{1s}, lost, 10 - lost, false, 40ms);
    }
  };
  send(20000, 0.05);
  EXPECT_NEAR(loss.share(), 0.05, 0.02) << "seed 4";
  send(5000, 0);
  EXPECT_LT(loss.share(), 1e-3);
}

TEST(LineLoss, learns_nothing_in_a_congested_time_and_two_round_trips_after) {
  LineLoss loss;
  loss.on_report(Instant{1s}, 0, 1000, false, 40ms);
  loss.on_report(Instant{2s}, 6, 4, true, 40ms);
  loss.on_report(Instant{2s} + 79ms, 6, 4, false, 40ms);
  EXPECT_EQ(loss.share(), 0);
  loss.on_report(Instant{2s} + 80ms, 6, 4, false, 40ms);
  EXPECT_GT(loss.share(), 0);
}

TEST(LineLoss, a_queue_near_its_target_is_no_congestion) {
  EXPECT_FALSE(LineLoss::congested(9ms, 5ms));
  EXPECT_TRUE(LineLoss::congested(11ms, 5ms));
}

}  // namespace
}  // namespace sennit
