#include "sim/results/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/rng.h"

namespace sennit {
namespace {

/// Delays from 1 µs to minutes, most of them small.
std::vector<Duration> long_tailed(std::uint64_t seed, std::size_t n) {
  Rng rng{seed};
  std::vector<Duration> values;
  for (std::size_t i = 0; i < n; ++i) {
    values.push_back(from_seconds(1e-6 * std::exp(18 * rng.uniform() * rng.uniform())));
  }
  return values;
}

TEST(DurationHistogram, quantiles_are_within_half_a_percent_of_the_sorted_sample) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    SCOPED_TRACE(seed);
    std::vector<Duration> values = long_tailed(seed, 20'001);
    DurationHistogram histogram;
    for (const Duration v : values) histogram.add(v);
    std::sort(values.begin(), values.end());
    for (const double q : {0.01, 0.5, 0.9, 0.95, 0.99, 0.999}) {
      const auto rank = static_cast<std::size_t>(std::ceil(q * 20'001)) - 1;
      const double exact = to_seconds(values[rank]);
      EXPECT_NEAR(to_seconds(*histogram.quantile(q)), exact, 0.005 * exact) << q;
    }
    EXPECT_EQ(histogram.max(), values.back());
    EXPECT_EQ(histogram.min(), values.front());
    EXPECT_EQ(histogram.quantile(1.0), values.back());
  }
}

TEST(DurationHistogram, small_values_are_exact_and_negative_ones_are_zero) {
  DurationHistogram histogram;
  for (const int v : {-5, 1, 2, 3, 100}) histogram.add(Duration{v});
  EXPECT_EQ(histogram.quantile(0.2), Duration{0});
  EXPECT_EQ(histogram.quantile(0.6), Duration{2});
  EXPECT_EQ(histogram.quantile(0.8), Duration{3});
  EXPECT_EQ(histogram.max(), Duration{100});
}

TEST(DurationHistogram, merging_is_the_same_as_adding_everything_to_one) {
  DurationHistogram all, left, right;
  for (const Duration v : long_tailed(7, 1000)) {
    all.add(v);
    (v < 1ms ? left : right).add(v);
  }
  left.merge(right);
  EXPECT_EQ(left.count(), all.count());
  for (double q = 0; q <= 1; q += 0.05) EXPECT_EQ(left.quantile(q), all.quantile(q)) << q;
  EXPECT_NEAR(*left.mean_seconds(), *all.mean_seconds(), 1e-9);
}

TEST(DurationHistogram, knows_nothing_when_empty) {
  const DurationHistogram histogram;
  EXPECT_FALSE(histogram.quantile(0.5));
  EXPECT_FALSE(histogram.max());
  EXPECT_FALSE(histogram.mean_seconds());
}

TEST(DurationHistogram, a_constant_is_every_quantile) {
  DurationHistogram histogram;
  for (int i = 0; i < 1000; ++i) histogram.add(30'123'457ns);
  EXPECT_EQ(histogram.quantile(0.01), 30'123'457ns);
  EXPECT_EQ(histogram.quantile(0.99), 30'123'457ns);
}

}  // namespace
}  // namespace sennit
