// Durations of a whole run in bounded memory. A sorted sample is exact but grows, a reservoir
// forgets the tail, which is what we look for. Buckets whose width grows with the value (as
// HdrHistogram's) keep every quantile within 0.4 % and merge without any error.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/units.h"

namespace sennit {

/// 128 linear buckets per power of two of nanoseconds; at most 58 KiB, grown as values need it.
/// Smallest, largest and mean are exact.
class DurationHistogram {
 public:
  /// Negative durations count as zero.
  void add(Duration value);
  void merge(const DurationHistogram& other);

  std::uint64_t count() const { return count_; }
  /// The nearest-rank quantile, q in [0, 1]: the least value that at least q of all do not exceed,
  /// within 0.4 %. None of these have a value while the histogram is empty.
  std::optional<Duration> quantile(double q) const;
  std::optional<Duration> min() const;
  std::optional<Duration> max() const;
  std::optional<double> mean_seconds() const;
  /// Fraction of the values above `limit`, counted by whole buckets.
  double fraction_above(Duration limit) const;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::int64_t min_ns_ = INT64_MAX, max_ns_ = 0;
  double sum_s_ = 0;
};

}  // namespace sennit
