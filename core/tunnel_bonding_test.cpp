// Several links as one: what they add up to, in which order, and that a bad one does not spoil a
// good one.
#include <gtest/gtest.h>

#include "core/testing/pair.h"

namespace sennit {
namespace {

constexpr std::size_t packet_size = 1400;
constexpr Instant settled{2s};  // the links' rates are known by then

/// What of the links' bytes a flow's packets filled in [2 s, now), Mbit/s: with their headers.
double filled_mbps(const Pair& pair) {
  const double inner = goodput_mbps(pair.delivered(Pair::b), settled, pair.now());
  return inner * (packet_size + overhead_bytes) / packet_size;
}

/// A constant rate above what the links carry.
void saturate(Pair& pair, double mbps, Duration duration = 5s) {
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(mbps), duration, packet_size);
  pair.run(duration);
}

TEST(Bonding, two_equal_links_nearly_add_up) {
  Pair pair({symmetric(50, 20ms), symmetric(50, 20ms)});
  saturate(pair, 120);
  EXPECT_GE(filled_mbps(pair), 0.95 * 100);
  EXPECT_EQ(out_of_order(pair.delivered(Pair::b), 1, settled), 0u);
}

TEST(Bonding, unequal_delays_add_up_and_stay_in_order) {
  Pair pair({symmetric(50, 10ms), symmetric(50, 60ms)});
  saturate(pair, 120);
  EXPECT_GE(filled_mbps(pair), 0.95 * 100);
  EXPECT_EQ(out_of_order(pair.delivered(Pair::b), 1, settled), 0u);
}

TEST(Bonding, unequal_rates_add_up_and_stay_in_order) {
  Pair pair({symmetric(40, 15ms), symmetric(8, 30ms), symmetric(20, 50ms)});
  saturate(pair, 80);
  EXPECT_GE(filled_mbps(pair), 0.92 * 68);
  EXPECT_EQ(out_of_order(pair.delivered(Pair::b), 1, settled), 0u);
}

TEST(Bonding, both_directions_add_up_at_once) {
  Pair pair({symmetric(30, 20ms), symmetric(30, 25ms)});
  pair.send_stream(Pair::b, 2, BitRate::from_mbps(75), 5s, packet_size);
  saturate(pair, 75);
  EXPECT_GE(filled_mbps(pair), 0.92 * 60);
  EXPECT_GE(goodput_mbps(pair.delivered(Pair::a), settled, pair.now()), 0.87 * 60);
}

TEST(Bonding, lossy_path_does_not_slow_the_clean_one) {
  PairLink lossy = symmetric(50, 20ms);
  lossy.a_to_b.loss = lossy.b_to_a.loss = RandomLoss{0.03};
  Pair pair({symmetric(50, 20ms), lossy});
  saturate(pair, 120);
  EXPECT_GE(filled_mbps(pair), 0.90 * (50 + 50 * 0.97));
}

TEST(Bonding, a_link_fifty_times_slower_does_not_hurt) {
  const auto transit = [](const std::vector<PairLink>& links) {
    Pair pair(links);
    pair.send_stream(Pair::a, 1, BitRate::from_mbps(40), 4s, packet_size);
    pair.run(5s);
    EXPECT_EQ(pair.missing(Pair::a, 1, Instant{1s}), 0u);
    return transit_quantile(pair.delivered(Pair::b), 1, 0.99, Instant{1s});
  };
  const Duration alone = transit({symmetric(50, 20ms)});
  const Duration with_slow = transit({symmetric(50, 20ms), symmetric(1, 20ms)});
  EXPECT_LE(with_slow, alone + 5ms);
}

// Nothing is known about either link when the first flow begins.
TEST(Bonding, a_thin_link_does_not_delay_the_first_packets) {
  Pair pair({symmetric(0.3, 20ms), symmetric(50, 25ms)});
  pair.run(200ms);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(4), 200ms, packet_size);
  pair.run(3s);
  EXPECT_EQ(pair.missing(Pair::a, 1), 0u);
  EXPECT_EQ(out_of_order(pair.delivered(Pair::b), 1), 0u);
  EXPECT_LE(transit_quantile(pair.delivered(Pair::b), 1, 1.0), 25ms + 60ms);
}

TEST(Bonding, a_light_flow_stays_on_the_faster_link) {
  Pair pair({symmetric(50, 10ms), symmetric(50, 60ms)});
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(10), 4s, packet_size);
  pair.run(5s);
  EXPECT_LE(transit_quantile(pair.delivered(Pair::b), 1, 0.99, Instant{1s}), 15ms);
}

// A change of route, or of the satellite: it looks like a queue, and is none.
TEST(Bonding, a_link_whose_delay_rises_for_good_keeps_its_rate) {
  Pair pair({symmetric(50, 20ms)});
  pair.at(Instant{3s}, [&] { pair.set_link(0, [](LinkConfig& link) { link.delay = 50ms; }); });
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(60), 9s, packet_size);
  pair.run(9s);
  EXPECT_GE(goodput_mbps(pair.delivered(Pair::b), Instant{4s}, pair.now()), 0.5 * 50);
}

// Each packet of a low rate meets the full jitter, and looked like 25 ms of queue: 0.02 of the
// rate.
TEST(Bonding, a_link_whose_delay_jitters_keeps_its_rate) {
  for (const bool reorder : {false, true}) {
    PairLink jittery = symmetric(50, 20ms);
    jittery.a_to_b.jitter = jittery.b_to_a.jitter = {8ms, JitterDistribution::normal, reorder};
    Pair pair({jittery});
    saturate(pair, 60, 8s);
    const double share = reorder ? 0.6 : 0.8;  // wanted: 0.8 of both
    EXPECT_GE(goodput_mbps(pair.delivered(Pair::b), Instant{4s}, pair.now()), share * 50)
        << (reorder ? "reordering" : "first in, first out");
  }
}

TEST(Bonding, a_voice_packet_is_not_delayed_by_a_saturating_download) {
  Pair pair({symmetric(50, 10ms), symmetric(50, 40ms)});
  pair.send_stream(Pair::a, 2, BitRate::from_mbps(0.08), 5s, 200, dscp_realtime);
  saturate(pair, 120);
  pair.run(200ms);
  EXPECT_LE(transit_quantile(pair.delivered(Pair::b), 2, 0.99, settled), 10ms + 20ms);
  EXPECT_EQ(pair.missing(Pair::a, 2, settled), 0u);
}

TEST(Bonding, a_key_stroke_is_not_delayed_by_a_saturating_download_of_its_own_class) {
  Pair pair({symmetric(50, 10ms), symmetric(50, 40ms)});
  pair.send_stream(Pair::a, 2, BitRate::from_mbps(0.02), 5s, 100);
  saturate(pair, 120);
  EXPECT_LE(transit_quantile(pair.delivered(Pair::b), 2, 0.95, settled), 10ms + 25ms);
}

}  // namespace
}  // namespace sennit
