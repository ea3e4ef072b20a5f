#include "core/link_model/jitter.h"

namespace sennit {
namespace {

// Pareto of shape 3 and scale 1 has mean 3/2 and variance 3/4. Shape 3 is what netem's table holds:
// the heaviest tail (in whole shapes) that still has a variance.
constexpr double pareto_mean = 1.5;
constexpr double pareto_stddev = 0.86602540378443865;

/// Mean 0, standard deviation 1.
double draw_pareto(Rng& rng) {
  return (1 / std::cbrt(1 - rng.uniform()) - pareto_mean) / pareto_stddev;
}

}  // namespace

Duration draw_delay(Duration mean, const JitterModel& jitter, Rng& rng) {
  if (jitter.stddev == Duration::zero()) return mean;
  const double deviation =
      jitter.distribution == JitterDistribution::normal ? rng.normal() : draw_pareto(rng);
  return std::max(Duration::zero(), mean + scaled(jitter.stddev, deviation));
}

Duration delay_min(Duration mean, const JitterModel& jitter) {
  if (jitter.stddev == Duration::zero()) return mean;
  if (jitter.distribution == JitterDistribution::normal) return Duration::zero();
  const Duration least = scaled(jitter.stddev, (1 - pareto_mean) / pareto_stddev) - 1ns;
  return std::max(Duration::zero(), mean + least);
}

}  // namespace sennit
