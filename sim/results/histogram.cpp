#include "sim/results/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sennit {
namespace {

constexpr unsigned linear_bits = 7;
constexpr std::uint64_t linear = std::uint64_t{1} << linear_bits;

/// Values below 128 have a bucket each; above, the top eight bits name the bucket.
std::size_t bucket_of(std::uint64_t value) {
  if (value < linear) return value;
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - linear_bits;
  return (shift + 1) * linear + ((value >> shift) - linear);
}

std::int64_t middle_of(std::size_t bucket) {
  if (bucket < linear) return static_cast<std::int64_t>(bucket);
  const std::size_t shift = bucket / linear - 1;
  const std::uint64_t low = (linear + bucket % linear) << shift;
  return static_cast<std::int64_t>(low + ((std::uint64_t{1} << shift) >> 1));
}

}  // namespace

void DurationHistogram::add(Duration value) {
  const std::int64_t ns = std::max<std::int64_t>(0, value.count());
  const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(ns));
  if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
  ++buckets_[bucket];
  ++count_;
  min_ns_ = std::min(min_ns_, ns);
  max_ns_ = std::max(max_ns_, ns);
  sum_s_ += static_cast<double>(ns) * 1e-9;
}

void DurationHistogram::merge(const DurationHistogram& other) {
  if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  min_ns_ = std::min(min_ns_, other.min_ns_);
  max_ns_ = std::max(max_ns_, other.max_ns_);
  sum_s_ += other.sum_s_;
}

std::optional<Duration> DurationHistogram::quantile(double q) const {
  if (count_ == 0) return std::nullopt;
  const double exact_rank = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_));
  const std::uint64_t rank =
      std::clamp<std::uint64_t>(static_cast<std::uint64_t>(exact_rank), 1, count_);
  if (rank == count_) return Duration{max_ns_};
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return Duration{std::clamp(middle_of(i), min_ns_, max_ns_)};
  }
  return Duration{max_ns_};
}

std::optional<Duration> DurationHistogram::min() const {
  return count_ == 0 ? std::nullopt : std::optional{Duration{min_ns_}};
}

std::optional<Duration> DurationHistogram::max() const {
  return count_ == 0 ? std::nullopt : std::optional{Duration{max_ns_}};
}

std::optional<double> DurationHistogram::mean_seconds() const {
  if (count_ == 0) return std::nullopt;
  return sum_s_ / static_cast<double>(count_);
}

double DurationHistogram::fraction_above(Duration limit) const {
  if (count_ == 0 || limit.count() < 0) return count_ == 0 ? 0 : 1;
  std::uint64_t above = 0;
  for (std::size_t i = bucket_of(static_cast<std::uint64_t>(limit.count())) + 1;
       i < buckets_.size(); ++i) {
    above += buckets_[i];
  }
  return static_cast<double>(above) / static_cast<double>(count_);
}

}  // namespace sennit
