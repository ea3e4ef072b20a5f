// Lost packets come back: by copies on other paths, by codes, and without any later traffic that
// would prove the loss.
#include <gtest/gtest.h>

#include <cmath>

#include "core/fec/redundancy.h"
#include "core/testing/pair.h"

namespace sennit {
namespace {

PairLink lossy(double mbps, Duration delay, double probability) {
  PairLink link = symmetric(mbps, delay);
  link.a_to_b.loss = link.b_to_a.loss = RandomLoss{probability};
  return link;
}

/// Of what was sent once the links' rates were known.
double lost_share(const Pair& pair, std::uint16_t flow) {
  const auto sent = static_cast<double>(pair.sent(Pair::a, flow));
  return static_cast<double>(pair.missing(Pair::a, flow, Instant{1s})) / sent;
}

TEST(Repair, random_loss_is_repaired) {
  Pair pair({lossy(50, 20ms, 0.01), lossy(50, 30ms, 0.01)});
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(30), 10s);
  pair.run(11s);
  EXPECT_LT(lost_share(pair, 1), 1e-4);
  EXPECT_GT(pair.metrics(Pair::a).reinjected, 100u);
  EXPECT_EQ(out_of_order(pair.delivered(Pair::b), 1), 0u);
}

TEST(Repair, loss_on_the_only_link_is_repaired_on_the_same) {
  Pair pair({lossy(50, 20ms, 0.01)});
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(20), 10s);
  pair.run(11s);
  EXPECT_LT(lost_share(pair, 1), 2e-4);
}

TEST(Repair, a_near_link_repairs_its_own_losses_rather_than_a_far_one) {
  Pair pair({lossy(50, 5ms, 0.01), symmetric(50, 100ms)});
  pair.run(2s);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(10), 5s);
  pair.run(6s);
  EXPECT_EQ(pair.missing(Pair::a, 1, Instant{2s}), 0u);
  EXPECT_LE(transit_quantile(pair.delivered(Pair::b), 1, 0.999, Instant{2s}), 60ms);
}

TEST(Repair, repair_costs_about_what_was_lost) {
  Pair pair({lossy(50, 20ms, 0.02), lossy(50, 30ms, 0.02)});
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(30), 5s);
  pair.run(6s);
  const auto reinjected = static_cast<double>(pair.metrics(Pair::a).reinjected);
  EXPECT_LT(reinjected / static_cast<double>(pair.sent(Pair::a, 1)), 2 * 0.02);
}

TEST(Repair, a_lost_tail_is_repaired_without_later_traffic) {
  Pair pair({symmetric(50, 20ms), symmetric(50, 30ms)});
  pair.run(500ms);
  bool losing = true;  // whatever carries inner data, once
  pair.tamper = [&](std::size_t, Pair::End from, std::vector<std::byte>& bytes) {
    if (losing && from == Pair::a && bytes.size() > 1000) bytes.clear();
  };
  pair.send(Pair::a, 1);
  pair.run(10ms);
  losing = false;
  pair.run(190ms);
  EXPECT_EQ(count_of(pair.delivered(Pair::b), 1), 1u);
}

// A middlebox, or a radio that was away, or somebody who means it.
TEST(Repair, a_datagram_held_back_for_seconds_does_not_hide_later_losses) {
  Pair pair({symmetric(20, 10ms)});
  bool holding = true;
  pair.tamper = [&](std::size_t link, Pair::End from, std::vector<std::byte>& bytes) {
    if (!holding || from != Pair::a || bytes.size() < 1000 || pair.now() < Instant{1s}) return;
    holding = false;
    pair.at(pair.now() + 5s, [&pair, link, copy = bytes] { pair.inject(link, Pair::b, copy); });
    bytes.clear();
  };
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(1), 1500ms);
  pair.run(6500ms);
  EXPECT_FALSE(holding);
  pair.set_link(0, [](LinkConfig& config) { config.loss = RandomLoss{0.02}; });
  pair.send_stream(Pair::a, 2, BitRate::from_mbps(8), 5s);
  pair.run(6s);
  EXPECT_LE(pair.missing(Pair::a, 2), 2u);  // of 4,000, of which 2 % were lost once
}

