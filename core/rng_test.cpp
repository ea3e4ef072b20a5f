#include "core/rng.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace sennit {
namespace {

// First outputs of xoshiro256** whose state is the first four outputs of SplitMix64, computed with
// a separate implementation of both from their publications.
TEST(Rng, its_first_numbers_are_those_of_xoshiro256_starstar) {
  Rng zero{0};
  for (const std::uint64_t known :
       {0x99ec5f36cb75f2b4u, 0xbf6e1f784956452au, 0x1a5f849d4933e6e0u, 0x6aa594f1262d2d2cu}) {
    EXPECT_EQ(zero.next(), known);
  }
  Rng answer{42};
  for (const std::uint64_t known :
       {0x15780b2e0c2ec716u, 0x6104d9866d113a7eu, 0xae17533239e499a1u, 0xecb8ad4703b360a1u}) {
    EXPECT_EQ(answer.next(), known);
  }
}

TEST(Rng, its_distributions_are_the_same_on_every_machine) {
  Rng rng{42};
  EXPECT_DOUBLE_EQ(rng.uniform(), 0.08386297105988216);
  EXPECT_NEAR(rng.normal(), -0.41536520949523315, 1e-14);
  EXPECT_NEAR(rng.exponential(), 2.5861814609868423, 1e-14);
}

constexpr int draws = 400'000;

struct Moments {
  double mean = 0, variance = 0, skewness = 0;
};
template <class Draw>
Moments moments(Draw draw) {
  double sum = 0, squares = 0, cubes = 0;
  for (int i = 0; i < draws; ++i) {
    const double x = draw();
    sum += x;
    squares += x * x;
    cubes += x * x * x;
  }
  const double mean = sum / draws, variance = squares / draws - mean * mean;
  const double third = cubes / draws - 3 * mean * squares / draws + 2 * mean * mean * mean;
  return {mean, variance, third / std::pow(variance, 1.5)};
}

// Tolerances are about five standard errors of 400,000 draws.
TEST(Rng, uniform_has_the_moments_of_the_unit_interval) {
  Rng rng{1};
  const Moments m = moments([&] { return rng.uniform(); });
  EXPECT_NEAR(m.mean, 0.5, 0.0025);
  EXPECT_NEAR(m.variance, 1.0 / 12, 0.001);
  EXPECT_NEAR(m.skewness, 0, 0.02);
}

TEST(Rng, normal_has_the_moments_of_the_bell_curve) {
  Rng rng{2};
  const Moments m = moments([&] { return rng.normal(); });
  EXPECT_NEAR(m.mean, 0, 0.008);
  EXPECT_NEAR(m.variance, 1, 0.012);
  EXPECT_NEAR(m.skewness, 0, 0.02);
}

TEST(Rng, normal_has_the_tails_of_the_bell_curve) {
  Rng rng{3};
  int beyond_one = 0, beyond_three = 0;
  for (int i = 0; i < draws; ++i) {
    const double x = std::abs(rng.normal());
    beyond_one += x > 1 ? 1 : 0;
    beyond_three += x > 3 ? 1 : 0;
  }
  EXPECT_NEAR(beyond_one / double{draws}, 0.3173, 0.004);
  EXPECT_NEAR(beyond_three / double{draws}, 0.0027, 0.0005);
}

TEST(Rng, exponential_has_the_moments_of_a_memoryless_wait) {
  Rng rng{4};
  const Moments m = moments([&] { return rng.exponential(); });
  EXPECT_NEAR(m.mean, 1, 0.008);
  EXPECT_NEAR(m.variance, 1, 0.025);
  EXPECT_NEAR(m.skewness, 2, 0.12);
}

TEST(Rng, every_draw_is_finite_and_in_range) {
  Rng rng{5};
  for (int i = 0; i < draws; ++i) {
    const double u = rng.uniform(), n = rng.normal(), e = rng.exponential();
    ASSERT_TRUE(u >= 0 && u < 1 && std::isfinite(n) && e >= 0 && std::isfinite(e));
    ASSERT_LT(rng.below(7), 7u);
  }
}

TEST(Rng, below_hits_every_value_alike) {
  Rng rng{6};
  std::vector<int> hits(10);
  for (int i = 0; i < draws; ++i) ++hits[rng.below(10)];
  for (const int h : hits) EXPECT_NEAR(h, draws / 10, 1000);
}

TEST(Rng, chance_is_as_likely_as_it_says) {
  Rng rng{7};
  int hits = 0;
  for (int i = 0; i < draws; ++i) hits += rng.chance(0.02) ? 1 : 0;
  EXPECT_NEAR(hits, 8000, 450);
  EXPECT_FALSE(rng.chance(0.0));
  EXPECT_TRUE(rng.chance(1.0));
}

TEST(Rng, a_fork_depends_on_its_name_and_its_parent_only) {
  const Rng parent{8};
  Rng a = parent.fork("loss"), again = parent.fork("loss"), b = parent.fork("jitter");
  Rng other = Rng{9}.fork("loss"), itself{8};
  const std::uint64_t first = a.next();
  EXPECT_EQ(again.next(), first);
  const std::set<std::uint64_t> different{first, b.next(), other.next(), itself.next()};
  EXPECT_EQ(different.size(), 4u);
}

TEST(Rng, forks_are_not_correlated) {
  Rng a = Rng{10}.fork("a"), b = Rng{10}.fork("b");
  const Moments m = moments([&] { return (a.uniform() - 0.5) * (b.uniform() - 0.5); });
  EXPECT_NEAR(m.mean, 0, 0.0007);
}

}  // namespace
}  // namespace sennit
