// Which paths share a bottleneck: several SIM cards in one mast, two providers on one cable.
//
// Two paths of one bottleneck do not add up, and each one's probe stands in the other's way. Nobody
// tells, but delays do: in a queue that is not empty, delay grows with what is sent into it,
//
//   d(queue)/dt = a x own rate + b x other path's rate + c
//
// with a = b = 1 / capacity if both go through that queue, and b = 0 if the other one does not.
// Both rates are known exactly, because one sender makes them. So every 50 ms in which a path has a
// queue is one point of a regression with two regressors for each other path, and the question is
// whether b is nearer to a than to zero, in standard errors. Both paths of a pair must say so.
//
// RFC 8382 compares how delays are distributed (skewness, variability, oscillation), because its
// flows have different senders. That fails here: two equal links under one rate control have equal
// statistics. Nor does it help to correlate delays: two control loops that began at one instant
// probe in step for many seconds (correlation above 0.95 over four seconds), and TCP drives both.
// The regression cannot be misled by that: of rates that move together it says that it does not
// know, and the standard error shows it (docs/adr/0015).
//
// What one path does not send says nothing: an idle one is in no group, or stays for a while in the
// one that it was found in.
#pragma once

#include <array>
#include <cstdint>

#include "core/bounds.h"
#include "core/units.h"

namespace sennit {

/// How a queue grows with what two paths send: least squares over the last few seconds.
class QueueGrowth {
 public:
  /// Mean rates over one interval, Mbit/s, and by how much the delay grew, seconds per second.
  void add(double own, double other, double growth);
  /// By how many standard errors the other path's effect is nearer to that of the own (positive) or
  /// to none (negative). Zero when too little is known.
  double evidence() const;

 private:
  double weight_ = 0;
  double own_ = 0, other_ = 0, growth_ = 0;  // means
  // Sums of products of deviations from the means.
  double own_own_ = 0, own_other_ = 0, other_other_ = 0;
  double own_growth_ = 0, other_growth_ = 0, growth_growth_ = 0;
};

/// What a report tells of one path.
struct BottleneckSample {
  Instant sent{};                                     // when the newest datagram it tells of left
  Duration queue{};                                   // that one's delay beyond the path's least
  std::array<std::uint64_t, paths_max> sent_bytes{};  // on each path until then
};

class SharedBottlenecks {
 public:
  SharedBottlenecks();

  /// Whether a sample of a datagram that left at `sent` would be used.
  bool wants(PathId path, Instant sent) const;
  /// True if the groups changed.
  bool on_sample(PathId path, const BottleneckSample& sample);
  /// The path is away: what it was is no longer known. True if the groups changed.
  bool forget(PathId path);
  /// The least id of the paths behind the same bottleneck; the path's own if none is known.
  PathId group(PathId path) const { return PathId{groups_[index(path)]}; }

 private:
  struct Pair {
    QueueGrowth growth;  // of the first path's queue
    Instant measured{};  // its newest point
    bool shared = false;
  };
  void measure(PathId path, const BottleneckSample& before, const BottleneckSample& sample);
  bool judge(std::size_t one, std::size_t two, Instant now);
  void regroup();
  Pair& pair(std::size_t one, std::size_t two) { return pairs_[one * paths_max + two]; }

  std::array<Pair, paths_max * paths_max> pairs_{};
  std::array<BottleneckSample, paths_max> last_{};
  std::array<std::uint8_t, paths_max> groups_{};
};

}  // namespace sennit
