#include "core/pacer.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/rng.h"

namespace sennit {
namespace {

constexpr Bytes full{1500};

struct Sent {
  Instant at;
  Bytes size;
};

/// Sends whatever may go at every wake-up, which comes up to `lateness` after it was asked for.
std::vector<Sent> run(Duration length, BitRate rate, Duration lateness, std::uint64_t seed,
                      bool coarse) {
  Pacer pacer;
  Rng rng{seed};
  std::vector<Sent> sent;
  for (Instant now{1s}; now < Instant{1s} + length;) {
    while (pacer.ready_at() <= now) {
      const Bytes size = rng.chance(0.2) ? Bytes{100} : full;
      sent.push_back({now, size});
      pacer.on_sent(now, size, rate);
    }
    const Instant asked = coarse ? pacer.wake_at(full, rate) : pacer.ready_at();
    const auto late =
        static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(lateness.count()) + 1));
    now = std::max(now, asked) + Duration{late};
  }
  return sent;
}

Bytes total(const std::vector<Sent>& sent) {
  Bytes sum{};
  for (const Sent& s : sent) sum += s.size;
  return sum;
}

struct Case {
  double mbps;
  Duration lateness;
};
class PacerRate : public ::testing::TestWithParam<Case> {};

// While a timer is no later than the credit, its lateness costs nothing.
TEST_P(PacerRate, the_long_run_rate_is_exact) {
  const auto [mbps, lateness] = GetParam();
  const BitRate rate = BitRate::from_mbps(mbps);
  for (const bool coarse : {false, true}) {
    const auto sent = run(10s, rate, lateness, 1, coarse);
    const double expected = static_cast<double>(rate.sent_in(10s).count);
    EXPECT_NEAR(static_cast<double>(total(sent).count), expected, 0.0005 * expected + 3000)
        << mbps << " Mbit/s, coarse " << coarse;
  }
}

// In any window, no more than the rate allows, the credit and one packet leave: nothing is early,
// and being late saves up no more than the credit.
TEST_P(PacerRate, no_window_holds_more_than_rate_credit_and_one_packet) {
  const auto [mbps, lateness] = GetParam();
  const BitRate rate = BitRate::from_mbps(mbps);
  const auto sent = run(200ms, rate, 10 * lateness, 2, true);
  const Bytes allowance = rate.sent_in(Pacer::credit) + full;
  for (std::size_t first = 0; first < sent.size(); ++first) {
    Bytes in_window{};
    for (std::size_t i = first; i < sent.size() && i < first + 300; ++i) {
      in_window += sent[i].size;
      const Bytes may = rate.sent_in(sent[i].at - sent[first].at) + allowance + Bytes{300};
      ASSERT_LE(in_window, may) << "packets " << first << ".." << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(rates, PacerRate,
                         ::testing::Values(Case{1, 0us}, Case{10, 50us}, Case{100, 100us},
                                           Case{1000, 100us}, Case{5000, 20us}));

TEST(Pacer, the_first_packet_may_go_at_once) { EXPECT_LE(Pacer{}.ready_at(), Instant{}); }

TEST(Pacer, packets_are_spaced_by_their_own_time) {
  Pacer pacer;
  const BitRate rate = BitRate::from_mbps(12);  // 1 ms for 1,500 bytes
  pacer.on_sent(Instant{1s}, full, rate);
  const Instant second = pacer.ready_at();
  pacer.on_sent(second, full, rate);
  EXPECT_EQ(pacer.ready_at() - second, 1ms);
  pacer.on_sent(pacer.ready_at(), Bytes{150}, rate);
  EXPECT_EQ(pacer.ready_at() - second, 1100us);
}

TEST(Pacer, an_idle_hour_saves_up_no_more_than_the_credit) {
  Pacer pacer;
  const BitRate rate = BitRate::from_mbps(120);  // 100 us for 1,500 bytes
  pacer.on_sent(Instant{1s}, full, rate);
  const Instant later = Instant{1h};
  int burst = 0;
  while (pacer.ready_at() <= later && burst < 1000) {
    pacer.on_sent(later, full, rate);
    ++burst;
  }
  EXPECT_EQ(burst, 1 + Pacer::credit / 100us);
}

TEST(Pacer, debt_is_the_time_that_accepted_bytes_still_take) {
  Pacer pacer;
  const BitRate rate = BitRate::from_mbps(12);
  const Instant now{1s};
  pacer.on_sent(now, full, rate);
  pacer.on_sent(now, full, rate);
  EXPECT_EQ(pacer.debt(now), 2ms - Pacer::credit);
  EXPECT_EQ(pacer.debt(now + 1s), Duration::zero());
}

TEST(Pacer, a_large_gap_is_kept_exactly_and_small_ones_are_gathered_within_the_credit) {
  Pacer pacer;
  pacer.on_sent(Instant{1s}, full, BitRate::from_mbps(1));
  EXPECT_EQ(pacer.wake_at(full, BitRate::from_mbps(1)), pacer.ready_at());
  EXPECT_GT(pacer.wake_at(full, BitRate::from_mbps(1000)), pacer.ready_at());
  EXPECT_LE(pacer.wake_at(full, BitRate::from_mbps(1000)), pacer.ready_at() + Pacer::credit);
}

TEST(Pacer, a_new_rate_counts_from_the_next_packet) {
  Pacer pacer;
  pacer.on_sent(Instant{1s}, full, BitRate::from_mbps(12));
  const Instant ready = pacer.ready_at();
  pacer.on_sent(ready, full, BitRate::from_mbps(120));
  EXPECT_EQ(pacer.ready_at() - ready, 100us);
}

}  // namespace
}  // namespace sennit
