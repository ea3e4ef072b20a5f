#include "sim/traffic/video_traffic.h"

#include <gtest/gtest.h>

namespace sennit {
namespace {

TEST(FrameSizes, make_the_rate_that_was_asked_for) {
  FrameSizes sizes{BitRate::from_mbps(3), 30, Rng{7}};
  Bytes sum{};
  for (int i = 0; i < 30 * 60; ++i) sum += sizes.next();
  EXPECT_NEAR(BitRate::from(sum, 60s).mbps(), 3.0, 0.05);
}

TEST(FrameSizes, a_key_frame_every_two_seconds_is_about_three_times_larger) {
  FrameSizes sizes{BitRate::from_mbps(3), 30, Rng{7}};
  const double ordinary = 3e6 * 2 / 8 / (59 + 3);
  for (int i = 0; i < 300; ++i) {
    const double size = static_cast<double>(sizes.next().count);
    EXPECT_NEAR(size / ordinary, i % 60 == 0 ? 3.0 : 1.0, i % 60 == 0 ? 1.5 : 0.51)
        << "frame " << i;
  }
}

TEST(FrameSizes, never_ask_for_an_empty_frame) {
  FrameSizes sizes{BitRate::from_bits_per_second(100), 60, Rng{7}};
  for (int i = 0; i < 200; ++i) EXPECT_GE(sizes.next().count, 1);
}

}  // namespace
}  // namespace sennit
