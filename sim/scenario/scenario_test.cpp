// What good input means, field by field.
#include "sim/scenario/scenario.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sim/scenario/blocks.h"

namespace sennit {
namespace {

Scenario read(const std::string& yaml) { return yaml::read_scenario(yaml, "test.yaml", {}); }

/// One link with these keys.
Link link_with(const std::string& keys) {
  return read("name: t\nlinks: [{name: x, " + keys + "}]").links.front();
}

BitRate rate_of(const LinkConfig& config) { return std::get<BitRate>(config.capacity); }

TEST(Scenario, says_only_what_it_must_and_gets_the_defaults) {
  const Scenario scenario = read("name: short\nlinks: [{name: x}]\n");
  EXPECT_EQ(scenario.name, "short");
  EXPECT_EQ(scenario.description, "");
  EXPECT_EQ(scenario.duration, 60s);
  EXPECT_EQ(scenario.warmup, 0s);
  EXPECT_EQ(scenario.seed, 1u);
  EXPECT_EQ(scenario.text, "name: short\nlinks: [{name: x}]\n");
  EXPECT_EQ(scenario.file, "test.yaml");
  ASSERT_EQ(scenario.links.size(), 1u);
  EXPECT_EQ(rate_of(scenario.links[0].up), BitRate::from_mbps(100));
  EXPECT_EQ(scenario.links[0].up.delay, 0s);
  EXPECT_EQ(scenario.links[0].up.mtu, 1500);
  EXPECT_TRUE(scenario.traffic.empty());
  EXPECT_TRUE(scenario.events.empty());
  EXPECT_TRUE(scenario.expectations.empty());
  ASSERT_EQ(scenario.variants.size(), 1u);
  EXPECT_EQ(scenario.variants[0].name, "default");
  EXPECT_EQ(scenario.variants[0].links, std::vector<std::string>{"x"});
  EXPECT_EQ(scenario.variants[0].tunnel.scheduler.algorithm, "earliest-arrival");
}

TEST(Scenario, head_is_read) {
  const Scenario scenario = read(
      "name: t\ndescription: 'Two links: one rope'\nduration: 1.5min\nwarmup: 500ms\nseed: 77\n"
      "links: [{name: x}]\ntunnel:\nevents:\nexpect:\nvariants:\ntraffic:\n");
  EXPECT_EQ(scenario.description, "Two links: one rope");
  EXPECT_EQ(scenario.duration, 90s);
  EXPECT_EQ(scenario.warmup, 500ms);
  EXPECT_EQ(scenario.seed, 77u);
}

TEST(Scenario, rates_have_decimal_units_in_any_case) {
  const auto bits = [](const std::string& rate) {
    return rate_of(link_with("rate: " + rate).up).bits_per_second();
  };
  EXPECT_EQ(bits("40mbit"), 40'000'000);
  EXPECT_EQ(bits("300kbit"), 300'000);
  EXPECT_EQ(bits("1.5gbit"), 1'500'000'000);
  EXPECT_EQ(bits("9600bit"), 9600);
  EXPECT_EQ(bits("8Mbit"), 8'000'000);
  EXPECT_EQ(bits("\"2GBIT\""), 2'000'000'000);
}

TEST(Scenario, times_and_sizes_have_units) {
  EXPECT_EQ(link_with("delay: 250us").up.delay, 250us);
  EXPECT_EQ(link_with("delay: 0.5s").up.delay, 500ms);
  const auto queue = [](const std::string& size) {
    return std::get<QueueBytes>(link_with("queue: {bytes: " + size + "}").up.queue).limit.count;
  };
  EXPECT_EQ(queue("64KiB"), 65536);
  EXPECT_EQ(queue("64kB"), 64000);
  EXPECT_EQ(queue("1MiB"), 1048576);
  EXPECT_EQ(queue("1.5MB"), 1500000);
  EXPECT_EQ(queue("3000B"), 3000);
}

TEST(Scenario, loss_is_percent_or_fraction_or_bursts) {
  EXPECT_TRUE(std::holds_alternative<NoLoss>(link_with("loss: 0%").up.loss));
  EXPECT_DOUBLE_EQ(std::get<RandomLoss>(link_with("loss: 0.5%").up.loss).probability, 0.005);
  EXPECT_DOUBLE_EQ(std::get<RandomLoss>(link_with("loss: 0.02").up.loss).probability, 0.02);
  const Link bursty = link_with("loss: {gilbert_elliott: {mean: 2%, burst: 3.5}}");
  EXPECT_DOUBLE_EQ(std::get<GilbertElliott>(bursty.up.loss).mean, 0.02);
  EXPECT_DOUBLE_EQ(std::get<GilbertElliott>(bursty.up.loss).burst, 3.5);
}

TEST(Scenario, link_keys_hold_for_both_directions_until_one_overrides_them) {
  const Link link = link_with(
      "rate: 40mbit, delay: 30ms, jitter: {stddev: 5ms, distribution: pareto, reorder: true},"
      " queue: {time: 200ms}, mtu: 1400, cost: 3, shared_bottleneck: cell,"
      " up: {rate: 10mbit, jitter: {reorder: false}, queue: {packets: 50}}, down: {loss: 1%}");
  EXPECT_EQ(link.name, "x");
  EXPECT_EQ(link.cost, 3);
  EXPECT_EQ(link.shared_bottleneck, "cell");
  EXPECT_EQ(rate_of(link.up), BitRate::from_mbps(10));
  EXPECT_EQ(rate_of(link.down), BitRate::from_mbps(40));
  EXPECT_EQ(link.up.delay, 30ms);
  EXPECT_EQ(link.up.jitter.stddev, 5ms);  // the override names one key of the block only
  EXPECT_EQ(link.up.jitter.distribution, JitterDistribution::pareto);
  EXPECT_FALSE(link.up.jitter.reorder);
  EXPECT_TRUE(link.down.jitter.reorder);
  EXPECT_EQ(std::get<QueuePackets>(link.up.queue).limit, 50u);
  EXPECT_EQ(std::get<QueueTime>(link.down.queue).limit, 200ms);
  EXPECT_TRUE(std::holds_alternative<NoLoss>(link.up.loss));
  EXPECT_DOUBLE_EQ(std::get<RandomLoss>(link.down.loss).probability, 0.01);
  EXPECT_EQ(link.down.mtu, 1400);
}

TEST(Scenario, traces_are_found_beside_the_file) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "sennit-trace";
  std::filesystem::create_directories(folder / "traces");
  std::ofstream(folder / "traces/x.down") << "0\n5\n5\n20\n";
  std::ofstream(folder / "t.yaml")
      << "name: t\nlinks: [{name: x, rate: 1mbit, down: {trace: {file: traces/x.down, format: "
         "mahimahi}}}]\n";
  const Scenario scenario = load_scenario(folder / "t.yaml");
  std::filesystem::remove_all(folder);
  EXPECT_EQ(rate_of(scenario.links[0].up), BitRate::from_mbps(1));
  const auto& trace = std::get<std::shared_ptr<const LinkTrace>>(scenario.links[0].down.capacity);
  EXPECT_EQ(trace->opportunity_ms, (std::vector<std::uint32_t>{0, 5, 5, 20}));
  EXPECT_EQ(trace->period(), 20ms);
}

TEST(Scenario, traffic_of_every_kind_is_read) {
  const Scenario scenario = read(R"(
name: t
links: [{name: x}]
traffic:
  - {name: download, kind: tcp, flows: 4, congestion_control: bbr, start: 2s, stop: 8s, bytes: 20MiB}
  - {name: call, kind: voip, from: a}
  - {name: stream, kind: cbr, rate: 8mbit, size: 800, to: b, dscp: cs5}
  - {name: meeting, kind: video, rate: 3mbit, fps: 60, deadline: 100ms, from: a, to: b}
  - {name: pages, kind: web, size: 512KiB, think: 2s, congestion_control: newreno, dscp: 10}
)");
  ASSERT_EQ(scenario.traffic.size(), 5u);
  const Traffic& download = scenario.traffic[0];
  EXPECT_EQ(download.name, "download");
  EXPECT_EQ(download.kind, TrafficKind::tcp);
  EXPECT_EQ(download.from, 'b');
  EXPECT_EQ(download.to, 'a');
  EXPECT_EQ(download.flows, 4);
  EXPECT_EQ(download.congestion_control, "bbr");
  EXPECT_EQ(download.start, 2s);
  EXPECT_EQ(download.stop, 8s);
  EXPECT_EQ(download.bytes, (Bytes{20 << 20}));
  EXPECT_EQ(download.dscp, std::nullopt);
  const Traffic& call = scenario.traffic[1];
  EXPECT_EQ(call.kind, TrafficKind::voip);
  EXPECT_EQ(call.from, 'a');
  EXPECT_EQ(call.to, 'b');  // the end that was not said
  EXPECT_EQ(call.stop, std::nullopt);
  const Traffic& stream = scenario.traffic[2];
  EXPECT_EQ(stream.kind, TrafficKind::cbr);
  EXPECT_EQ(stream.from, 'a');
  EXPECT_EQ(stream.rate, BitRate::from_mbps(8));
  EXPECT_EQ(stream.packet_size, 800);
  EXPECT_EQ(stream.dscp, 40);
  const Traffic& meeting = scenario.traffic[3];
  EXPECT_EQ(meeting.kind, TrafficKind::video);
  EXPECT_EQ(meeting.fps, 60);
  EXPECT_EQ(meeting.deadline, 100ms);
  const Traffic& pages = scenario.traffic[4];
  EXPECT_EQ(pages.kind, TrafficKind::web);
  EXPECT_EQ(pages.page_size, (Bytes{512 << 10}));
  EXPECT_EQ(pages.think, 2s);
  EXPECT_EQ(pages.congestion_control, "newreno");
  EXPECT_EQ(pages.dscp, 10);
}

TEST(Scenario, events_come_in_order_of_time_and_add_up) {
  const Scenario scenario = read(R"(
name: t
links: [{name: x, rate: 10mbit, delay: 5ms}, {name: y}]
events:
  - {at: 20s, link: x, direction: up, set: {state: blackhole}}
  - {at: 10s, link: x, set: {delay: 50ms, rate: 4mbit, up: {rate: 1mbit}}}
  - {at: 20s, link: x, direction: down, set: {state: carrier-down}}
  - {at: 30s, link: y, set: {state: up, loss: 1%}}
)");
  ASSERT_EQ(scenario.events.size(), 4u);
  EXPECT_EQ(scenario.events[0].at, 10s);
  EXPECT_EQ(scenario.events[0].link, "x");
  EXPECT_EQ(scenario.events[0].text,
            "{at: 10s, link: x, set: {delay: 50ms, rate: 4mbit, up: {rate: 1mbit}}}");
  EXPECT_EQ(scenario.events[0].up.delay, 50ms);
  EXPECT_EQ(rate_of(scenario.events[0].up), BitRate::from_mbps(1));
  EXPECT_EQ(rate_of(scenario.events[0].down), BitRate::from_mbps(4));
  EXPECT_EQ(scenario.events[1].up.state, LinkState::blackhole);
  EXPECT_EQ(scenario.events[1].down.state, LinkState::up);
  EXPECT_EQ(scenario.events[1].up.delay, 50ms);  // what the event before set still holds
  EXPECT_EQ(scenario.events[2].up.state, LinkState::blackhole);
  EXPECT_EQ(scenario.events[2].down.state, LinkState::carrier_down);
  EXPECT_EQ(scenario.events[3].link, "y");
  EXPECT_EQ(scenario.events[3].up.delay, 0s);
  EXPECT_DOUBLE_EQ(std::get<RandomLoss>(scenario.events[3].down.loss).probability, 0.01);
  EXPECT_EQ(scenario.links[0].up.delay, 5ms);  // the links themselves are as at the start
}

TEST(Scenario, expectations_are_split_into_path_comparison_and_value) {
  const Scenario scenario = read(R"(
name: t
links: [{name: lte-a}]
traffic: [{name: call, kind: voip}, {name: pages, kind: web}]
variants: [{name: slow}]
expect:
  - aggregate.fraction_of_bound >= 0.90
  - flows.call.owd_ms.p99<60
  - tunnel.b.drops.queue_aged == 0
  - {backend: netem, variant: slow, require: links.lte-a.down.queue_ms.p95 <= 150}
  - flows.pages.pages.ms.p50 > 1
)");
  ASSERT_EQ(scenario.expectations.size(), 5u);
  EXPECT_EQ(scenario.expectations[0].text, "aggregate.fraction_of_bound >= 0.90");
  EXPECT_EQ(scenario.expectations[0].path, "aggregate.fraction_of_bound");
  EXPECT_EQ(scenario.expectations[0].comparison, ">=");
  EXPECT_DOUBLE_EQ(scenario.expectations[0].value, 0.9);
  EXPECT_EQ(scenario.expectations[0].backend, std::nullopt);
  EXPECT_EQ(scenario.expectations[1].path, "flows.call.owd_ms.p99");
  EXPECT_EQ(scenario.expectations[1].comparison, "<");
  EXPECT_EQ(scenario.expectations[2].comparison, "==");
  EXPECT_EQ(scenario.expectations[3].backend, "netem");
  EXPECT_EQ(scenario.expectations[3].variant, "slow");
  EXPECT_EQ(scenario.expectations[3].text, "links.lte-a.down.queue_ms.p95 <= 150");
  EXPECT_EQ(scenario.expectations[4].comparison, ">");
}

}  // namespace
}  // namespace sennit
