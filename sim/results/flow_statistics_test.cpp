#include "sim/results/flow_statistics.h"

#include <gtest/gtest.h>

#include <map>

#include <nlohmann/json.hpp>

namespace sennit {
namespace {

Instant at(Duration d) { return Instant{} + d; }

Traffic traffic_of(TrafficKind kind) {
  Traffic traffic;
  traffic.name = "flow";
  traffic.kind = kind;
  return traffic;
}

/// A packet every 20 ms from 0 to `until`, 30 ms on the way; `fate` may change a packet's delay or
/// lose it.
template <class Fate>
nlohmann::ordered_json summary_of(const Traffic& traffic, Duration warmup, Duration until,
                                  Fate fate) {
  FlowStatistics flow(traffic, warmup);
  std::multimap<Duration, std::pair<std::uint64_t, Duration>> arrivals;
  std::uint64_t number = 0;
  for (Duration t = 0ms; t < until; t += 20ms, ++number) {
    flow.packet_sent(at(t));
    if (const std::optional<Duration> delay = fate(number)) {
      arrivals.emplace(t + *delay, std::pair{number, t});
    }
  }
  for (const auto& [when, packet] : arrivals) {
    if (when <= until) flow.packet_received(packet.first, at(packet.second), at(when), Bytes{160});
  }
  flow.finish(at(until));
  return flow.summary();
}

TEST(FlowStatistics, packets_still_on_their_way_at_the_end_are_not_lost) {
  const auto flow = summary_of(traffic_of(TrafficKind::voip), 0s, 2s,
                               [](auto) { return std::optional<Duration>{70ms}; });
  EXPECT_EQ(flow["loss_ratio"], 0);
  EXPECT_EQ(flow["owd_ms"]["p50"], 70);
  EXPECT_EQ(flow["jitter_ms"], 0);
  EXPECT_EQ(flow["reordered_ratio"], 0);
}

TEST(FlowStatistics, losses_after_the_warm_up_count_and_those_before_do_not) {
  const auto flow = summary_of(traffic_of(TrafficKind::cbr), 1s, 3s, [](std::uint64_t n) {
    const bool lost = n < 25 || n == 60 || n == 61;
    return lost ? std::nullopt : std::optional<Duration>{30ms};
  });
  EXPECT_NEAR(flow["loss_ratio"].get<double>(), 2.0 / 98, 0.002);
  EXPECT_EQ(flow["longest_gap_ms"], 60);
}

TEST(FlowStatistics, a_packet_that_comes_after_its_successors_is_reordered) {
  const auto flow = summary_of(traffic_of(TrafficKind::cbr), 0s, 2s, [](std::uint64_t n) {
    return std::optional<Duration>{n == 10 ? 75ms : 30ms};  // passed by two
  });
  EXPECT_NEAR(flow["reordered_ratio"].get<double>(), 1.0 / 98, 0.001);
  EXPECT_EQ(flow["owd_ms"]["max"], 75);
}

TEST(FlowStatistics, a_duplicate_counts_once) {
  const Traffic traffic = traffic_of(TrafficKind::cbr);
  FlowStatistics flow(traffic, 0s);
  flow.packet_sent(at(0ms));
  flow.packet_received(0, at(0ms), at(10ms), Bytes{1000});
  flow.packet_received(0, at(0ms), at(20ms), Bytes{1000});
  flow.finish(at(1s));
  EXPECT_EQ(flow.received(), Bytes{1000});
  EXPECT_EQ(flow.summary()["reordered_ratio"], 0);
}

TEST(FlowStatistics, silence_until_the_end_is_a_gap_and_so_is_a_flow_that_never_came) {
  const auto half = summary_of(traffic_of(TrafficKind::cbr), 0s, 4s, [](std::uint64_t n) {
    return n < 100 ? std::optional<Duration>{30ms} : std::nullopt;
  });
  EXPECT_EQ(half["longest_gap_ms"], 4000 - 1980 - 30);
  const auto never_heard = summary_of(traffic_of(TrafficKind::cbr), 1s, 4s,
                                      [](auto) { return std::optional<Duration>{}; });
  EXPECT_EQ(never_heard["longest_gap_ms"], 3000);
  EXPECT_EQ(never_heard["loss_ratio"], 1);
}

TEST(FlowStatistics, a_gap_that_began_in_the_warm_up_counts_from_its_end) {
  const Traffic traffic = traffic_of(TrafficKind::tcp);
  FlowStatistics flow(traffic, 1s);
  flow.bytes_received(at(200ms), Bytes{1000});
  flow.bytes_received(at(1300ms), Bytes{1000});
  flow.bytes_received(at(1400ms), Bytes{1000});
  flow.finish(at(1400ms));
  EXPECT_EQ(flow.summary()["longest_gap_ms"], 300);
}

TEST(FlowStatistics, a_limited_download_ends_its_goodput_and_its_gaps_when_it_is_done) {
  Traffic traffic = traffic_of(TrafficKind::tcp);
  traffic.bytes = Bytes{2'000'000};
  traffic.flows = 2;
  FlowStatistics flow(traffic, 0s);
  for (int i = 1; i <= 200; ++i) flow.bytes_received(at(i * 10ms), Bytes{10'000});
  flow.completed(at(1s), 1s);
  flow.completed(at(2s), 2s);
  flow.finish(at(60s));
  const auto summary = flow.summary();
  EXPECT_EQ(summary["completion_s"], 2);
  EXPECT_EQ(summary["goodput_mbps"], 8);
  EXPECT_EQ(summary["longest_gap_ms"], 10);
}

TEST(FlowStatistics, thinking_between_pages_is_not_a_gap) {
  const Traffic traffic = traffic_of(TrafficKind::web);
  FlowStatistics flow(traffic, 0s);
  for (const Duration page : {0s, 5s, 10s}) {
    for (Duration t = page; t <= page + 1s; t += 50ms) flow.bytes_received(at(t), Bytes{5000});
    flow.completed(at(page + 1s), 1s);
  }
  flow.finish(at(15s));
  const auto summary = flow.summary();
  EXPECT_EQ(summary["longest_gap_ms"], 50);
  EXPECT_EQ(summary["completion_s"], 1);
  EXPECT_EQ(summary["pages"]["count"], 3);
}

TEST(FlowStatistics, jitter_is_the_mean_change_of_delay) {
  const auto flow = summary_of(traffic_of(TrafficKind::voip), 0s, 4s, [](std::uint64_t n) {
    return std::optional<Duration>{n % 2 == 0 ? 30ms : 34ms};
  });
  EXPECT_EQ(flow["jitter_ms"], 4);
}

TEST(FlowStatistics, a_video_counts_its_frames_and_only_a_call_has_a_score) {
  const Traffic traffic = traffic_of(TrafficKind::video);
  FlowStatistics flow(traffic, 1s);
  flow.frame(at(500ms), false);
  for (int i = 0; i < 4; ++i) flow.frame(at(2s), i != 0);
  flow.finish(at(3s));
  EXPECT_EQ(flow.summary()["frames_on_time_ratio"], 0.75);
  EXPECT_TRUE(flow.summary()["mos"].is_null());
}

TEST(FlowStatistics, the_series_shows_what_was_skipped_and_takes_it_back) {
  const Traffic traffic = traffic_of(TrafficKind::cbr);
  FlowStatistics flow(traffic, 10s);  // warm-up or not
  for (int i = 0; i < 3; ++i) flow.packet_sent(at(0ms));
  flow.packet_received(0, at(0ms), at(20ms), Bytes{100});
  flow.packet_received(2, at(0ms), at(40ms), Bytes{100});
  const FlowInterval first = flow.take_interval();
  EXPECT_EQ(first.lost, 1);
  EXPECT_EQ(first.delay_max, 40ms);
  EXPECT_EQ(first.received, Bytes{200});
  flow.packet_received(1, at(0ms), at(90ms), Bytes{100});
  EXPECT_EQ(flow.take_interval().lost, -1);
}

}  // namespace
}  // namespace sennit
