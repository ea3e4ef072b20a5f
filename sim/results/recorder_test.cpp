#include "sim/results/recorder.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sim/results/hdf5.h"

namespace sennit {
namespace {

Instant at(Duration d) { return Instant{} + d; }

/// Two links, one download of 8 Mbit/s and one call, ten seconds of which two are warm-up.
struct World {
  World() {
    scenario.name = "synthetic";
    scenario.duration = 10s;
    scenario.warmup = 2s;
    for (const char* name : {"lte", "dsl", "unused"}) {
      scenario.links.push_back({name, {}, {}, 0, {}});
    }
    scenario.traffic.resize(2);
    scenario.traffic[0].name = "download";
    scenario.traffic[1].name = "call";
    scenario.traffic[1].kind = TrafficKind::voip;
    scenario.traffic[1].from = 'a';
    scenario.expectations.push_back({"a", "aggregate.fraction_of_bound", ">=", 0.5, {}, {}});
    scenario.expectations.push_back({"b", "run.partial", "==", 0, {}, {}});
    variant.name = "default";
    variant.links = {"lte", "dsl"};
    LinkConfig slower;
    slower.capacity = BitRate::from_mbps(50);
    scenario.events.push_back({.at = 150ms, .link = "lte", .up = {}, .down = slower, .text = ""});
  }
  Scenario scenario;
  Variant variant;
};

Metrics metrics_at(Duration t) {
  Metrics m{};
  const auto ticks = static_cast<std::uint64_t>(t / 100ms);
  m.now = at(t);
  m.path_mask = 3;
  m.accepted_packets = 100 * ticks;
  m.accepted_bytes = 100'000 * ticks;
  m.delivered_bytes = 100'000 * ticks;
  m.paths[0].sent_packets = 100 * ticks;
  m.paths[0].sent_bytes = 107'200 * ticks;  // with 28 a packet: 10 % more than was accepted
  m.paths[0].repair_bytes = 1'072 * ticks;
  m.reinjected = ticks;
  for (std::size_t i = 0; i < m.hold_histogram.size(); ++i) {
    m.hold_histogram[i] = (i < 5 ? 50 : 100) * ticks;  // half below 1 ms, half from 1 to 2 ms
  }
  m.hold_histogram[4] = 50 * ticks;
  m.drops[static_cast<std::size_t>(Drop::duplicate)] = 2 * ticks;
  return m;
}

void play(Recorder& recorder) {
  std::uint64_t number = 0;
  for (Duration t = 0ms; t < 10s; t += 10ms) {
    recorder.flow_bytes_received(0, at(t), Bytes{10'000});
    recorder.flow_transit(0, at(t - 40ms), at(t));
    recorder.link_exit(0, Direction::down, at(t), {0, at(t), false, 3ms}, Bytes{12'500});
    if (t % 20ms == 0ms) {
      recorder.flow_packet_sent(1, at(t));
      recorder.flow_packet_received(1, number++, at(t), at(t + 5ms), Bytes{160});
    }
    if (t % 100ms != 0ms) continue;
    recorder.tunnel_sample(End::a, metrics_at(t));
    for (std::size_t link = 0; link < 3; ++link) {
      LinkStats stats;
      stats.carried_bytes = static_cast<std::uint64_t>(t / 10ms) * 12'500;
      recorder.link_sample(link, Direction::down, at(t), stats, 7ms);
      recorder.link_sample(link, Direction::up, at(t), {}, 0ms);
    }
    recorder.tunnel_sample(End::b, metrics_at(t));
  }
  for (std::size_t link = 0; link < 3; ++link) {
    for (const Direction d : {Direction::up, Direction::down}) {
      recorder.link_capacity(link, d, Bytes{8'000'000}, 0.1);
    }
  }
}

RunOutcome outcome() {
  RunOutcome run;
  run.end = at(10s);
  run.wall_s = 2;
  run.digest = 0xfeed;
  run.inner_mtu = 1400;
  run.outer_overhead = 60;
  return run;
}

TEST(Recorder, makes_the_summary_of_schema_1) {
  const World world;
  Recorder recorder({world.scenario, world.variant, 4, "ns3"}, std::nullopt);
  play(recorder);
  const auto summary = recorder.finish(outcome());

  std::vector<std::string> keys;
  for (const auto& [key, value] : summary.items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"schema", "scenario", "variant", "seed", "backend",
                                            "duration_s", "warmup_s", "links", "flows", "tunnel",
                                            "aggregate", "expect", "run"}));
  EXPECT_EQ(summary["links"].size(), 2u);  // those of the variant
  EXPECT_EQ(summary["links"]["lte"]["down"]["capacity_mbps"], 8);
  EXPECT_EQ(summary["links"]["lte"]["down"]["carried_mbps"], 10);
  EXPECT_EQ(summary["links"]["lte"]["down"]["queue_ms"]["p99"], 3);
  EXPECT_EQ(summary["flows"]["download"]["goodput_mbps"], 8);
  EXPECT_EQ(summary["flows"]["download"]["owd_ms"]["p50"], 40);
  EXPECT_GT(summary["flows"]["call"]["mos"], 4.3);
  EXPECT_EQ(summary["tunnel"]["a"]["overhead_ratio"], 0.1);
  EXPECT_EQ(summary["tunnel"]["a"]["repair_ratio"], 0.01);
  EXPECT_EQ(summary["tunnel"]["a"]["reinjected"], 79);  // from 2.0 s to 9.9 s
  EXPECT_EQ(summary["tunnel"]["a"]["drops"]["duplicate"], 158);
  EXPECT_EQ(summary["tunnel"]["b"]["hold_ms"]["p99"], 1.98);
  const double bound = 2 * 8 * 0.9 * 1348 / 1460;
  EXPECT_NEAR(summary["aggregate"]["bound_mbps"].get<double>(), bound, 1e-4);
  EXPECT_EQ(summary["aggregate"]["goodput_mbps"], 8);
  EXPECT_NEAR(summary["aggregate"]["fraction_of_bound"].get<double>(), 8 / bound, 1e-5);
  EXPECT_EQ(summary["expect"][0]["met"], true);
  EXPECT_EQ(summary["expect"][1]["met"], true);
  EXPECT_EQ(summary["run"]["digest"], "000000000000feed");
  EXPECT_EQ(summary["run"]["speed"], 5);
}

TEST(Recorder, a_run_without_anything_has_nulls_instead_of_numbers) {
  const World world;
  Recorder recorder({world.scenario, world.variant, 1, "ns3"}, std::nullopt);
  RunOutcome run;
  run.end = at(1s);  // before the warm-up's end
  run.interrupted = true;
  const auto summary = recorder.finish(run);
  EXPECT_TRUE(summary["flows"]["download"]["goodput_mbps"].is_null());
  EXPECT_TRUE(summary["flows"]["call"]["mos"].is_null());
  EXPECT_TRUE(summary["tunnel"]["a"]["overhead_ratio"].is_null());
  EXPECT_TRUE(summary["aggregate"]["bound_mbps"].is_null());
  EXPECT_EQ(summary["run"]["partial"], true);
  EXPECT_EQ(summary["expect"][0]["met"], false);
}

/// The first `n` of a column.
std::vector<float> column(hid_t file, const char* table, const char* name, std::size_t n) {
  const hdf5::Handle set{H5Dopen2(file, table, H5P_DEFAULT), H5Dclose};
  const hdf5::Handle type{H5Tcreate(H5T_COMPOUND, sizeof(float)), H5Tclose};
  H5Tinsert(type.get(), name, 0, H5T_NATIVE_FLOAT);
  const hdf5::Handle space{H5Dget_space(set.get()), H5Sclose};
  hsize_t rows = 0;
  H5Sget_simple_extent_dims(space.get(), &rows, nullptr);
  std::vector<float> values(rows);
  H5Dread(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  values.resize(std::min(n, values.size()));
  return values;
}

TEST(Recorder, the_time_series_are_differences_over_100_ms) {
  const World world;
  const auto file = std::filesystem::path(testing::TempDir()) / "sennit_recorder_series.h5";
  Recorder recorder({world.scenario, world.variant, 4, "ns3"}, file);
  play(recorder);
  recorder.finish(outcome());
  const hdf5::Handle read{H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose};
  ASSERT_GE(read.get(), 0);
  using Values = std::vector<float>;
  EXPECT_EQ(column(read.get(), "paths/b/lte", "time_s", 2), (Values{0.1f, 0.2f}));
  EXPECT_EQ(column(read.get(), "paths/b/lte", "carried_mbps", 2), (Values{10, 10}));
  EXPECT_EQ(column(read.get(), "paths/b/lte", "link_queue_ms", 1), (Values{7}));
  EXPECT_EQ(column(read.get(), "paths/b/lte", "capacity_mbps", 3), (Values{100, 75, 50}));
  EXPECT_EQ(column(read.get(), "paths/a/lte", "carried_mbps", 1), (Values{0}));
  EXPECT_EQ(column(read.get(), "paths/b/lte", "sent_mbps", 1), (Values{8.8f}));
  EXPECT_EQ(column(read.get(), "tunnel/b", "outer_mbps", 1), (Values{8.8f}));
  EXPECT_EQ(column(read.get(), "flows/download", "goodput_mbps", 99).back(), 8);
  EXPECT_EQ(column(read.get(), "paths/b/lte", "time_s", 999).size(), 99u);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace sennit
