// Codes in whole tunnels: where repairs go, how many there are, and what makes them stop.
#include <gtest/gtest.h>

#include "core/testing/pair.h"

namespace sennit {
namespace {

TunnelConfig coded_realtime(const FecConfig& fec) {
  TunnelConfig config;
  ClassConfig& realtime = config.classes[0];
  realtime.reinject = false;
  realtime.latency_budget = 200ms;
  realtime.hold_max = 100ms;
  realtime.fec = fec;
  return config;
}
FecConfig fixed() {
  return {.code = FecCode::reed_solomon, .source = 10, .repair = 2, .adaptive = false};
}
FecConfig adaptive() { return {.code = FecCode::sliding_rlc, .source = 20, .repair = 1}; }

PairLink with_loss(double mbps, Duration delay, const LossModel& loss) {
  PairLink link = symmetric(mbps, delay);
  link.a_to_b.loss = link.b_to_a.loss = loss;
  return link;
}

void send_call(Pair& pair, double mbps, Duration duration) {
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(mbps), duration, 1000, dscp_realtime);
  pair.run(duration + 500ms);
}
double lost_share(const Pair& pair, Instant from) {
  return static_cast<double>(pair.missing(Pair::a, 1, from)) /
         static_cast<double>(pair.sent(Pair::a, 1));
}
std::uint64_t repair_bytes(Pair& pair, std::size_t path) {
  return pair.metrics(Pair::a).paths[path].repair_bytes;
}

// --- where ---

/// Sources go 6 : 3 : 1 over three paths.
struct Shared {
  explicit Shared(Duration third) : pair(links(third), config(), 1, {.paths = 3}) {
    send_call(pair, 4, 5s);
  }
  static std::vector<PairLink> links(Duration third) {
    return {symmetric(20, 20ms), symmetric(20, 15ms), symmetric(20, third)};
  }
  static TunnelConfig config() {
    TunnelConfig config = coded_realtime(fixed());
    config.scheduler.algorithm = "weighted-round-robin";
    config.scheduler.weights = {{"link0", 6}, {"link1", 3}, {"link2", 1}};
    return config;
  }
  Pair pair;
};

TEST(FecPlacement, repairs_go_to_the_path_with_the_fewest_of_their_sources) {
  Shared shared(24ms);
  EXPECT_GT(repair_bytes(shared.pair, 2), 10 * repair_bytes(shared.pair, 0));
  EXPECT_GT(repair_bytes(shared.pair, 2), 10 * repair_bytes(shared.pair, 1));
}

TEST(FecPlacement, but_not_to_one_that_would_bring_them_after_the_deadline) {
  Shared shared(160ms);
  EXPECT_LT(repair_bytes(shared.pair, 2), repair_bytes(shared.pair, 1) / 10);
  EXPECT_GT(repair_bytes(shared.pair, 1), 10 * repair_bytes(shared.pair, 0));
}

TEST(FecPlacement, a_burst_that_takes_the_sources_of_one_path_leaves_their_repairs) {
  Pair pair({symmetric(20, 20ms), symmetric(20, 22ms)}, coded_realtime(fixed()));
  std::size_t bursts = 0, in_burst = 0;
  pair.tamper = [&](std::size_t link, Pair::End from, std::vector<std::byte>& bytes) {
    if (from != Pair::a || link != 0 || bytes.size() < 900 || pair.now() < Instant{1s}) return;
    // Two packets in a row, every now and then: as many as a block repairs.
    if (++in_burst % 40 < 2) {
      ++bursts;
      bytes.clear();
    }
  };
  send_call(pair, 4, 5s);
  EXPECT_GT(bursts, 50u);
  EXPECT_GT(pair.metrics(Pair::b).fec_recovered, bursts * 9 / 10);
  EXPECT_LT(lost_share(pair, Instant{1s}), 0.002);
}

// --- how many ---

TEST(FecRedundancy, follows_the_loss_of_the_line_up_and_down) {
  Pair pair({symmetric(20, 20ms), symmetric(20, 22ms)}, coded_realtime(adaptive()));
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(4), 40s, 1000, dscp_realtime);
  const auto repairs_in = [&](Duration d) {
    const std::uint64_t before = pair.metrics(Pair::a).fec_sent;
    pair.run(d);
    return pair.metrics(Pair::a).fec_sent - before;
  };
  const auto set_loss = [&](double p) {
    for (const std::size_t link : {0u, 1u}) {
      pair.set_link(link, [&](LinkConfig& config) { config.loss = RandomLoss{p}; });
    }
  };
  pair.run(2s);
  EXPECT_EQ(repairs_in(2s), 0u);
  set_loss(0.005);
  pair.run(4s);
  const std::uint64_t few = repairs_in(4s);
  set_loss(0.02);
  pair.run(4s);
  const std::uint64_t many = repairs_in(4s);
  EXPECT_GT(few, 0u);
  EXPECT_GT(many, few * 3 / 2);
  set_loss(0);
  pair.run(15s);
  EXPECT_LT(repairs_in(4s), few);
}

TEST(FecRedundancy, beyond_what_a_code_may_cost_packets_are_sent_twice) {
  const PairLink line = with_loss(20, 20ms, GilbertElliott{0.08, 4});
  Pair pair({line, line}, coded_realtime(adaptive()), 2);
  send_call(pair, 1, 40s);
  EXPECT_GT(pair.metrics(Pair::a).duplicated, pair.sent(Pair::a, 1) * 7 / 10);
  EXPECT_LT(lost_share(pair, Instant{3s}), 0.02);
}

TEST(FecRedundancy, a_single_link_has_its_code_at_the_cap_instead) {
  Pair pair({with_loss(20, 20ms, GilbertElliott{0.08, 4})}, coded_realtime(adaptive()), 2);
  send_call(pair, 1, 20s);
  EXPECT_EQ(pair.metrics(Pair::a).duplicated, 0u);
  const auto sent = static_cast<double>(pair.sent(Pair::a, 1));
  EXPECT_NEAR(static_cast<double>(pair.metrics(Pair::a).fec_sent) / sent, 0.3, 0.05);
}

TEST(FecRedundancy, what_fills_the_links_is_not_doubled) {
  const PairLink line = with_loss(20, 20ms, GilbertElliott{0.08, 4});
  Pair pair({line, line}, coded_realtime(adaptive()), 2);
  send_call(pair, 30, 5s);
  EXPECT_LT(pair.metrics(Pair::a).duplicated, pair.sent(Pair::a, 1) / 10);
}

// --- and when not ---

TEST(FecRedundancy, loss_by_congestion_brings_no_repairs) {
  PairLink link = symmetric(20, 20ms);
  link.a_to_b.queue = link.b_to_a.queue = QueueTime{80ms};
  Pair pair({link}, coded_realtime(adaptive()));
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(15), 6s, 1000, dscp_realtime);
  for (const Instant when : {Instant{2s}, Instant{4s}}) {
    pair.at(when, [&] {
      pair.set_link(0, [](LinkConfig& config) { config.capacity = BitRate::from_mbps(2); });
    });
    pair.at(when + 600ms, [&] {
      pair.set_link(0, [](LinkConfig& config) { config.capacity = BitRate::from_mbps(20); });
    });
  }
  pair.run(2s);
  const std::uint64_t before = pair.metrics(Pair::a).fec_sent;
  pair.run(5s);
  EXPECT_GT(pair.metrics(Pair::a).paths[0].lost_packets, 20u) << "no loss, no test";
  EXPECT_EQ(pair.metrics(Pair::a).fec_sent, before);
}

}  // namespace
}  // namespace sennit
