#include "core/units.h"

#include <gtest/gtest.h>

#include "core/rng.h"

namespace sennit {
namespace {

// --- sequences: what the low bits of a header mean ---

/// Any true sequence within half a span of the expected one is found again from its low bits.
void expands_back(unsigned bits, std::uint64_t seed) {
  Rng rng{seed};
  const std::uint64_t span = std::uint64_t{1} << bits, half = span / 2;
  for (int i = 0; i < 100'000; ++i) {
    // Near zero, near a wrap, and anywhere.
    const std::uint64_t around = i % 3 == 0   ? rng.below(4)
                                 : i % 3 == 1 ? span * (1 + rng.below(1000))
                                              : rng.below(std::uint64_t{1} << 62);
    const std::uint64_t truth = around + rng.below(span);
    const std::uint64_t ahead = i % 2 == 0 ? rng.below(3) : rng.below(half);
    const bool behind = rng.chance(0.5) && truth >= ahead;
    const DataSeq expected{behind ? truth - ahead : truth + ahead};
    ASSERT_EQ(DataSeq::expand(truth % span, bits, expected).value, truth)
        << "seed " << seed << " expected " << expected.value;
  }
}

TEST(Units, twenty_two_bits_expand_to_the_sequence_that_was_meant) { expands_back(22, 1); }
TEST(Units, thirty_two_bits_expand_to_the_sequence_that_was_meant) { expands_back(32, 2); }

TEST(Units, expansion_crosses_a_wrap_both_ways) {
  constexpr std::uint64_t span = 1u << 22;
  EXPECT_EQ(FlowSeq::expand(0, 22, FlowSeq{span - 1}).value, span);
  EXPECT_EQ(FlowSeq::expand(span - 1, 22, FlowSeq{span}).value, span - 1);
  EXPECT_EQ(FlowSeq::expand(span - 1, 22, FlowSeq{7 * span + 1}).value, 7 * span - 1);
  EXPECT_EQ(FlowSeq::expand(5, 22, FlowSeq{7 * span - 5}).value, 7 * span + 5);
}

TEST(Units, expansion_reaches_almost_half_a_span_either_way) {
  constexpr std::uint64_t span = 1u << 22, half = span / 2;
  for (const std::uint64_t truth : {5 * span, 5 * span + 1, 5 * span + half, 6 * span - 1}) {
    for (const std::uint64_t far : {half - 2, half - 1}) {
      EXPECT_EQ(FlowSeq::expand(truth % span, 22, FlowSeq{truth + far}).value, truth);
      EXPECT_EQ(FlowSeq::expand(truth % span, 22, FlowSeq{truth - far}).value, truth);
    }
  }
}

TEST(Units, expansion_is_never_below_zero) {
  // Nearer to zero from below, but there is nothing below.
  EXPECT_EQ(PathSeq::expand(0xffffffff, 32, PathSeq{0}).value, 0xffffffffu);
  EXPECT_EQ(FlowSeq::expand(0x3fffff, 22, FlowSeq{1}).value, 0x3fffffu);
}

TEST(Units, expansion_ignores_bits_above_those_of_the_wire) {
  EXPECT_EQ(FlowSeq::expand(0xffc00007, 22, FlowSeq{0}).value, 7u);
}

TEST(Units, sequences_differ_by_a_signed_count) {
  EXPECT_EQ(DataSeq{3} - DataSeq{5}, -2);
  EXPECT_EQ(DataSeq{5}.next(), DataSeq{6});
  EXPECT_EQ(DataSeq{5}.plus(10), DataSeq{15});
}

// --- rates: intermediate results need more than 64 bits ---

TEST(Units, a_rate_over_terabytes_is_exact) {
  // 10 TB in 1000 s: bits times nanoseconds per second are 8e22, far beyond 64 bits.
  EXPECT_EQ(BitRate::from(Bytes{10'000'000'000'000}, 1000s).bits_per_second(), 80'000'000'000);
}

TEST(Units, sending_terabytes_takes_as_long_as_it_should) {
  const BitRate rate = BitRate::from_bits_per_second(80'000'000'000);
  EXPECT_EQ(rate.time_to_send(Bytes{10'000'000'000'000}), 1000s);
  EXPECT_EQ(rate.sent_in(1000s), Bytes{10'000'000'000'000});
}

TEST(Units, rate_time_and_bytes_agree_for_any_values) {
  Rng rng{3};
  for (int i = 0; i < 100'000; ++i) {
    const BitRate rate = BitRate::from_bits_per_second(
        1 + static_cast<std::int64_t>(rng.below(std::uint64_t{400'000'000'000})));
    const Bytes bytes{static_cast<std::int64_t>(rng.below(10'000'000))};
    const Duration time = rate.time_to_send(bytes);
    // Rounded down to a nanosecond, so at most the bytes of one nanosecond are missing.
    const std::int64_t missing = bytes.count - rate.sent_in(time).count;
    EXPECT_GE(missing, 0);
    EXPECT_LE(missing, rate.bits_per_second() / 8'000'000'000 + 1);
  }
}

TEST(Units, nothing_is_ever_sent_at_rate_zero) {
  EXPECT_TRUE(BitRate{}.is_zero());
  EXPECT_EQ(BitRate{}.sent_in(1h), Bytes{0});
  const Duration century = BitRate{}.time_to_send(Bytes{1});
  EXPECT_GE(century, 24h * 365 * 99);
  EXPECT_GT(Instant{24h * 365 * 99} + century, Instant{century}) << "must not overflow";
}

TEST(Units, rates_add_scale_and_compare) {
  const BitRate ten = BitRate::from_mbps(10);
  EXPECT_EQ(ten + ten, BitRate::from_mbps(20));
  EXPECT_EQ(ten - ten, BitRate{});
  EXPECT_EQ(ten.scaled_by(0.5), BitRate::from_mbps(5));
  EXPECT_LT(ten.scaled_by(0.5), ten);
  EXPECT_DOUBLE_EQ(ten.mbps(), 10);
}

TEST(Units, durations_scale_and_convert) {
  EXPECT_EQ(scaled(10ms, 1.5), 15ms);
  EXPECT_EQ(from_seconds(0.25), 250ms);
  EXPECT_DOUBLE_EQ(to_seconds(1500ms), 1.5);
}

}  // namespace
}  // namespace sennit
