// What goes wrong at home: no memory for packets, a socket that takes nothing, links that hand over
// in lumps, clocks that disagree.
#include <gtest/gtest.h>

#include "core/testing/pair.h"

namespace sennit {
namespace {

const std::vector<PairLink> two_links{symmetric(50, 10ms), symmetric(40, 25ms)};

TEST(Anomaly, an_exhausted_pool_costs_packets_and_nothing_else) {
  for (const std::size_t slots : {64u, 100u, 200u, 400u, 1000u}) {
    PairOptions options;
    options.pool_slots = slots;
    Pair pair(two_links, {}, 1, options);
    pair.send_stream(Pair::a, 1, BitRate::from_mbps(120), 2s);
    pair.send_stream(Pair::b, 2, BitRate::from_mbps(120), 2s);
    pair.run(4s);
    pair.send_stream(Pair::a, 3, BitRate::from_mbps(0.5), 1s, 1200, dscp_interactive);
    pair.run(2s);
    EXPECT_EQ(pair.missing(Pair::a, 3), 0u) << slots << " slots";
    EXPECT_TRUE(all_intact(pair.delivered(Pair::b)));
    EXPECT_EQ(repeated(pair.delivered(Pair::b), 1), 0u);
  }
}

TEST(Anomaly, every_slot_comes_back_when_nothing_is_under_way) {
  Pair pair(two_links);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(120), 2s);
  pair.send_stream(Pair::b, 2, BitRate::from_mbps(20), 2s, 300, dscp_realtime);
  pair.at(Instant{1s}, [&] { pair.set_state(0, LinkState::blackhole); });
  pair.run(5s);
  for (const Pair::End end : {Pair::a, Pair::b}) {
    EXPECT_EQ(pair.pool(end).available(), pair.pool(end).slots()) << "end " << end;
  }
}

TEST(Anomaly, a_blocked_socket_sends_traffic_elsewhere_until_it_is_writable_again) {
  Pair pair(two_links);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(20), 4s);
  pair.at(Instant{2s}, [&] { pair.set_blocked(0, Pair::a, true); });
  pair.at(Instant{2050ms}, [&] { pair.set_blocked(0, Pair::a, false); });
  pair.run(3s);
  const std::uint64_t before = pair.link(0, Pair::a).stats().carried_packets;
  pair.run(2s);
  EXPECT_EQ(pair.missing(Pair::a, 1, Instant{1s}), 0u);
  EXPECT_LT(longest_gap(pair.delivered(Pair::b), 1), 100ms);
  EXPECT_GT(pair.link(0, Pair::a).stats().carried_packets - before, 1000u);
}

TEST(Anomaly, a_socket_that_stays_blocked_costs_no_packet) {
  Pair pair(two_links);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(20), 4s);
  pair.at(Instant{2s}, [&] { pair.set_blocked(0, Pair::a, true); });
  pair.run(5s);
  EXPECT_EQ(pair.missing(Pair::a, 1, Instant{1s}), 0u);
  EXPECT_LT(longest_gap(pair.delivered(Pair::b), 1), 250ms);
}

TEST(Anomaly, a_socket_that_stays_blocked_for_long_does_not_eat_the_pool) {
  Pair pair(two_links);
  pair.at(Instant{1s}, [&] { pair.set_blocked(0, Pair::a, true); });
  pair.run(1min);
  const std::size_t before = pair.pool(Pair::a).available();
  pair.run(10min);
  EXPECT_GE(pair.pool(Pair::a).available() + 100, before);
  pair.set_blocked(0, Pair::a, false);
  pair.run(3s);
  EXPECT_EQ(pair.state(Pair::a, 0), PathState::up);
}

TEST(Anomaly, all_sockets_may_be_blocked_for_a_moment) {
  Pair pair(two_links);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(20), 4s);
  for (const std::size_t link : {0u, 1u}) {
    pair.at(Instant{2s}, [&pair, link] { pair.set_blocked(link, Pair::a, true); });
    pair.at(Instant{2010ms}, [&pair, link] { pair.set_blocked(link, Pair::a, false); });
  }
  pair.run(5s);
  EXPECT_EQ(pair.missing(Pair::a, 1, Instant{1s}), 0u);
  EXPECT_LT(longest_gap(pair.delivered(Pair::b), 1), 100ms);
}

TEST(Anomaly, hosts_that_hand_over_in_lumps_lose_nothing) {
  PairOptions options;
  options.coalescing = 2ms;
  Pair pair(two_links, {}, 1, options);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(40), 4s);
  pair.run(5s);
  EXPECT_EQ(pair.missing(Pair::a, 1, Instant{1s}), 0u);
  EXPECT_EQ(out_of_order(pair.delivered(Pair::b), 1, Instant{1s}), 0u);
}

/// What a run looks like from outside: equal if clocks make no difference.
struct Outcome {
  Duration transit;
  std::uint64_t missing, late;
};
Outcome run_with(const PairOptions& options) {
  Pair pair(two_links, {}, 1, options);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(40), 4s);
  pair.run(5s);
  return {transit_quantile(pair.delivered(Pair::b), 1, 0.99, Instant{2s}),
          pair.missing(Pair::a, 1, Instant{1s}), out_of_order(pair.delivered(Pair::b), 1)};
}

