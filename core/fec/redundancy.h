// How many repairs are enough. Pure functions.
//
// Everything is computed by stepping a two-state channel symbol by symbol and keeping the
// distribution of the number of losses: exact for bursts, exact for independent losses (a burst
// channel whose bursts have the length that chance gives them), without a normal approximation,
// which is wrong just where it matters, and by additions and multiplications only, so that the
// choice is the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/fec/block_code.h"

namespace sennit {

/// A two-state channel: loses nothing in the good state, everything in the bad one.
struct LossChannel {
  double to_bad = 0;   // probability per symbol of good -> bad
  double to_good = 1;  // and of bad -> good

  /// Independent losses; p in [0, 1].
  static LossChannel independent(double p) { return {p, 1 - p}; }
  /// Mean loss in [0, 1] and mean burst length >= 1 in symbols (Gilbert and Elliott, lossless good
  /// and lossy bad state). Where both cannot be had (mean > burst / (burst + 1)), the mean is met.
  static LossChannel bursty(double mean, double burst);

  double mean() const { return to_bad + to_good > 0 ? to_bad / (to_bad + to_good) : 0; }
};

/// Share of the sources that remain lost after a maximum-distance-separable block code whose
/// repairs follow its sources over the channel: E[lost sources; more than r of n = k + r lost] / k.
/// For independent losses that is (1/n) sum_{j>r} j C(n,j) p^j (1-p)^(n-j).
double residual_loss(BlockShape shape, const LossChannel& channel);

/// What is known of the loss that a code must repair.
struct LossEstimate {
  double loss = 0;                 // measured share, [0, 1]
  std::uint64_t observations = 0;  // packets that it was measured on
  double burst = 1;                // mean length of a burst, packets
};

/// The least r whose residual loss is at most `residual_max` at the upper 90 % bound of the loss,
/// p + 1.28 sqrt(p (1 - p) / N), but never more than overhead_max * sources (rounded down) or
/// fec_repair_max. 0 when no loss was ever seen. Also for sliding_rlc with a window of `sources`,
/// which does better than this.
std::size_t choose_repair(std::size_t sources, const LossEstimate& estimate, double residual_max,
                          double overhead_max);

/// Whether a copy of every packet, lost independently of it on another path, leaves less than as
/// many repairs as overhead_max allows, when these do not meet residual_max.
bool duplicating_is_better(std::size_t sources, const LossEstimate& estimate, double residual_max,
                           double overhead_max);

}  // namespace sennit
