// Rate control in a closed loop with a fluid model of one link: bytes flow in steps of half a
// millisecond through a queue of unlimited length, reports come back after the rest of the round
// trip. Nothing is random, so what is measured is the control itself.
#include "core/rate_control.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>
#include <ostream>

#include "core/one_way_delay.h"
#include "core/rng.h"

namespace sennit {
namespace {

constexpr RateLimits limits{5ms, 20ms, {}};
constexpr BitRate unlimited = BitRate::from_mbps(100'000);

class FluidLink {
 public:
  FluidLink(BitRate capacity, Duration base_rtt, const RateLimits& rate_limits = limits)
      : capacity_(capacity), base_rtt_(base_rtt), control_(rate_limits, now_) {}

  /// Lets `length` pass while the flows want `demand`.
  void run(Duration length, BitRate demand = unlimited) {
    const Instant end = now_ + length;
    carried_ = 0;
    queue_worst_ = {};
    queue_sum_ = {};
    rate_least_ = unlimited;
    for (steps_ = 0; now_ < end; ++steps_) step(demand);
  }
  BitRate capacity() const { return capacity_; }
  void set_capacity(BitRate capacity) { capacity_ = capacity; }
  void set_loss(double loss) { loss_ = loss; }
  void set_marks(double fraction) { marks_ = fraction; }

  RateControl& control() { return control_; }
  Instant now() const { return now_; }
  /// Of the last run().
  double carried_share() const {
    return carried_ / (static_cast<double>(steps_) * bytes_per_step(capacity_));
  }
  Duration queue_worst() const { return queue_worst_; }
  Duration queue_mean() const { return queue_sum_ / std::max(1, steps_); }
  Duration queue_now() const { return from_seconds(queued_ / (bytes_per_step(capacity_) * 2000)); }
  BitRate rate_least() const { return rate_least_; }

 private:
  static constexpr Duration tick = 500us;
  struct Report {
    Instant made{};
    double delivered = 0, limited = 0, sent = 0;
    Duration queue{}, queue_least{};
  };

  static double bytes_per_step(BitRate rate) {
    return static_cast<double>(rate.bits_per_second()) / 8 * to_seconds(tick);
  }

  void step(BitRate demand) {
    now_ += tick;
    const double window =
        static_cast<double>(control_.inflight_limit().count) - (sent_ - acknowledged_);
    const double allowed = std::max(0.0, std::min(bytes_per_step(control_.rate()), window));
    const double wanted = bytes_per_step(demand);
    const double sending = std::min(allowed, wanted);
    sent_ += sending;
    if (wanted > allowed) limited_ += sending;
    queued_ += sending;
    const double out = std::min(queued_, bytes_per_step(capacity_));
    queued_ -= out;
    delivered_ += out;
    carried_ += out;
    queue_worst_ = std::max(queue_worst_, queue_now());
    queue_sum_ += queue_now();
    queue_least_ = std::min(queue_least_.value_or(queue_now()), queue_now());
    rate_least_ = std::min(rate_least_, control_.rate());
    if (now_ >= report_at_) make_report();
    while (!back_.empty() && back_.front().made + base_rtt_ <= now_) take_report();
  }

  void make_report() {
    back_.push_back({now_, delivered_, limited_, sent_, queue_now(), *queue_least_});
    queue_least_.reset();
    report_at_ = now_ + std::clamp<Duration>(srtt_ / 4, 5ms, 25ms);
  }

  void take_report() {
    const Report report = back_.front();
    back_.pop_front();
    const bool news = report.delivered > acknowledged_;
    acknowledged_ = report.delivered;
    if (!news) return;
    const Duration rtt = base_rtt_ + report.queue;
    srtt_ = srtt_ == Duration{} ? rtt : srtt_ + (rtt - srtt_) / 8;
    delay_.on_report(now_, report.queue, report.queue_least);
    RateSample sample{};
    sample.now = now_;
    sample.rtt_smoothed = srtt_;
    sample.rtt_min = base_rtt_;
    sample.delay_noise = delay_.noise();
    sample.in_flight = Bytes{static_cast<std::int64_t>(sent_ - acknowledged_)};
    sample.standing_queue = delay_.standing_queue(srtt_ / 2);
    sample.delay_deviation = delay_.deviation();
    sample.loss = loss_;
    sample.ce_fraction = marks_;
    measure(report, sample);
    control_.on_report(sample);
    known_.push_back(report);
    while (known_.size() > 2 && known_[1].made + 500ms < report.made) known_.pop_front();
  }

  void measure(const Report& report, RateSample& sample) const {
    const Duration span = std::max<Duration>(base_rtt_, 20ms);
    for (auto past = known_.rbegin(); past != known_.rend(); ++past) {
      const Duration over = report.made - past->made;
      if (over < span) continue;
      sample.delivery_rate =
          BitRate::from(Bytes{static_cast<std::int64_t>(report.delivered - past->delivered)}, over);
      sample.app_limited = report.limited - past->limited < 0.85 * (report.sent - past->sent);
      return;
    }
  }

  Instant now_{100s}, report_at_{100s};
  BitRate capacity_;
  Duration base_rtt_;
  RateControl control_;
  OneWayDelay delay_;
  Duration srtt_{};
  double sent_ = 0, limited_ = 0, queued_ = 0, delivered_ = 0, acknowledged_ = 0;
  double loss_ = 0, marks_ = 0;
  std::optional<Duration> queue_least_{Duration{}};
  std::deque<Report> back_, known_;
  double carried_ = 0;
  int steps_ = 0;
  Duration queue_worst_{}, queue_sum_{};
  BitRate rate_least_{};
};

double mbps(BitRate rate) { return rate.mbps(); }

struct Case {
  double mbps;
  Duration rtt;
};
std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.mbps << " Mbit/s, " << to_seconds(c.rtt) * 1e3 << " ms";
}
// On average: the largest queue that may be aimed at, and as much again for probing.
constexpr Duration small_queue = 2 * limits.queue_target_max;

class RateControlOn : public ::testing::TestWithParam<Case> {};

TEST_P(RateControlOn, a_constant_link_it_knows_the_rate_and_keeps_the_queue_small) {
  const auto [rate, rtt] = GetParam();
  FluidLink link{BitRate::from_mbps(rate), rtt};
  link.run(5s);
  link.run(10s);
  EXPECT_NEAR(mbps(link.control().bandwidth()), rate, 0.03 * rate);
  EXPECT_GE(link.carried_share(), 0.97);
  EXPECT_LE(link.queue_mean(), small_queue);
}

TEST_P(RateControlOn, a_new_link_start_up_is_quick_and_its_queue_is_worked_off) {
  const auto [rate, rtt] = GetParam();
  FluidLink link{BitRate::from_mbps(rate), rtt};
  const double doublings = std::max(0.0, std::log2(rate / 2.4));
  link.run(from_seconds((doublings + 8) * std::max(0.05, to_seconds(rtt))));
  EXPECT_GE(mbps(link.control().bandwidth()), 0.9 * rate);
  link.run(3s);
  link.run(1s);
  EXPECT_LE(link.queue_mean(), small_queue);
}

TEST_P(RateControlOn, a_link_that_grows_tenfold_it_follows_within_two_seconds) {
  const auto [rate, rtt] = GetParam();
  FluidLink link{BitRate::from_mbps(rate), rtt};
  link.run(10s);
  link.set_capacity(BitRate::from_mbps(10 * rate));
  link.run(std::max<Duration>(2s, 40 * rtt));
  EXPECT_GE(mbps(link.control().bandwidth()), 9 * rate);
}

TEST_P(RateControlOn, a_link_that_falls_to_a_tenth_it_backs_off_within_a_few_rounds) {
  const auto [rate, rtt] = GetParam();
  FluidLink link{BitRate::from_mbps(rate), rtt};
  link.run(10s);
  link.set_capacity(BitRate::from_mbps(rate / 10));
  link.run(10 * std::max<Duration>(rtt, 50ms));
  EXPECT_LE(mbps(link.control().rate()), 0.2 * rate);
  link.run(8s);
  link.run(2s);
  EXPECT_NEAR(mbps(link.control().bandwidth()), rate / 10, 0.005 * rate);
  EXPECT_GE(link.carried_share(), 0.95);
  EXPECT_LE(link.queue_mean(), small_queue + link.capacity().time_to_send(Bytes{3 * 1500}));
}

INSTANTIATE_TEST_SUITE_P(links, RateControlOn,
                         ::testing::Values(Case{10, 40ms}, Case{50, 20ms}, Case{50, 100ms},
                                           Case{300, 10ms}, Case{20, 200ms}));

// --- what the application does not send, the path is not blamed for ---

TEST(RateControl, an_idle_path_keeps_its_estimate) {
  FluidLink link{BitRate::from_mbps(50), 40ms};
  link.run(10s);
  const BitRate known = link.control().bandwidth();
  link.run(60s, BitRate::from_mbps(1));
  EXPECT_GE(link.control().bandwidth(), known);
  link.run(5s);
  EXPECT_GE(link.carried_share(), 0.95);
}

/// A report of an otherwise steady 40 ms path.
RateSample sample_at(Instant now, double mbps, bool app_limited) {
  RateSample sample{};
  sample.now = now;
  sample.delivery_rate = BitRate::from_mbps(mbps);
  sample.app_limited = app_limited;
  sample.rtt_smoothed = sample.rtt_min = 40ms;
  return sample;
}

TEST(RateControl, samples_that_the_application_limited_raise_the_estimate_but_never_lower_it) {
  RateControl control{limits, Instant{100s}};
  Instant now{100s};
  for (int i = 0; i < 500; ++i) control.on_report(sample_at(now += 10ms, 30, false));
  const BitRate known = control.bandwidth();
  EXPECT_NEAR(mbps(known), 30, 0.1);
  for (int i = 0; i < 6000; ++i) {
    control.on_report(sample_at(now += 10ms, 0.5 + i % 7, true));
    ASSERT_EQ(control.bandwidth(), known);
  }
  control.on_report(sample_at(now += 10ms, 45, true));
  EXPECT_NEAR(mbps(control.bandwidth()), 45, 0.1);
}

TEST(RateControl, a_trickle_does_not_end_start_up) {
  FluidLink link{BitRate::from_mbps(100), 40ms};
  link.run(20s, BitRate::from_mbps(1));
  EXPECT_EQ(link.control().phase(), RateControl::Phase::startup);
  link.run(2s);
  EXPECT_GE(mbps(link.control().bandwidth()), 85) << "as quickly as a new path would";
}

// --- congestion signals, bounds, restart ---

TEST(RateControl, random_loss_without_a_queue_does_not_slow_it_down) {
  FluidLink link{BitRate::from_mbps(50), 40ms};
  link.set_loss(0.05);
  link.run(10s);
  link.run(5s);
  EXPECT_GE(link.carried_share(), 0.9);
}

TEST(RateControl, loss_with_a_queue_and_marks_without_slow_it_down) {
  for (const bool marks : {false, true}) {
    RateControl control{limits, Instant{100s}};
    Instant now{100s};
    for (int i = 0; i < 500; ++i) control.on_report(sample_at(now += 10ms, 30, false));
    const BitRate before = control.bandwidth();
    RateSample sample = sample_at(now += 100ms, 30, false);
    if (marks) {
      sample.ce_fraction = 0.5;
    } else {
      sample.loss = 0.1;
      sample.standing_queue = control.queue_target();
    }
    control.on_report(sample);
    EXPECT_LE(mbps(control.bandwidth()), 0.9 * mbps(before)) << (marks ? "marks" : "loss");
  }
}

TEST(RateControl, one_round_of_losses_is_one_reduction) {
  RateControl control{limits, Instant{100s}};
  Instant now{100s};
  for (int i = 0; i < 500; ++i) control.on_report(sample_at(now += 10ms, 30, false));
  const BitRate before = control.bandwidth();
  for (int i = 0; i < 4; ++i) {  // four reports within one round trip
    RateSample sample = sample_at(now += 5ms, 0, false);
    sample.ce_fraction = 0.5;
    control.on_report(sample);
  }
  EXPECT_GE(mbps(control.bandwidth()), 0.5 * mbps(before));
}

TEST(RateControl, a_contracted_rate_caps_it) {
  RateLimits capped = limits;
  capped.rate_max = BitRate::from_mbps(20);
  FluidLink link{BitRate::from_mbps(100), 40ms, capped};
  for (int i = 0; i < 500; ++i) {
    link.run(10ms);
    ASSERT_LE(link.control().rate(), i == 0 ? unlimited : capped.rate_max);
  }
  link.run(2s);
  EXPECT_NEAR(link.carried_share(), 0.2, 0.01);
}

TEST(RateControl, its_rate_and_window_are_never_zero_whatever_is_reported) {
  RateControl control{limits, Instant{100s}};
  Instant now{100s};
  Rng rng{1};
  for (int i = 0; i < 20'000; ++i) {
    RateSample sample = sample_at(now += 1ms * static_cast<int>(rng.below(50)),
                                  rng.chance(0.3) ? 0 : rng.exponential(), rng.chance(0.3));
    sample.standing_queue = 1ms * static_cast<int>(rng.below(3000));
    sample.loss = rng.uniform();
    sample.ce_fraction = rng.uniform();
    sample.rtt_smoothed = 1us * static_cast<int>(rng.below(1'000'000));
    sample.rtt_min =
        std::min<Duration>(sample.rtt_smoothed, 1us * static_cast<int>(rng.below(1'000'000)));
    control.on_report(sample);
    ASSERT_GT(control.rate().bits_per_second(), 0);
    ASSERT_GT(control.sustained().bits_per_second(), 0);
    ASSERT_GE(control.inflight_limit(), Bytes{1500}) << "a full packet must always fit";
  }
}

TEST(RateControl, a_path_that_was_away_begins_at_half_and_grows_from_there) {
  FluidLink link{BitRate::from_mbps(50), 40ms};
  link.run(10s);
  const double before = mbps(link.control().bandwidth());
  link.control().on_restart(link.now());
  EXPECT_NEAR(mbps(link.control().rate()), before / 2, 0.02 * before);
  link.run(2s);
  EXPECT_GE(mbps(link.control().bandwidth()), 0.9 * before);
}

}  // namespace
}  // namespace sennit
