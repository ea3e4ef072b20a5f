#include "core/shared_bottleneck.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sennit {
namespace {

// Several packets even at 1 Mbit/s, several reports, and shorter than a probe.
constexpr Duration interval = 50ms;
constexpr Duration interval_max = 500ms;  // after a longer silence begin anew
// An empty queue does not grow. Less than a packet's time is no queue.
constexpr Duration queue_min = 500us;
// A link changes within tens of seconds; 256 intervals with a queue are thirteen or more.
constexpr double forgetting = 1.0 - 1.0 / 256;
constexpr double points_min = 20;
// Standard errors. Successive points are not independent, and what is grouped falsely costs a link.
constexpr double evidence_min = 3;
constexpr double own_effect_min = 4;
// Delays come in microseconds: no fit is better than that, relative to the interval.
constexpr double growth_noise_min = 1e-4;
// Of two paths in a group often only one is used any more, which says nothing about the other.
// After this time it may prove itself again, which takes a few seconds.
constexpr Duration remembered = 120s;

}  // namespace

void QueueGrowth::add(double own, double other, double growth) {
  for (double* sum : {&weight_, &own_own_, &own_other_, &other_other_, &own_growth_, &other_growth_,
                      &growth_growth_}) {
    *sum *= forgetting;
  }
  weight_ += 1;
  const double d_own = own - own_, d_other = other - other_, d_growth = growth - growth_;
  own_ += d_own / weight_;
  other_ += d_other / weight_;
  growth_ += d_growth / weight_;
  own_own_ += d_own * (own - own_);
  own_other_ += d_own * (other - other_);
  other_other_ += d_other * (other - other_);
  own_growth_ += d_own * (growth - growth_);
  other_growth_ += d_other * (growth - growth_);
  growth_growth_ += d_growth * (growth - growth_);
}

double QueueGrowth::evidence() const {
  if (weight_ < points_min) return 0;
  const double determinant = own_own_ * other_other_ - own_other_ * own_other_;
  if (determinant <= 1e-6 * own_own_ * other_other_) return 0;  // one of them, or both in step
  const double a = (other_other_ * own_growth_ - own_other_ * other_growth_) / determinant;
  const double b = (own_own_ * other_growth_ - own_other_ * own_growth_) / determinant;
  const double unexplained = growth_growth_ - a * own_growth_ - b * other_growth_;
  const double noise = std::max(unexplained / (weight_ - 3), growth_noise_min * growth_noise_min);
  const double variance_a = noise * other_other_ / determinant;
  const double variance_b = noise * own_own_ / determinant;
  const double covariance = -noise * own_other_ / determinant;
  if (a < own_effect_min * std::sqrt(variance_a)) return 0;
  return (b - a / 2) / std::sqrt(variance_b + variance_a / 4 - covariance);
}

SharedBottlenecks::SharedBottlenecks() { regroup(); }

bool SharedBottlenecks::wants(PathId path, Instant sent) const {
  return sent - last_[index(path)].sent >= interval;
}

bool SharedBottlenecks::on_sample(PathId path, const BottleneckSample& sample) {
  const std::size_t one = index(path);
  const BottleneckSample before = std::exchange(last_[one], sample);
  if (sample.sent - before.sent <= interval_max) measure(path, before, sample);
  bool changed = false;
  for (std::size_t two = 0; two < paths_max; ++two) {
    if (two != one) changed = judge(one, two, sample.sent) || changed;
  }
  if (changed) regroup();
  return changed;
}

void SharedBottlenecks::measure(PathId path, const BottleneckSample& before,
                                const BottleneckSample& sample) {
  if (before.queue < queue_min || sample.queue < queue_min) return;
  const double seconds = to_seconds(sample.sent - before.sent);
  const double growth = to_seconds(sample.queue - before.queue) / seconds;
  const auto rate = [&](std::size_t i) {
    return 8e-6 * static_cast<double>(sample.sent_bytes[i] - before.sent_bytes[i]) / seconds;
  };
  const std::size_t own = index(path);
  for (std::size_t other = 0; other < paths_max; ++other) {
    if (other == own || sample.sent_bytes[other] == before.sent_bytes[other]) continue;
    pair(own, other).growth.add(rate(own), rate(other), growth);
    pair(own, other).measured = sample.sent;
  }
}

bool SharedBottlenecks::judge(std::size_t one, std::size_t two, Instant now) {
  Pair& here = pair(one, two);
  Pair& there = pair(two, one);
  const bool was = here.shared;
  const double least = std::min(here.growth.evidence(), there.growth.evidence());
  if (least > evidence_min) here.shared = true;
  if (least < -evidence_min) here.shared = false;
  if (was && now - std::min(here.measured, there.measured) > remembered) here = there = Pair{};
  there.shared = here.shared;
  return here.shared != was;
}

bool SharedBottlenecks::forget(PathId path) {
  bool changed = false;
  const std::size_t one = index(path);
  for (std::size_t two = 0; two < paths_max; ++two) {
    changed = changed || pair(one, two).shared;
    pair(one, two) = pair(two, one) = Pair{};
  }
  last_[one] = {};
  if (changed) regroup();
  return changed;
}

void SharedBottlenecks::regroup() {
  for (std::size_t i = 0; i < paths_max; ++i) groups_[i] = static_cast<std::uint8_t>(i);
  for (std::size_t one = 0; one < paths_max; ++one) {
    for (std::size_t two = one + 1; two < paths_max; ++two) {
      if (!pair(one, two).shared) continue;
      const std::uint8_t least = std::min(groups_[one], groups_[two]);
      const std::uint8_t most = std::max(groups_[one], groups_[two]);
      for (std::uint8_t& group : groups_) {
        if (group == most) group = least;
      }
    }
  }
}

}  // namespace sennit
