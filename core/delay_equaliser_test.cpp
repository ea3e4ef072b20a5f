#include "core/delay_equaliser.h"

#include <gtest/gtest.h>

#include "core/testing/pair.h"

namespace sennit {
namespace {

Instant feed(Saturation& saturation, Instant from, Duration length, bool limited) {
  Instant now = from;
  for (; now < from + length; now += 10ms) saturation.on_sample(now, limited);
  return now;
}

TEST(Saturation, takes_a_few_hundred_milliseconds) {
  Saturation saturation;
  const Instant now = feed(saturation, Instant{10s}, 200ms, true);
  EXPECT_FALSE(saturation.saturated());
  feed(saturation, now, 400ms, true);
  EXPECT_TRUE(saturation.saturated());
}

TEST(Saturation, outlasts_the_pause_in_which_bbr_measures_its_round_trip) {
  Saturation saturation;
  Instant now = feed(saturation, Instant{10s}, 2s, true);
  now = feed(saturation, now, 250ms, false);
  EXPECT_TRUE(saturation.saturated());
  feed(saturation, now, 500ms, false);
  EXPECT_FALSE(saturation.saturated());
}

TEST(Saturation, a_path_that_is_the_limit_half_of_the_time_is_not_full) {
  Saturation saturation;
  Instant now{10s};
  for (int i = 0; i < 50; ++i) {
    now = feed(saturation, now, 50ms, true);
    now = feed(saturation, now, 50ms, false);
    EXPECT_FALSE(saturation.saturated());
  }
}

/// A flow fills 50 Mbit/s at 10 ms and some of 50 Mbit/s at 50 ms, and sends little after 4 s.
struct Pausing {
  Pausing() : pair({symmetric(50, 10ms), symmetric(50, 50ms)}) {
    pair.send_stream(Pair::a, 1, BitRate::from_mbps(80), 4s, 1400);
    pair.run(4s);
    pair.send_stream(Pair::a, 2, BitRate::from_mbps(3), 2s, 1400);
    pair.send_stream(Pair::a, 3, BitRate::from_mbps(0.05), 2s, 100);
    pair.run(2s);
  }
  Duration least(std::uint16_t flow, Instant from, Instant to) const {
    Duration least = Duration::max();
    for (const Delivery& d : pair.delivered(Pair::b)) {
      if (d.flow == flow && d.sent >= from && d.sent < to) least = std::min(least, d.at - d.sent);
    }
    return least;
  }
  Pair pair;
};

TEST(DelayEqualiser, bulk_keeps_the_far_path_s_delay_while_it_pauses) {
  const Pausing run;
  EXPECT_GE(run.least(2, Instant{4s + 50ms}, Instant{4s + 200ms}), 40ms);
}

TEST(DelayEqualiser, and_has_the_near_path_s_again_when_little_is_to_be_sent) {
  const Pausing run;
  EXPECT_LE(run.least(2, Instant{5s}, Instant{6s}), 15ms);
}

}  // namespace
}  // namespace sennit
