#include "sim/runner/simulation.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sennit {
namespace {

using Json = nlohmann::ordered_json;

Link link(const std::string& name, double mbps, Duration delay) {
  Link l;
  l.name = name;
  l.up.capacity = l.down.capacity = BitRate::from_mbps(mbps);
  l.up.delay = l.down.delay = delay;
  l.up.queue = l.down.queue = QueueTime{100ms};
  return l;
}

/// One link of 10 Mbit/s and 20 ms, 10 s of which the first second does not count.
Scenario one_link(TrafficKind kind) {
  Scenario s;
  s.name = "test";
  s.duration = 10s;
  s.warmup = 1s;
  s.links.push_back(link("l", 10, 20ms));
  Traffic traffic;
  traffic.name = "flow";
  traffic.kind = kind;
  s.traffic.push_back(traffic);
  Variant variant;
  variant.name = "default";
  variant.links = {"l"};
  s.variants.push_back(variant);
  return s;
}

struct Result {
  Json summary;
  RunOutcome outcome;
};

Result run(const Scenario& s, const SimulationOptions& options = {}, std::uint64_t seed = 1) {
  Recorder recorder{{s, s.variants[0], seed, "ns3"}, std::nullopt};
  const RunOutcome outcome = simulate(s, s.variants[0], seed, recorder, options);
  return {recorder.finish(outcome), outcome};
}

SimulationOptions bare() {
  SimulationOptions options;
  options.bare = true;
  return options;
}

LinkEvent event(const Scenario& s, Duration at, LinkState state) {
  LinkEvent e{at, s.links[0].name, s.links[0].up, s.links[0].down, "test"};
  e.up.state = e.down.state = state;
  return e;
}

TEST(Simulation, tcp_fills_a_bare_link_whatever_its_congestion_control) {
  for (const char* name : {"cubic", "newreno", "bbr"}) {
    Scenario s = one_link(TrafficKind::tcp);
    s.traffic[0].congestion_control = name;
    const Json flow = run(s, bare()).summary["flows"]["flow"];
    EXPECT_GT(flow["goodput_mbps"], 9.0) << name;
    EXPECT_LT(flow["goodput_mbps"], 10.0) << name;
  }
}

TEST(Simulation, tcp_nearly_fills_one_link_through_the_tunnel) {
  const Result result = run(one_link(TrafficKind::tcp));
  const Json& flow = result.summary["flows"]["flow"];
  EXPECT_GT(flow["goodput_mbps"], 8.0);
  EXPECT_GT(flow["owd_ms"]["p50"], 20.0);
  EXPECT_LE(result.outcome.outer_overhead + result.outcome.inner_mtu, 1500);
}

TEST(Simulation, a_datagrams_delay_is_the_links) {
  Scenario s = one_link(TrafficKind::cbr);
  s.traffic[0].packet_size = 1250;  // 1 ms at 10 Mbit/s
  const Json owd = run(s, bare()).summary["flows"]["flow"]["owd_ms"];
  EXPECT_NEAR(owd["p50"], 21.0, 0.3);
  EXPECT_NEAR(owd["max"], 21.0, 0.3);
}

TEST(Simulation, voice_sends_fifty_packets_a_second_and_a_clean_link_loses_none) {
  const Json flow = run(one_link(TrafficKind::voip)).summary["flows"]["flow"];
  EXPECT_NEAR(flow["goodput_mbps"], 50 * 172 * 8e-6, 0.0005);
  EXPECT_EQ(flow["loss_ratio"], 0.0);
  EXPECT_LT(flow["owd_ms"]["p99"], 30.0);
  EXPECT_GT(flow["mos"], 4.0);
}

TEST(Simulation, video_frames_are_on_time_on_a_wide_link_and_late_on_a_narrow_one) {
  Scenario s = one_link(TrafficKind::video);
  s.traffic[0].rate = BitRate::from_mbps(3);
  EXPECT_EQ(run(s, bare()).summary["flows"]["flow"]["frames_on_time_ratio"], 1.0);
  s.links[0] = link("l", 1, 20ms);
  EXPECT_LT(run(s, bare()).summary["flows"]["flow"]["frames_on_time_ratio"], 0.5);
}

TEST(Simulation, web_pages_are_fetched_one_after_the_other_with_time_to_think) {
  Scenario s = one_link(TrafficKind::web);
  s.traffic[0].page_size = {250'000};  // 0.2 s at 10 Mbit/s, and slow start
  s.traffic[0].think = 500ms;
  const Json flow = run(s, bare()).summary["flows"]["flow"];
  EXPECT_GT(flow["completion_s"], 0.2);
  EXPECT_LT(flow["completion_s"], 0.8);
  EXPECT_GE(flow["pages"]["count"], 6);
  EXPECT_LE(flow["pages"]["count"], 13);
}

TEST(Simulation, a_transfer_of_so_many_bytes_ends_and_says_when) {
  Scenario s = one_link(TrafficKind::tcp);
  s.traffic[0].bytes = Bytes{1'250'000};  // 1 s at 10 Mbit/s
  s.traffic[0].flows = 2;
  const Json flow = run(s, bare()).summary["flows"]["flow"];
  EXPECT_GT(flow["completion_s"], 2.0);
  EXPECT_LT(flow["completion_s"], 4.0);
}

TEST(Simulation, tcp_stops_soon_after_its_stop) {
  Scenario s = one_link(TrafficKind::tcp);
  s.traffic[0].stop = 5s;
  const Json link = run(s, bare()).summary["links"]["l"]["down"];
  EXPECT_GT(link["carried_mbps"], 10.0 * 4 / 9 * 0.9);
  EXPECT_LT(link["carried_mbps"], 10.0 * 6 / 9);
}

TEST(Simulation, a_black_hole_stops_traffic_until_the_link_is_back) {
  Scenario s = one_link(TrafficKind::cbr);
  s.events = {event(s, 5s, LinkState::blackhole), event(s, 7s, LinkState::up)};
  for (const SimulationOptions& options : {SimulationOptions{}, bare()}) {
    const Json summary = run(s, options).summary;
    const Json& flow = summary["flows"]["flow"];
    EXPECT_GT(flow["longest_gap_ms"], 1900.0);
    EXPECT_LT(flow["longest_gap_ms"], 4000.0);
    EXPECT_NEAR(summary["links"]["l"]["down"]["capacity_mbps"], 10.0 * 7 / 9, 0.1);
  }
}

TEST(Simulation, a_lost_carrier_moves_the_traffic_to_the_other_link) {
  Scenario s = one_link(TrafficKind::voip);
  s.links.push_back(link("m", 10, 30ms));
  s.variants[0].links = {"l", "m"};
  s.events = {event(s, 5s, LinkState::carrier_down)};
  const Json flow = run(s).summary["flows"]["flow"];
  EXPECT_LT(flow["longest_gap_ms"], 200.0);
  EXPECT_LT(flow["loss_ratio"], 0.02);
}

TEST(Simulation, a_shared_bottleneck_is_shared) {
  Scenario s = one_link(TrafficKind::tcp);
  s.links.push_back(link("m", 10, 20ms));
  for (Link& l : s.links) l.shared_bottleneck = "cell";
  s.variants[0].links = {"l", "m"};
  const Json summary = run(s).summary;
  const double l = summary["links"]["l"]["down"]["carried_mbps"];
  const double m = summary["links"]["m"]["down"]["carried_mbps"];
  EXPECT_LT(l + m, 10.1);
}

/// A lossy pair with two kinds of traffic: all that draws random numbers.
Scenario noisy() {
  Scenario s = one_link(TrafficKind::tcp);
  s.duration = 4s;
  s.traffic[0].congestion_control = "bbr";
  s.links.push_back(link("m", 10, 30ms));
  for (Link& l : s.links) {
    l.up.loss = l.down.loss = RandomLoss{0.01};
    l.up.jitter.stddev = l.down.jitter.stddev = 1ms;
  }
  s.traffic.push_back(s.traffic[0]);
  s.traffic[1].name = "meeting";
  s.traffic[1].kind = TrafficKind::video;
  s.variants[0].links = {"l", "m"};
  return s;
}

std::string without_wall_clock(Json summary) {
  summary["run"].erase("wall_s");
  summary["run"].erase("speed");
  return summary.dump();
}

TEST(Simulation, equal_seeds_give_equal_runs_and_others_differ) {
  for (const SimulationOptions& options : {SimulationOptions{}, bare()}) {
    const Result first = run(noisy(), options, 1);
    const Result again = run(noisy(), options, 1);
    const Result other = run(noisy(), options, 2);
    EXPECT_EQ(first.outcome.digest, again.outcome.digest);
    EXPECT_EQ(without_wall_clock(first.summary), without_wall_clock(again.summary));
    EXPECT_NE(first.outcome.digest, other.outcome.digest);
  }
}

TEST(Simulation, watching_changes_nothing) {
  SimulationOptions quiet;
  quiet.trace = false;
  EXPECT_EQ(run(noisy()).outcome.digest, run(noisy(), quiet).outcome.digest);
}

TEST(Simulation, a_stop_flag_ends_the_run_early_and_the_outcome_says_so) {
  const std::atomic<bool> stop{true};
  SimulationOptions options;
  options.stop = &stop;
  const RunOutcome outcome = run(one_link(TrafficKind::voip), options).outcome;
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_LT(outcome.end, Instant{} + 1s);
}

TEST(Simulation, captures_hold_the_packets_of_every_device) {
  const std::filesystem::path folder =
      std::filesystem::path{::testing::TempDir()} / "sennit-simulation-test";
  std::filesystem::remove_all(folder);
  SimulationOptions options;
  options.pcap_prefix = folder / "run";
  Scenario s = one_link(TrafficKind::voip);
  s.duration = 2s;
  run(s, options);
  for (const char* name : {"run-l-a", "run-l-b", "run-overlay-a", "run-overlay-b"}) {
    const auto file = folder / (std::string{name} + ".pcap");
    ASSERT_TRUE(std::filesystem::exists(file)) << file;
    EXPECT_GT(std::filesystem::file_size(file), 24 + 95 * (16 + 200)) << file;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sennit
