// The loss processes against their own mathematics, over many seeds: the mean over the seeds must
// lie within four of its standard errors of what theory says (one run in 16,000 fails by chance;
// the seeds are fixed).
#include "core/link_model/loss.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sennit {
namespace {

struct Measured {
  double loss = 0;   // fraction lost
  double burst = 0;  // mean length of a run of losses
};

Measured measure(const LossModel& model, std::uint64_t seed, int packets) {
  LossProcess process{model, Rng{seed}};
  int lost = 0, bursts = 0;
  bool before = false;
  for (int i = 0; i < packets; ++i) {
    const bool now = process.next_is_lost();
    lost += now;
    bursts += now && !before;
    before = now;
  }
  return {static_cast<double>(lost) / packets, static_cast<double>(lost) / bursts};
}

void expect_mean(const std::vector<double>& samples, double expected, const char* what) {
  const double n = static_cast<double>(samples.size());
  double sum = 0, squares = 0;
  for (const double x : samples) sum += x;
  for (const double x : samples) squares += (x - sum / n) * (x - sum / n);
  const double standard_error = std::sqrt(squares / (n - 1) / n);
  EXPECT_NEAR(sum / n, expected, 4 * standard_error) << what;
  EXPECT_LT(standard_error, 0.02 * expected) << what << ": too few samples to say anything";
}

void expect_statistics(const LossModel& model, double loss, double burst) {
  std::vector<double> losses, bursts;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Measured measured = measure(model, seed, 50000);
    losses.push_back(measured.loss);
    bursts.push_back(measured.burst);
  }
  expect_mean(losses, loss, "mean loss, seeds 1 to 40");
  expect_mean(bursts, burst, "mean burst, seeds 1 to 40");
}

TEST(Loss, independent_loss_has_its_mean_and_short_bursts) {
  expect_statistics(RandomLoss{0.02}, 0.02, 1 / 0.98);
  expect_statistics(RandomLoss{0.3}, 0.3, 1 / 0.7);
}

TEST(Loss, gilbert_elliott_loses_in_bursts) {
  expect_statistics(GilbertElliott{.mean = 0.02, .burst = 3}, 0.02, 3);
  expect_statistics(GilbertElliott{.mean = 0.10, .burst = 8}, 0.10, 8);
}

TEST(Loss, gilbert_elliott_covers_its_limits) {
  expect_statistics(GilbertElliott{.mean = 0.5, .burst = 1}, 0.5, 1);  // every other packet
  expect_statistics(GilbertElliott{.mean = 0.8, .burst = 4}, 0.8, 4);  // one good packet at a time
}

TEST(Loss, gilbert_elliott_is_stationary_from_the_first_packet) {
  int lost = 0;
  for (std::uint64_t seed = 1; seed <= 10000; ++seed) {
    lost += LossProcess{GilbertElliott{.mean = 0.2, .burst = 50}, Rng{seed}}.next_is_lost();
  }
  EXPECT_NEAR(lost / 1e4, 0.2, 4 * std::sqrt(0.2 * 0.8 / 1e4));
}

TEST(Loss, no_loss_loses_nothing) {
  LossProcess process{GilbertElliott{.mean = 0.8, .burst = 4}, Rng{1}};
  process.set_model(NoLoss{});
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(process.next_is_lost());
}

}  // namespace
}  // namespace sennit