TEST(Anomaly, clocks_may_be_apart_and_drift) {
  const Outcome same = run_with({});
  for (const double drift : {1e-5, -1e-5, 1e-4}) {
    PairOptions options;
    options.clocks[Pair::b] = {12345s, drift};
    const Outcome apart = run_with(options);
    EXPECT_EQ(apart.missing, 0u) << drift;
    EXPECT_NEAR(to_seconds(apart.transit), to_seconds(same.transit), 0.005) << drift;
    EXPECT_LE(apart.late, same.late + 10) << drift;
  }
}

TEST(Anomaly, clocks_drift_for_long_without_harm) {
  PairOptions options;
  options.clocks[Pair::b] = {12345s, 1e-4};
  Pair pair(two_links, {}, 1, options);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(0.05), 20min);
  pair.run(20min);
  pair.send_stream(Pair::a, 2, BitRate::from_mbps(40), 3s);
  pair.run(4s);
  EXPECT_LT(transit_quantile(pair.delivered(Pair::b), 2, 0.99, pair.now() - 2s), 40ms);
  EXPECT_EQ(pair.missing(Pair::a, 2, pair.now() - 3s), 0u);
  EXPECT_EQ(pair.missing(Pair::a, 1, Instant{1s}), 0u);
}

// 2^32 microseconds are 71.58 minutes: end b's clock wraps on the wire at 2 s, end a's later.
TEST(Anomaly, timestamps_wrap_without_harm) {
  for (const Duration wraps_at : {Duration{2s}, Duration{2500ms}}) {
    PairOptions options;
    options.clocks[Pair::b].offset = (std::int64_t{1} << 32) * 1us - wraps_at;
    const Outcome wrapped = run_with(options);
    const Outcome same = run_with({});
    EXPECT_EQ(wrapped.missing, 0u);
    EXPECT_NEAR(to_seconds(wrapped.transit), to_seconds(same.transit), 0.005);
  }
}

// 32 bits of packet numbers and data sequences and 22 bits of flow sequences, all after 500
// packets.
TEST(Anomaly, sequence_numbers_wrap_without_harm) {
  for (const std::uint64_t first : {(std::uint64_t{1} << 32) - 500, (std::uint64_t{1} << 31) - 500,
                                    (std::uint64_t{1} << 22) - 500}) {
    PairOptions options;
    options.first_number = first;
    const Outcome wrapped = run_with(options);
    const Outcome same = run_with({});
    EXPECT_EQ(wrapped.missing, 0u) << first;
    EXPECT_EQ(wrapped.late, same.late) << first;
    EXPECT_EQ(wrapped.transit, same.transit) << first;
  }
}

TEST(Anomaly, codes_repair_across_the_wrap) {
  for (const FecCode code : {FecCode::parity, FecCode::reed_solomon, FecCode::sliding_rlc}) {
    TunnelConfig config;
    config.classes[0].reinject = false;
    config.classes[0].fec.code = code;
    std::array<std::uint64_t, 2> recovered{};
    for (const bool wraps : {false, true}) {
      PairLink lossy = symmetric(20, 10ms);
      lossy.a_to_b.loss = RandomLoss{0.05};
      PairOptions options;
      if (wraps) options.first_number = (std::uint64_t{1} << 32) - 200;
      Pair pair({lossy}, config, 1, options);
      pair.send_stream(Pair::a, 1, BitRate::from_mbps(2), 2s, 500, dscp_realtime);
      pair.run(3s);
      recovered[wraps ? 1 : 0] = pair.metrics(Pair::b).fec_recovered;
    }
    EXPECT_GT(recovered[0], 15u) << "code " << static_cast<int>(code);
    EXPECT_NEAR(static_cast<double>(recovered[1]), static_cast<double>(recovered[0]), 10.0);
  }
}

TEST(Anomaly, a_peer_that_reboots_is_served_as_soon_as_both_have_the_new_keys) {
  Pair pair(two_links);
  std::uint64_t strangers = 0;
  pair.on_session_end = [&](Pair::End end) {
    if (end == Pair::a) strangers = pair.drops(Pair::a, Drop::unknown_session);
  };
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(20), 4s);
  pair.at(Instant{2s}, [&] { pair.renew(Pair::b, 1); });
  pair.at(Instant{2100ms}, [&] { pair.renew(Pair::a, 1); });
  pair.run(5s);
  EXPECT_GT(strangers, 0u);                                    // b knocks with keys a cannot know
  EXPECT_GT(pair.drops(Pair::b, Drop::unknown_session), 50u);  // and is sent what it cannot read
  EXPECT_EQ(pair.missing(Pair::a, 1, Instant{2200ms}), 0u);    // a round trip later all is well
  EXPECT_EQ(repeated(pair.delivered(Pair::b), 1), 0u);
  EXPECT_EQ(out_of_order(pair.delivered(Pair::b), 1), 0u);
  for (const Delivery& d : pair.delivered(Pair::b)) EXPECT_TRUE(d.current);
}

}  // namespace
}  // namespace sennit
