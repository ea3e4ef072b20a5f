#include "core/one_way_delay.h"

#include <gtest/gtest.h>

#include <deque>

#include "core/path_monitor.h"
#include "core/rng.h"

namespace sennit {
namespace {

/// Reports every 10 ms from `from` for `length` of a delay that does not change.
Instant report(OneWayDelay& delay, Instant from, Duration length, Duration value) {
  Instant now = from;
  for (; now < from + length; now += 10ms) delay.on_report(now, value, value);
  return now;
}

TEST(OneWayDelay, nothing_is_known_before_the_first_report) {
  const OneWayDelay delay;
  EXPECT_FALSE(delay.measured());
  EXPECT_EQ(delay.standing_queue(50ms), Duration::zero());
}

TEST(OneWayDelay, a_constant_delay_has_no_queue_and_no_deviation) {
  OneWayDelay delay;
  report(delay, Instant{100s}, 3s, 40ms);
  EXPECT_TRUE(delay.measured());
  EXPECT_EQ(delay.smoothed(), 40ms);
  EXPECT_EQ(delay.deviation(), Duration::zero());
  EXPECT_EQ(delay.base(), 40ms);
  EXPECT_EQ(delay.standing_queue(50ms), Duration::zero());
}

TEST(OneWayDelay, negative_delays_are_as_good_as_any) {
  OneWayDelay delay;  // relative to another path's first datagram, which was slower
  const Instant end = report(delay, Instant{100s}, 1s, -30ms);
  report(delay, end, 1s, -20ms);
  EXPECT_EQ(delay.base(), -30ms);
  EXPECT_EQ(delay.standing_queue(50ms), 10ms);
}

TEST(OneWayDelay, a_queue_that_stands_is_seen_and_one_burst_is_not) {
  OneWayDelay delay;
  Instant now = report(delay, Instant{100s}, 2s, 40ms);
  delay.on_report(now, 90ms, 90ms);
  EXPECT_EQ(delay.standing_queue(50ms), Duration::zero()) << "one late report is no queue";
  now = report(delay, now + 10ms, 200ms, 90ms);
  EXPECT_EQ(delay.standing_queue(50ms), 50ms);
  report(delay, now, 10ms, 42ms);
  EXPECT_EQ(delay.standing_queue(50ms), 2ms) << "it is gone as soon as one packet finds none";
}

TEST(OneWayDelay, smoothing_and_deviation_follow_the_newest) {
  OneWayDelay delay;
  const Instant end = report(delay, Instant{100s}, 1s, 40ms);
  for (int i = 0; i < 200; ++i) {
    const Duration value = i % 2 == 0 ? 55ms : 65ms;
    delay.on_report(end + i * 10ms, value, 55ms);
  }
  EXPECT_NEAR(to_seconds(delay.smoothed()), 0.060, 0.003);
  EXPECT_NEAR(to_seconds(delay.deviation()), 0.005, 0.002);
}

TEST(OneWayDelay, the_base_is_forgotten_after_ten_seconds) {
  OneWayDelay delay;
  Instant now = report(delay, Instant{100s}, 10ms, 40ms);
  now = report(delay, now, 9s, 70ms);  // a longer route
  EXPECT_EQ(delay.base(), 40ms);
  report(delay, now, 3s, 70ms);
  EXPECT_EQ(delay.base(), 70ms);
  EXPECT_EQ(delay.standing_queue(50ms), Duration::zero());
}

// The slots of one second each against all samples: within a second of the ten it promises.
TEST(OneWayDelay, the_base_is_the_least_of_about_ten_seconds) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng{seed};
    OneWayDelay delay;
    std::deque<std::pair<Instant, Duration>> all;
    Instant now{50s};
    for (int i = 0; i < 3000; ++i) {
      now += Duration{1ms} * static_cast<int>(1 + rng.below(rng.chance(0.01) ? 3000 : 30));
      const Duration value = 1us * static_cast<int>(rng.below(1'000'000));
      delay.on_report(now, value, value);
      all.emplace_back(now, value);
      while (all.front().first < now - 11s) all.pop_front();
      Duration of_nine = Duration::max(), of_eleven = Duration::max();
      for (const auto& [at, v] : all) {
        of_eleven = std::min(of_eleven, v);
        if (at > now - 9s) of_nine = std::min(of_nine, v);
      }
      ASSERT_LE(delay.base(), of_nine) << "seed " << seed << " step " << i;
      ASSERT_GE(delay.base(), of_eleven) << "seed " << seed << " step " << i;
      ASSERT_GE(delay.standing_queue(50ms), Duration::zero());
    }
  }
}

TEST(OneWayDelay, the_slopes_of_a_queue_are_no_noise) {
  OneWayDelay delay;
  Instant now{100s};
  for (int i = 0; i < 200; ++i) {
    const Duration queue = (i / 50) % 2 == 0 ? i % 50 * 1ms : (50 - i % 50) * 1ms;
    delay.on_report(now += 10ms, 20ms + queue, 20ms + queue);
  }
  EXPECT_LT(delay.noise(), 200us);
}

TEST(OneWayDelay, noise_is_about_half_of_the_standard_deviation_of_the_reports) {
  OneWayDelay delay;
  Rng rng{4};
  Instant now{100s};
  double sum = 0;
  for (int i = 0; i < 4000; ++i) {
    double normal = -6;  // Irwin and Hall: nearly normal, variance 1
    for (int k = 0; k < 12; ++k) normal += rng.uniform();
    const Duration value = 40ms + scaled(10ms, normal);
    delay.on_report(now += 10ms, value, value);
    sum += to_seconds(delay.noise());
  }
  EXPECT_NEAR(sum / 4000, 0.0056, 0.0005);
}

TEST(OneWayDelay, a_path_that_was_away_starts_anew) {
  OneWayDelay delay;
  report(delay, Instant{100s}, 2s, 20ms);
  delay.forget();
  EXPECT_FALSE(delay.measured());
  report(delay, Instant{103s}, 10ms, 80ms);
  EXPECT_EQ(delay.smoothed(), 80ms);
  EXPECT_EQ(delay.base(), 80ms);
}

TEST(ClockOffset, differences_are_exact_across_the_wrap_of_the_clock) {
  ClockOffset offset;
  EXPECT_EQ(offset.relative(0xfffffff0), Duration::zero());
  EXPECT_EQ(offset.relative(0x00000010), 32us);
  EXPECT_EQ(offset.relative(0xffffff00), -240us);
}

}  // namespace
}  // namespace sennit
