// How fast one path may be sent to, from what its receiver reports; no rate has to be configured.
//
// The problem: inner TCP flows already do congestion control, so the outer loop must neither fight
// them nor hide the path's capacity from them. It models the path as BBR does (delivery rate and
// base delay) and keeps a small standing queue as Copa does, so that the inner flows' queue stands
// in our ingress, where FQ-CoDel and the scheduler can see it.
//
// What failed on the way (measured with a throw-away prototype): a rate that follows the standing
// queue continuously oscillates (0.85 of the bound); a fixed gain of 1.15 per cycle needs 20 s to
// find a link that grew; samples taken while nothing waited drag an idle path's estimate down until
// the scheduler never uses it again.
//
// The solution: start-up at gain 2.77, with at most two bandwidth-delay products in flight, until
// growth stops; then cycles of a probe at 1.25 (is there
// more?), a round at 0.90 (drain what that cost) and some rounds at 1.0; a windowed maximum of the
// delivery rate; corrections when the standing queue exceeds its target. A probe that finds more
// without building a queue goes on, its excess doubling every round, so a link that grew (radio) is
// found in a few round trips. A path whose bandwidth stays the same from probe to probe is probed
// by no more than the queue's target holds, and less and less often. Application-limited samples
// only ever raise the estimate, and jitter is not taken for a queue (OneWayDelay::noise()).
//
// Sources: Cardwell et al., BBR (draft-cardwell-iccrg-bbr-congestion-control); Arun and
// Balakrishnan, Copa (NSDI 2018); Pieska et al., nested congestion control (2024).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/units.h"

namespace sennit {

/// One report's worth of measurement.
struct RateSample {
  Instant now;
  BitRate delivery_rate{};     // over about one round trip; zero when none could be taken
  double stretch = 2;          // time of arriving over time of sending, of that
  bool app_limited = true;     // the path was not the limit while the sample was taken
  Duration standing_queue{};   // least one-way delay of the last half round trip minus the base
  Duration delay_deviation{};  // mean deviation of the one-way delay: the noise in standing_queue
  Duration delay_noise{};      // what single reports of standing_queue stray by
  Duration rtt_smoothed{}, rtt_min{};
  Bytes in_flight{};       // unacknowledged after the report
  double loss = 0;         // fraction of the datagrams that this report decided
  double ce_fraction = 0;  // fraction of them that carried a congestion mark
};

struct RateLimits {
  Duration queue_target_min{}, queue_target_max{};
  BitRate rate_max{};  // contracted; zero = none
};

class RateControl {
 public:
  enum class Phase : std::uint8_t { startup, drain, probe_up, probe_down, cruise };

  RateControl(const RateLimits& limits, Instant now);

  void on_report(const RateSample& sample);
  /// The path was away: begin again at half of what it had, and grow from there.
  void on_restart(Instant now);

  BitRate rate() const { return rate_; }  // for the pacer; never zero
  /// What the path sustains now: the pacing rate without its probing gain. For schedulers.
  BitRate sustained() const { return std::max(bandwidth_.scaled_by(queue_gain_), rate_floor); }
  /// What the path carries is known: start-up has met its limit. Where the delay jitters, what
  /// looked like a queue may have ended it early, so that a probe must have failed, too.
  bool settled() const {
    return phase_ != Phase::startup && phase_ != Phase::drain &&
           (grew_no_more_ || !jitters_ || failed_probes_ > 0);
  }
  /// The path has been the limit of what it was given.
  bool measured() const { return measured_; }
  BitRate bandwidth() const { return bandwidth_; }  // windowed maximum of the delivery rate
  /// Bytes that may be unacknowledged: rate x (base round trip + target queue + report interval),
  /// and a margin for aggregation.
  Bytes inflight_limit() const { return inflight_limit_; }
  Duration queue_target() const { return queue_target_; }
  /// Its parts: what is aimed at, and what an empty link seems to hold where the delay jitters.
  Duration queue_aim() const { return queue_aim_; }
  Duration jitter_allowance() const { return queue_target_ - queue_aim_; }
  /// The standing queue has not gone for so long, at so reduced a rate, that it cannot be ours: the
  /// base delay has risen (a new route), or somebody else keeps a queue there.
  bool base_delay_is_stale() const { return base_delay_is_stale_; }
  Phase phase() const { return phase_; }

 private:
  void enter(Phase phase, Instant now);
  void update_bandwidth(const RateSample& sample);
  void run_startup(const RateSample& sample);
  void run_cycle(const RateSample& sample);
  void run_probe_up(const RateSample& sample);
  int cruise_rounds_after(const RateSample& sample) const;
  Duration touch_length() const;
  void follow_variation();
  void correct_for_queue(const RateSample& sample);
  void correct_for_congestion_signals(const RateSample& sample);
  void set_limits(const RateSample& sample);
  void forget_bandwidth_above(BitRate limit);

  struct Peak {
    Instant at{};
    BitRate rate{};
  };
  // Below this, one full packet takes a tenth of a second: keep measuring.
  static constexpr auto rate_floor = BitRate::from_bits_per_second(100'000);
  static constexpr std::size_t peaks_max = 8;  // time slots of the windowed maximum

  RateLimits limits_;
  Phase phase_ = Phase::startup;
  Instant phase_began_, last_reduction_, last_forgot_;
  Instant queue_small_at_;  // when the standing queue was last near its target
  std::array<Peak, peaks_max> peaks_{};
  std::size_t peak_at_ = 0;
  BitRate bandwidth_, latest_, rate_;
  BitRate round_start_bandwidth_;
  Instant round_began_;
  int rounds_without_growth_ = 0, startup_rounds_ = 0;
  bool startup_loses_ = false;
  bool probe_was_limited_ = false;  // the path was the limit in some sample of this probe round
  bool touching_ = false;           // the probe's first round: it only touches the path's limit
  int failed_probes_ = 0;           // in a row
  // Of the bandwidth, from probe to probe; a new path is taken for a varying one, and probed in
  // full.
  double bandwidth_mean_ = 0, variation_ = 0.2;
  Duration probe_start_queue_{}, last_queue_{};
  double gain_;
  double queue_gain_ = 1.0;
  bool base_delay_is_stale_ = false;
  bool measured_ = false;
  bool grew_no_more_ = false;  // start-up ended because the bandwidth did
  bool jitters_ = false;
  Duration round_;
  Duration queue_aim_{}, queue_target_;
  Bytes inflight_limit_;
};

}  // namespace sennit
