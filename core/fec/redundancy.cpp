#include "core/fec/redundancy.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/assert.h"

namespace sennit {

namespace {

constexpr std::size_t symbols_max = fec_source_max + fec_repair_max;

/// Over the number of symbols lost so far: the probability, and the expected number of sources
/// among the lost (as a sum over outcomes, not conditional).
struct Losses {
  std::array<double, symbols_max + 1> probability{};
  std::array<double, symbols_max + 1> sources{};
};

class Walk {
 public:
  explicit Walk(const LossChannel& channel) : channel_(channel) {
    good_.probability[0] = 1 - channel.mean();
    bad_.probability[0] = channel.mean();
  }

  /// One more symbol: lost when the channel is bad; then the channel moves on.
  void step(bool is_source) {
    ++sent_;
    for (std::size_t lost = sent_; lost > 0; --lost) {
      bad_.sources[lost] = bad_.sources[lost - 1];
      if (is_source) bad_.sources[lost] += bad_.probability[lost - 1];
      bad_.probability[lost] = bad_.probability[lost - 1];
    }
    bad_.sources[0] = bad_.probability[0] = 0;
    for (std::size_t lost = 0; lost <= sent_; ++lost) {
      move(good_.probability[lost], bad_.probability[lost]);
      move(good_.sources[lost], bad_.sources[lost]);
    }
  }
  double lost_sources(std::size_t repairs) const {
    double sum = 0;
    for (std::size_t lost = sent_; lost > repairs; --lost) {
      sum += good_.sources[lost] + bad_.sources[lost];
    }
    return sum;
  }

 private:
  void move(double& good, double& bad) const {
    const double stays_good = good * (1 - channel_.to_bad) + bad * channel_.to_good;
    bad = good * channel_.to_bad + bad * (1 - channel_.to_good);
    good = stays_good;
  }

  LossChannel channel_;
  Losses good_, bad_;  // by the state in which the next symbol will be sent
  std::size_t sent_ = 0;
};

}  // namespace

LossChannel LossChannel::bursty(double mean, double burst) {
  if (mean >= 1) return {1, 0};
  const double to_bad = mean / (1 - mean) / burst;
  if (to_bad <= 1) return {to_bad, 1 / burst};
  return {1, (1 - mean) / mean};
}

double residual_loss(BlockShape shape, const LossChannel& channel) {
  SENNIT_ASSERT(shape.sources >= 1 && shape.sources <= fec_source_max);
  SENNIT_ASSERT(shape.repairs <= fec_repair_max);
  Walk walk(channel);
  for (std::size_t i = 0; i < shape.sources; ++i) walk.step(true);
  for (std::size_t j = 0; j < shape.repairs; ++j) walk.step(false);
  return walk.lost_sources(shape.repairs) / static_cast<double>(shape.sources);
}

namespace {

/// The upper 90 % bound of the loss.
double upper_loss(const LossEstimate& estimate) {
  if (estimate.loss <= 0 || estimate.observations == 0) return 0;
  const double p = std::min(estimate.loss, 1.0);
  const double error = std::sqrt(p * (1 - p) / static_cast<double>(estimate.observations));
  return std::min(p + 1.28 * error, 1.0);
}

// Independent losses already come in bursts of 1 / (1 - p); a measured burst below that is chance.
LossChannel channel_of(double loss, double measured_burst) {
  const double burst = loss < 1 ? std::max(measured_burst, 1 / (1 - loss)) : 1;
  return LossChannel::bursty(loss, burst);
}

std::size_t repair_max(std::size_t sources, double overhead_max) {
  const double cap = std::floor(overhead_max * static_cast<double>(sources) + 1e-9);
  return static_cast<std::size_t>(std::clamp(cap, 0.0, double{fec_repair_max}));
}

}  // namespace

std::size_t choose_repair(std::size_t sources, const LossEstimate& estimate, double residual_max,
                          double overhead_max) {
  const double loss = upper_loss(estimate);
  if (loss <= 0) return 0;
  const LossChannel channel = channel_of(loss, estimate.burst);
  const std::size_t r_max = repair_max(sources, overhead_max);
  std::size_t r = 0;
  while (r < r_max && residual_loss({sources, r}, channel) > residual_max) ++r;
  return r;
}

bool duplicating_is_better(std::size_t sources, const LossEstimate& estimate, double residual_max,
                           double overhead_max) {
  const double loss = upper_loss(estimate);
  const BlockShape most{sources, repair_max(sources, overhead_max)};
  const double coded = residual_loss(most, channel_of(loss, estimate.burst));
  return coded > residual_max && loss * loss < coded;
}

}  // namespace sennit
