// The number of repairs is chosen by a formula: here it is held against the binomial one, against
// enumeration, and against a simulated channel through the real codec.
#include "core/fec/redundancy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/fec/fec_decoder.h"
#include "core/fec/fec_encoder.h"
#include "core/rng.h"

namespace sennit {
namespace {

double choose(std::size_t n, std::size_t j) {
  const auto factorial = [](std::size_t m) { return std::lgamma(static_cast<double>(m) + 1); };
  return std::exp(factorial(n) - factorial(j) - factorial(n - j));
}

/// PLR(n, r, p) = (1/n) sum_{j>r} j C(n,j) p^j (1-p)^(n-j).
double binomial_residual(std::size_t n, std::size_t r, double p) {
  double sum = 0;
  for (std::size_t j = r + 1; j <= n; ++j) {
    const auto x = static_cast<double>(j);
    sum += x * choose(n, j) * std::pow(p, x) * std::pow(1 - p, static_cast<double>(n) - x);
  }
  return sum / static_cast<double>(n);
}

TEST(Redundancy, independent_losses_leave_what_the_binomial_formula_says) {
  for (const std::size_t k : {1U, 5U, 15U, 40U, 64U}) {
    for (const std::size_t r : {0U, 1U, 2U, 4U, 8U, 32U}) {
      for (const double p : {1e-6, 0.001, 0.01, 0.1, 0.5, 0.99, 1.0}) {
        const double expected = binomial_residual(k + r, r, p);
        const double actual = residual_loss({k, r}, LossChannel::independent(p));
        EXPECT_NEAR(actual, expected, 1e-8 * expected) << "k " << k << " r " << r << " p " << p;
      }
    }
  }
}

/// By enumeration of every sequence of states.
double enumerated_residual(BlockShape shape, double mean, double burst) {
  const std::size_t n = shape.sources + shape.repairs;
  const double to_good = 1 / burst, to_bad = mean / (1 - mean) / burst;
  double sum = 0;
  for (std::uint32_t bad = 0; bad < 1U << n; ++bad) {
    double probability = (bad & 1) != 0 ? mean : 1 - mean;
    std::size_t lost = bad & 1, sources = bad & 1;
    for (std::size_t i = 1; i < n; ++i) {
      const bool before = (bad >> (i - 1) & 1) != 0, now = (bad >> i & 1) != 0;
      const double to_other = before ? to_good : to_bad;
      probability *= before == now ? 1 - to_other : to_other;
      lost += now;
      sources += now && i < shape.sources;
    }
    if (lost > shape.repairs) sum += probability * static_cast<double>(sources);
  }
  return sum / static_cast<double>(shape.sources);
}

TEST(Redundancy, bursty_losses_leave_what_enumeration_says) {
  for (const BlockShape shape : {BlockShape{1, 0}, {1, 1}, {4, 2}, {10, 2}, {12, 4}}) {
    for (const double mean : {0.01, 0.05, 0.3}) {
      for (const double burst : {1.0, 1.5, 3.0, 10.0}) {
        const double expected = enumerated_residual(shape, mean, burst);
        EXPECT_NEAR(residual_loss(shape, LossChannel::bursty(mean, burst)), expected,
                    1e-12 * expected)
            << "k " << shape.sources << " r " << shape.repairs << " p " << mean << " b " << burst;
      }
    }
  }
}

TEST(Redundancy, bursts_need_more_repairs_than_chance) {
  const LossEstimate scattered{.loss = 0.02, .observations = 100000, .burst = 1};
  const LossEstimate clustered{.loss = 0.02, .observations = 100000, .burst = 4};
  const std::size_t r = choose_repair(15, scattered, 1e-4, 1.0);
  EXPECT_GT(choose_repair(15, clustered, 1e-4, 1.0), r + 2);
  EXPECT_EQ(r, 3U);
}

TEST(Redundancy, the_least_number_of_repairs_that_meets_the_target_is_chosen) {
  for (const double p : {0.001, 0.01, 0.03, 0.08}) {
    const LossEstimate estimate{.loss = p, .observations = 1'000'000'000'000, .burst = 1};
    const std::size_t r = choose_repair(20, estimate, 1e-4, 1.0);
    EXPECT_LE(binomial_residual(20 + r, r, p), 1.01e-4) << p;
    ASSERT_GT(r, 0U);
    EXPECT_GT(binomial_residual(20 + r - 1, r - 1, p), 0.99e-4) << p;
  }
}

TEST(Redundancy, few_observations_are_trusted_less) {
  const LossEstimate few{.loss = 0.01, .observations = 100, .burst = 1};
  const LossEstimate many{.loss = 0.01, .observations = 100000, .burst = 1};
  EXPECT_GT(choose_repair(10, few, 1e-4, 1.0), choose_repair(10, many, 1e-4, 1.0));
}

TEST(Redundancy, nothing_is_spent_where_no_loss_was_seen) {
  EXPECT_EQ(choose_repair(10, {.loss = 0, .observations = 100000, .burst = 1}, 1e-6, 0.3), 0U);
  EXPECT_EQ(choose_repair(10, {.loss = 0.1, .observations = 0, .burst = 1}, 1e-6, 0.3), 0U);
}

TEST(Redundancy, overhead_never_exceeds_its_cap) {
  const LossEstimate terrible{.loss = 0.4, .observations = 1000, .burst = 6};
  EXPECT_EQ(choose_repair(10, terrible, 1e-6, 0.3), 3U);
  EXPECT_EQ(choose_repair(3, terrible, 1e-6, 0.3), 0U);
  EXPECT_EQ(choose_repair(64, terrible, 1e-6, 5.0), fec_repair_max);
  EXPECT_EQ(choose_repair(10, {.loss = 1, .observations = 9, .burst = 9}, 1e-6, 0.3), 3U);
  EXPECT_EQ(choose_repair(10, terrible, 1e-6, -1), 0U);
}

TEST(Redundancy, duplicating_wins_only_where_no_code_within_the_cap_does) {
  const auto better = [](double loss, double burst) {
    return duplicating_is_better(20, {.loss = loss, .observations = 1'000'000, .burst = burst},
                                 1e-4, 0.3);
  };
  EXPECT_FALSE(better(0.0, 1)) << "nothing is lost";
  EXPECT_FALSE(better(0.01, 1)) << "a code is enough";
  EXPECT_FALSE(better(0.05, 1))
      << "six repairs leave less than 0.05^2 does, though above the target";
  EXPECT_TRUE(better(0.2, 1));
  EXPECT_TRUE(better(0.05, 5)) << "bursts are longer than the code's repairs are many";
}

/// Sources of `blocks` blocks that remain lost when every symbol is lost with probability p.
std::size_t simulated_losses(BlockShape shape, double p, std::size_t blocks, std::uint64_t seed) {
  FecEncoder encoder({.code = FecCode::reed_solomon,
                      .source = static_cast<std::uint8_t>(shape.sources),
                      .repair = static_cast<std::uint8_t>(shape.repairs)});
  FecDecoder decoder;
  Rng rng(seed);
  std::size_t lost = 0;
  const std::array<std::byte, 4> packet{};
  for (std::uint64_t s = 0; s < blocks * shape.sources; ++s) {
    encoder.add(Instant{}, {s}, 0, packet);
    rng.chance(p) ? static_cast<void>(++lost) : decoder.handle_source({s}, 0, packet);
    for (FecRepair repair; encoder.poll_repair(repair);) {
      if (!rng.chance(p)) decoder.handle_repair(repair);
    }
    for (FecRecovered recovered; decoder.poll_recovered(recovered);) --lost;
  }
  return lost;
}

/// Variance of the number of sources that one block leaves lost: with j of n lost, the lost sources
/// are hypergeometric.
double residual_variance(BlockShape shape, double p) {
  const auto k = static_cast<double>(shape.sources);
  const std::size_t n = shape.sources + shape.repairs;
  const auto all = static_cast<double>(n);
  double mean = 0, square = 0;
  for (std::size_t j = shape.repairs + 1; j <= n; ++j) {
    const auto x = static_cast<double>(j);
    const double probability = choose(n, j) * std::pow(p, x) * std::pow(1 - p, all - x);
    const double among = x * k / all;
    const double spread = x * (k / all) * (1 - k / all) * (all - x) / (all - 1);
    mean += probability * among;
    square += probability * (among * among + spread);
  }
  return square - mean * mean;
}

TEST(Redundancy, simulated_channel_agrees_with_the_formula_within_95_percent) {
  constexpr std::size_t blocks = 30000;
  for (const std::size_t r : {2U, 4U}) {
    for (const double p : {0.005, 0.01, 0.02, 0.05, 0.1}) {
      const BlockShape shape{15, r};
      const std::uint64_t seed = 20240 + r;
      const double expected = binomial_residual(15 + r, r, p) * 15 * blocks;
      const double deviation = std::sqrt(residual_variance(shape, p) * blocks);
      const auto lost = static_cast<double>(simulated_losses(shape, p, blocks, seed));
      EXPECT_NEAR(lost, expected, 1.96 * deviation) << "r " << r << " p " << p << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace sennit