TEST(Repair, a_class_that_is_not_reinjected_is_not) {
  TunnelConfig config;
  config.classes[2].reinject = false;
  Pair pair({lossy(50, 20ms, 0.02), lossy(50, 30ms, 0.02)}, config);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(20), 5s);
  pair.run(6s);
  EXPECT_EQ(pair.metrics(Pair::a).reinjected, 0u);
  EXPECT_NEAR(lost_share(pair, 1), 0.02, 0.006);
}

/// A call over two links that lose 4 % each, protected by a code only.
struct CodedCall {
  explicit CodedCall(FecCode code, std::uint8_t source, std::uint8_t repair)
      : config(coded(code, source, repair)),
        pair({lossy(20, 20ms, 0.04), lossy(20, 22ms, 0.04)}, config, 3) {
    pair.send_stream(Pair::a, 1, BitRate::from_mbps(8), 20s, 1000, dscp_realtime);
    pair.run(21s);
  }
  static TunnelConfig coded(FecCode code, std::uint8_t source, std::uint8_t repair) {
    TunnelConfig config;
    ClassConfig& realtime = config.classes[0];
    realtime.reinject = false;
    realtime.latency_budget = 200ms;
    realtime.hold_max = 100ms;
    realtime.fec = {code, source, repair, false, 0.5, 1e-4, 15ms};
    return config;
  }
  TunnelConfig config;
  Pair pair;
};

TEST(Repair, reed_solomon_recovers_what_it_promises) {
  CodedCall call(FecCode::reed_solomon, 10, 2);
  const double promised = residual_loss({10, 2}, LossChannel::independent(0.04));
  EXPECT_GT(lost_share(call.pair, 1), 0.5 * promised);
  EXPECT_LT(lost_share(call.pair, 1), 1.5 * promised);
  EXPECT_EQ(out_of_order(call.pair.delivered(Pair::b), 1), 0u);
}

TEST(Repair, parity_recovers_what_it_promises) {
  CodedCall call(FecCode::parity, 5, 1);
  const double promised = residual_loss({5, 1}, LossChannel::independent(0.04));
  EXPECT_GT(lost_share(call.pair, 1), 0.5 * promised);
  EXPECT_LT(lost_share(call.pair, 1), 1.5 * promised);
}

TEST(Repair, a_sliding_code_recovers_more_than_a_block_of_the_same_overhead) {
  CodedCall call(FecCode::sliding_rlc, 10, 2);
  const double block = residual_loss({10, 2}, LossChannel::independent(0.04));
  EXPECT_LT(lost_share(call.pair, 1), block);
  EXPECT_GT(call.pair.metrics(Pair::b).fec_recovered, 100u);
}

TEST(Repair, an_adaptive_code_sends_nothing_on_clean_links) {
  TunnelConfig config = CodedCall::coded(FecCode::reed_solomon, 10, 2);
  config.classes[0].fec.adaptive = true;
  Pair pair({symmetric(20, 20ms), symmetric(20, 22ms)}, config);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(8), 5s, 1000, dscp_realtime);
  pair.run(1s);
  const std::uint64_t before = pair.metrics(Pair::a).fec_sent;
  pair.run(5s);
  EXPECT_EQ(pair.metrics(Pair::a).fec_sent, before);
  EXPECT_EQ(lost_share(pair, 1), 0);
}

// Copies grow by round: p^(1 + 1 + 2) is left after the second, not p^3. With two links the second
// copy of a round goes where the packet was lost, or there would be none.
TEST(Repair, the_second_round_sends_two_copies_over_two_links_too) {
  PairLink lossy = symmetric(20, 20ms);
  lossy.a_to_b.loss = RandomLoss{0.25};
  Pair pair({lossy, lossy});
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(4), 8s);
  pair.run(9s);
  const double copies = static_cast<double>(pair.metrics(Pair::a).reinjected) /
                        static_cast<double>(pair.sent(Pair::a, 1));
  EXPECT_GT(copies, 0.36);  // 0.25 + 2 * 0.25^2 + 3 * 0.25^4; one at a time: 0.33
}

}  // namespace
}  // namespace sennit
