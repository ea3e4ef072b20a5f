#include "sim/results/voice.h"

#include <gtest/gtest.h>

namespace sennit {
namespace {

TEST(Voice, ratings_have_the_mos_of_g_107_table_b_1) {
  // ITU-T G.107, annex B: R = 90, 80, 70, 60, 50 are MOS 4.34, 4.03, 3.60, 3.10, 2.58.
  EXPECT_NEAR(mos_of_rating(93.2), 4.41, 0.005);
  EXPECT_NEAR(mos_of_rating(90), 4.34, 0.005);
  EXPECT_NEAR(mos_of_rating(80), 4.03, 0.01);
  EXPECT_NEAR(mos_of_rating(70), 3.60, 0.005);
  EXPECT_NEAR(mos_of_rating(60), 3.10, 0.005);
  EXPECT_NEAR(mos_of_rating(50), 2.58, 0.006);
  EXPECT_DOUBLE_EQ(mos_of_rating(-20), 1);
  EXPECT_DOUBLE_EQ(mos_of_rating(120), 4.5);
}

TEST(Voice, one_percent_of_random_loss_costs_3_6_points_of_rating) {
  EXPECT_NEAR(voice_rating(0ms, 0, 1) - voice_rating(0ms, 0.01, 1), 95 * 1 / (1 + 25.1), 1e-9);
  EXPECT_NEAR(mos_of_rating(voice_rating(0ms, 0.01, 1)), 4.33, 0.01);
}

TEST(Voice, delay_hurts_more_beyond_177_ms) {
  EXPECT_NEAR(voice_rating(100ms, 0, 1), 93.2 - 2.4, 1e-9);
  EXPECT_NEAR(voice_rating(277300us, 0, 1), 93.2 - 0.024 * 277.3 - 11, 1e-6);
}

TEST(Voice, bursts_hurt_more_than_scattered_losses) {
  const std::vector<bool> scattered{1, 0, 0, 0, 0, 1, 0, 0, 0, 0};
  const std::vector<bool> burst{0, 0, 0, 1, 1, 0, 0, 0, 0, 0};
  EXPECT_DOUBLE_EQ(burst_ratio_of(scattered), 1);
  EXPECT_DOUBLE_EQ(burst_ratio_of(burst), 2 * 0.8);
  EXPECT_DOUBLE_EQ(burst_ratio_of({0, 0}), 1);
  EXPECT_LT(voice_rating(0ms, 0.2, 1.6), voice_rating(0ms, 0.2, 1));
}

TEST(Voice, a_clean_call_over_30_ms_is_excellent) {
  VoiceQuality call;
  for (int i = 0; i < 1000; ++i) call.add(30ms);
  EXPECT_NEAR(*call.mos(), mos_of_rating(voice_rating(110ms, 0, 1)), 1e-9);  // 20 + 30 + 60
  EXPECT_GT(*call.mos(), 4.3);
}

TEST(Voice, what_comes_after_its_playout_is_lost) {
  VoiceQuality call;
  for (int i = 0; i < 1000; ++i) call.add(i % 200 == 0 ? 300ms : 30ms);  // 0.5 %, beyond the p99
  EXPECT_NEAR(*call.mos(), mos_of_rating(voice_rating(110ms, 0.005, 1)), 1e-9);
}

TEST(Voice, jitter_lengthens_the_playout_buffer_up_to_200_ms) {
  VoiceQuality some, much;
  for (int i = 0; i < 1000; ++i) {
    some.add(i % 2 == 0 ? 30ms : 130ms);
    much.add(i % 2 == 0 ? 30ms : 430ms);
  }
  EXPECT_NEAR(*some.mos(), mos_of_rating(voice_rating(150ms, 0, 1)), 1e-9);
  EXPECT_NEAR(*much.mos(), mos_of_rating(voice_rating(250ms, 0.5, 1)), 1e-9);
}

TEST(Voice, silence_is_as_bad_as_it_gets_and_no_call_has_no_score) {
  VoiceQuality call;
  EXPECT_FALSE(call.mos());
  for (int i = 0; i < 50; ++i) call.add(std::nullopt);
  EXPECT_DOUBLE_EQ(*call.mos(), 1);
}

}  // namespace
}  // namespace sennit
