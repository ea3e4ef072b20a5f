#include "core/rate_control.h"

#include <algorithm>
#include <cmath>

namespace sennit {
namespace {

constexpr double startup_gain = 2.77;  // 4 ln 2: doubles the rate every round trip (BBR)
// Of the bandwidth-delay product, in flight. What is beyond it stands in a queue when the path's
// limit is met, beside TCP flows that begin at the same time: with 1.5 instead of 2 they end their
// slow start later (20 MiB: 0.79 -> 0.83 of the bound; LTE: 0.84 -> 0.87). Where the delay jitters,
// that is too little to find the limit (50 Mbit/s, 10 ms of jitter: 0.87 -> 0.60).
constexpr double startup_window_gain = 1.5;
constexpr double startup_window_gain_with_jitter = 2.0;
constexpr double drain_gain = 1.0 / startup_gain;
constexpr double probe_gain_first = 1.25;
constexpr double probe_gain_last = 2.0;
constexpr double probe_down_gain = 0.90;
constexpr int cruise_rounds = 5;  // between probes of a path that had no more to give
// Mean deviation of the bandwidth from probe to probe, relative: below it, a path is what it was.
constexpr double variation_of_steady = 0.05;
constexpr double variation_gain = 1.0 / 16;
constexpr double growth_expected = 1.25;  // of the bandwidth per start-up round (BBR)
// BBR waits for three; with a window of 1.5 products the third finds what the second did, but for
// lines that lose, where a round may bring less by chance (with two, 30 % of loss ended start-up so
// early that a CUBIC flow over it and a clean link had less than over the clean one alone).
constexpr int plateau_rounds = 2;
constexpr int plateau_rounds_with_loss = 3;
constexpr int startup_rounds_min = 3;    // before a queue may end start-up
constexpr double stretch_of_full = 1.3;  // start-up sends at 2 to 2.77 times the bandwidth
// The base delay is the least of thousands of packets, a report the least of a few: where the delay
// jitters by a standard deviation s, an empty link seems to hold 2.6 s of queue. Noise is 0.56 s.
constexpr int noise_weight = 5;
constexpr double random_loss_max = 0.02;  // above it, with a queue, loss is congestion
constexpr double congestion_backoff = 0.7;

// Ten packets in flight over an assumed 50 ms, as RFC 6928's initial window: enough to measure.
constexpr auto initial_rate = BitRate::from_bits_per_second(2'400'000);
constexpr auto initial_round = std::chrono::milliseconds{50};
// Link layers with frames of 5-10 ms (LTE, Wi-Fi, Starlink) make shorter rounds meaningless.
constexpr auto round_min = std::chrono::milliseconds{20};
constexpr Bytes packets_margin{3 * 1500};
// A queue of ours is worked off within two rounds or 100 ms; ten times that is proof.
constexpr Duration base_patience = 1s;

}  // namespace

RateControl::RateControl(const RateLimits& limits, Instant now)
    : limits_(limits),
      phase_began_(now),
      last_reduction_(now),
      last_forgot_(now),
      queue_small_at_(now),
      bandwidth_(initial_rate),
      latest_(initial_rate),
      rate_(initial_rate.scaled_by(startup_gain)),
      round_began_(now),
      gain_(startup_gain),
      round_(initial_round),
      queue_target_(limits.queue_target_min),
      inflight_limit_(rate_.sent_in(4 * initial_round) + packets_margin) {}

void RateControl::on_restart(Instant now) {
  const BitRate half = std::max(bandwidth_.scaled_by(0.5), rate_floor);
  peaks_.fill({});
  peaks_[peak_at_] = {now, half};
  bandwidth_ = latest_ = half;
  round_start_bandwidth_ = BitRate{};
  rounds_without_growth_ = 0;
  grew_no_more_ = false;
  queue_gain_ = 1.0;
  enter(Phase::startup, now);
  rate_ = half;
}

void RateControl::enter(Phase phase, Instant now) {
  phase_ = phase;
  phase_began_ = now;
  switch (phase) {
    case Phase::startup:
      gain_ = startup_gain;
      startup_rounds_ = 0;
      startup_loses_ = false;
      round_began_ = now;
      break;
    case Phase::drain:
      gain_ = drain_gain;
      break;
    case Phase::probe_up:
      gain_ = probe_gain_first;
      touching_ = variation_ < variation_of_steady;
      follow_variation();
      probe_start_queue_ = last_queue_;
      probe_was_limited_ = false;
      round_start_bandwidth_ = bandwidth_;
      // The effect of a higher rate shows one round later.
      round_began_ = now + round_;
      break;
    case Phase::probe_down:
      gain_ = probe_down_gain;
      break;
    case Phase::cruise:
      gain_ = 1.0;
      break;
  }
}

void RateControl::on_report(const RateSample& sample) {
  round_ = std::max<Duration>(sample.rtt_smoothed, round_min);
  // A radio link's delay varies by itself: below its noise no queue can be aimed at.
  queue_aim_ = std::clamp(std::max(scaled(sample.rtt_min, 0.1), sample.delay_deviation),
                          limits_.queue_target_min, limits_.queue_target_max);
  queue_target_ = queue_aim_ + noise_weight * sample.delay_noise;
  last_queue_ = sample.standing_queue;
  jitters_ = sample.delay_deviation > limits_.queue_target_min / 2;
  update_bandwidth(sample);
  if (phase_ == Phase::startup || phase_ == Phase::drain) {
    run_startup(sample);
  } else {
    run_cycle(sample);
  }
  correct_for_queue(sample);
  correct_for_congestion_signals(sample);
  set_limits(sample);
}

// The maximum over the last eight to ten rounds, kept in time slots of a bit more than one round.
void RateControl::update_bandwidth(const RateSample& sample) {
  if (sample.delivery_rate.is_zero()) return;
  measured_ = measured_ || !sample.app_limited;
  if (sample.app_limited && sample.delivery_rate < bandwidth_) return;
  latest_ = sample.delivery_rate;
  const Duration slot = scaled(round_, 1.25);
  if (sample.now - peaks_[peak_at_].at >= slot) {
    peak_at_ = (peak_at_ + 1) % peaks_max;
    peaks_[peak_at_] = {sample.now, sample.delivery_rate};
  }
  peaks_[peak_at_].rate = std::max(peaks_[peak_at_].rate, sample.delivery_rate);
  const Instant oldest = sample.now - slot * static_cast<int>(peaks_max);
  bandwidth_ = BitRate{};
  for (const Peak& peak : peaks_) {
    if (peak.at >= oldest) bandwidth_ = std::max(bandwidth_, peak.rate);
  }
}

void RateControl::run_startup(const RateSample& sample) {
  // What looks like a queue cannot be one beyond what is in flight: the first packets over a path
  // whose delay jitters must not end its start-up.
  const Duration in_flight = latest_.time_to_send(sample.in_flight + packets_margin);
  const Duration queue = std::min(sample.standing_queue, in_flight - sample.rtt_min);
  // Nor does a queue grow while packets arrive as fast as they are sent. What is in flight is
  // bounded by twice what was measured, so it does no harm to look at a few rounds first.
  const bool queue_full = startup_rounds_ >= startup_rounds_min && queue > 3 * queue_target_ &&
                          sample.stretch > stretch_of_full;
  if (phase_ == Phase::drain) {
    if (sample.standing_queue <= queue_target_ || sample.now - phase_began_ > 4 * round_) {
      enter(Phase::cruise, sample.now);
    }
    return;
  }
  if (sample.now - round_began_ >= round_) {
    round_began_ = sample.now;
    if (!sample.app_limited) {
      const bool grew = bandwidth_ >= round_start_bandwidth_.scaled_by(growth_expected);
      rounds_without_growth_ = grew ? 0 : rounds_without_growth_ + 1;
    }
    round_start_bandwidth_ = bandwidth_;
    ++startup_rounds_;
  }
  startup_loses_ = startup_loses_ || sample.loss > random_loss_max;
  const bool plateau =
      rounds_without_growth_ >= (startup_loses_ ? plateau_rounds_with_loss : plateau_rounds);
  grew_no_more_ = plateau;
  if (plateau || queue_full) enter(Phase::drain, sample.now);
}

void RateControl::run_cycle(const RateSample& sample) {
  const Duration in_phase = sample.now - phase_began_;
  switch (phase_) {
    case Phase::probe_up:
      run_probe_up(sample);
      break;
    case Phase::probe_down:
      if (in_phase >= round_ || sample.standing_queue < queue_target_ / 2) {
        enter(Phase::cruise, sample.now);
      }
      break;
    case Phase::cruise:
      // An idle path need not be probed; the first packets after that may probe at once.
      if (in_phase >= cruise_rounds_after(sample) * round_ && !sample.app_limited) {
        enter(Phase::probe_up, sample.now);
      }
      break;
    case Phase::startup:
    case Phase::drain:
      break;
  }
}

// A path that gave more when last asked is asked again at once; one that did not, less and less
// often. With a standing queue there is nothing to ask for.
int RateControl::cruise_rounds_after(const RateSample& sample) const {
  if (sample.standing_queue >= queue_target_ / 2) return cruise_rounds;
  return variation_ < variation_of_steady ? std::min(1 + failed_probes_, cruise_rounds) : 1;
}

// What a probe sends beyond what the path is known to carry is queued if the path has no more, and
// news of that takes a round trip. So the first round sends no more in excess than the queue's
// target, then waits; only a path that gave more is probed for whole rounds.
Duration RateControl::touch_length() const {
  return std::min(round_, scaled(queue_target_, 1.0 / (probe_gain_first - 1.0)));
}

void RateControl::follow_variation() {
  const double now = bandwidth_.mbps();
  if (bandwidth_mean_ <= 0) bandwidth_mean_ = now;
  variation_ +=
      (std::min(1.0, std::abs(now / bandwidth_mean_ - 1.0)) - variation_) * variation_gain;
  bandwidth_mean_ += (now - bandwidth_mean_) * variation_gain;
}

void RateControl::run_probe_up(const RateSample& sample) {
  probe_was_limited_ = probe_was_limited_ || !sample.app_limited;
  if (sample.standing_queue > probe_start_queue_ + queue_target_) {
    ++failed_probes_;
    enter(Phase::probe_down, sample.now);
    return;
  }
  const Duration touch = touch_length();
  if (touching_ && sample.now - phase_began_ >= touch) gain_ = 1.0;
  if (sample.now - round_began_ < (touching_ ? touch : round_)) return;
  const double excess =
      touching_ ? (probe_gain_first - 1.0) * (to_seconds(touch) / to_seconds(round_)) : gain_ - 1.0;
  const bool delivered = bandwidth_ >= round_start_bandwidth_.scaled_by(1.0 + 0.5 * excess);
  if (!probe_was_limited_ || !delivered) {
    if (probe_was_limited_) ++failed_probes_;
    enter(probe_was_limited_ ? Phase::probe_down : Phase::cruise, sample.now);
    return;
  }
  failed_probes_ = 0;
  gain_ = touching_ ? probe_gain_first : std::min(1.0 + (gain_ - 1.0) * 2.0, probe_gain_last);
  touching_ = false;
  round_start_bandwidth_ = bandwidth_;
  round_began_ = sample.now;
  probe_was_limited_ = false;
}

void RateControl::correct_for_queue(const RateSample& sample) {
  const Duration q = sample.standing_queue;
  queue_gain_ = 1.0;
  base_delay_is_stale_ = false;
  if (q <= scaled(queue_target_, 1.5)) queue_small_at_ = sample.now;
  if (phase_ == Phase::startup || phase_ == Phase::drain) return;
  if (q <= scaled(queue_target_, 1.5)) return;
  if (sample.now - queue_small_at_ > std::max<Duration>(base_patience, 10 * round_)) {
    base_delay_is_stale_ = true;
    queue_small_at_ = sample.now;
    return;
  }
  // Work the excess off within two rounds or 100 ms, but keep measuring.
  const double excess = to_seconds(q - queue_target_);
  queue_gain_ = std::clamp(1.0 - excess / std::max(0.1, to_seconds(2 * round_)), 0.4, 0.95);
  // The path became slower: what it delivered before is history. What is measured in the next two
  // rounds is our own restraint and says nothing.
  const bool slower = q > 3 * queue_target_ && !sample.app_limited;
  if (!slower || sample.now - last_forgot_ < 2 * round_) return;
  const BitRate now_known = std::max(latest_.scaled_by(1.05), rate_floor);
  if (now_known >= bandwidth_) return;  // the queue is news, the rate is still of the time before
  last_forgot_ = sample.now;
  failed_probes_ = 0;  // it changes
  forget_bandwidth_above(now_known);
}

void RateControl::correct_for_congestion_signals(const RateSample& sample) {
  if (sample.now - last_reduction_ < round_) return;
  const bool congestion_loss =
      sample.loss > random_loss_max && sample.standing_queue > queue_target_ / 2;
  double factor = 1.0;
  if (congestion_loss) factor = congestion_backoff;
  if (sample.ce_fraction > 0) factor = std::min(factor, 1.0 - sample.ce_fraction / 2);  // DCTCP
  if (factor >= 1.0) return;
  last_reduction_ = sample.now;
  forget_bandwidth_above(std::max(bandwidth_.scaled_by(factor), rate_floor));
  if (phase_ == Phase::startup) enter(Phase::drain, sample.now);
}

void RateControl::forget_bandwidth_above(BitRate limit) {
  for (Peak& peak : peaks_) peak.rate = std::min(peak.rate, limit);
  bandwidth_ = std::min(bandwidth_, limit);
}

void RateControl::set_limits(const RateSample& sample) {
  rate_ = std::max(bandwidth_.scaled_by(gain_ * queue_gain_), rate_floor);
  if (!limits_.rate_max.is_zero()) rate_ = std::min(rate_, limits_.rate_max);
  const Duration report = std::clamp<Duration>(sample.rtt_smoothed / 4, 5ms, 25ms);
  const Duration span =
      std::max<Duration>(sample.rtt_min, 1ms) + scaled(queue_target_, 1.5) + report + Duration{2ms};
  if (phase_ == Phase::startup) {
    // Doubles every round trip and leaves no more than about a round trip's queue behind.
    const Duration round =
        std::max<Duration>(sample.rtt_min, 1ms) + 4 * sample.delay_noise + report;
    const double gain = jitters_ ? startup_window_gain_with_jitter : startup_window_gain;
    inflight_limit_ = bandwidth_.scaled_by(gain).sent_in(round) + packets_margin;
    return;
  }
  const double gain = std::max(1.0, gain_);
  inflight_limit_ = bandwidth_.scaled_by(gain).sent_in(span) + packets_margin;
}

}  // namespace sennit
