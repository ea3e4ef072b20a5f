// The `tunnel:` block and how variants inherit it.
#include <gtest/gtest.h>

#include "core/scheduler.h"
#include "sim/scenario/blocks.h"
#include "sim/scenario/scenario.h"

namespace sennit {
namespace {

TunnelConfig tunnel(const std::string& yaml) { return load_tunnel_config(yaml, "edge.yaml"); }

TEST(TunnelBlock, empty_one_is_the_default) {
  for (const char* yaml : {"", "{}", "# nothing\n"}) {
    const TunnelConfig config = tunnel(yaml);
    EXPECT_EQ(config.scheduler.algorithm, TunnelConfig{}.scheduler.algorithm);
    EXPECT_EQ(config.classes.size(), 3u);
    EXPECT_EQ(config.probe_interval, TunnelConfig{}.probe_interval);
    EXPECT_TRUE(config.trace_packets);
  }
}

TEST(TunnelBlock, scheduler_and_timers_are_read) {
  const TunnelConfig config = tunnel(R"(
scheduler: {algorithm: weighted-round-robin, commit_slack: 2ms, spread_max: 80ms, weights: {b: 2, a: 0.5}}
probe_interval: 50ms
path_down_after: 300ms
queue_target_min: 2ms
queue_target_max: 40ms
trace_packets: false
)");
  EXPECT_EQ(config.scheduler.algorithm, "weighted-round-robin");
  EXPECT_EQ(config.scheduler.commit_slack, 2ms);
  EXPECT_EQ(config.scheduler.spread_max, 80ms);
  EXPECT_EQ(config.scheduler.weights,
            (std::vector<std::pair<std::string, double>>{{"b", 2}, {"a", 0.5}}));
  EXPECT_EQ(config.probe_interval, 50ms);
  EXPECT_EQ(config.path_down_after, 300ms);
  EXPECT_EQ(config.queue_target_min, 2ms);
  EXPECT_EQ(config.queue_target_max, 40ms);
  EXPECT_FALSE(config.trace_packets);
}

TEST(TunnelBlock, every_scheduler_can_be_named) {
  for (const std::string_view name : scheduler_names()) {
    EXPECT_EQ(tunnel("scheduler: {algorithm: " + std::string(name) + "}").scheduler.algorithm,
              name);
  }
}

TEST(TunnelBlock, fec_holds_for_all_classes_until_one_overrides_it) {
  const TunnelConfig config = tunnel(R"(
classes: {realtime: {fec: {code: parity, flush_after: 5ms}}}
fec: {code: sliding-rlc, source: 20, repair: 3, adaptive: false, overhead_max: 20%, residual_loss: 0.001}
)");
  const FecConfig& realtime = config.classes[0].fec;
  EXPECT_EQ(realtime.code, FecCode::parity);
  EXPECT_EQ(realtime.flush_after, 5ms);
  EXPECT_EQ(realtime.source, 20);
  const FecConfig& bulk = config.classes[2].fec;
  EXPECT_EQ(bulk.code, FecCode::sliding_rlc);
  EXPECT_EQ(bulk.source, 20);
  EXPECT_EQ(bulk.repair, 3);
  EXPECT_FALSE(bulk.adaptive);
  EXPECT_DOUBLE_EQ(bulk.overhead_max, 0.2);
  EXPECT_DOUBLE_EQ(bulk.residual_loss, 0.001);
}

TEST(TunnelBlock, classes_are_changed_and_added) {
  const TunnelConfig config = tunnel(R"(
classes:
  interactive: {priority: 3, realtime: true, ordered: false, latency_budget: 80ms, hold_max: 30ms,
                codel_target: 4ms, reinject: false, duplicate: true, rate_max: 3mbit}
  backup: {base: bulk, links: [lte-b], rate_max: 5mbit}
  archive: {base: backup, priority: 7}
)");
  ASSERT_EQ(config.classes.size(), 5u);
  const ClassConfig& interactive = config.classes[1];
  EXPECT_EQ(interactive.name, "interactive");
  EXPECT_EQ(interactive.priority, 3);
  EXPECT_TRUE(interactive.realtime);
  EXPECT_FALSE(interactive.ordered);
  EXPECT_EQ(interactive.latency_budget, 80ms);
  EXPECT_EQ(interactive.hold_max, 30ms);
  EXPECT_EQ(interactive.codel_target, 4ms);
  EXPECT_FALSE(interactive.reinject);
  EXPECT_TRUE(interactive.duplicate);
  EXPECT_EQ(interactive.rate_max, BitRate::from_mbps(3));
  const ClassConfig& backup = config.classes[3];
  EXPECT_EQ(backup.name, "backup");
  EXPECT_EQ(backup.links, std::vector<std::string>{"lte-b"});
  EXPECT_EQ(backup.codel_target, config.classes[2].codel_target);
  const ClassConfig& archive = config.classes[4];
  EXPECT_EQ(archive.name, "archive");
  EXPECT_EQ(archive.priority, 7);
  EXPECT_EQ(archive.links, backup.links);
}

TEST(TunnelBlock, rules_are_read) {
  const TunnelConfig config = tunnel(R"(
rules:
  - {source: 10.0.0.0/8, destination: 192.0.2.1, protocol: udp, source_port: 5000,
     destination_port: 5000-5010, dscp: ef, class: realtime}
  - {source: '2001:db8::/32', protocol: 47, dscp: af41, class: interactive}
  - {source: 0.0.0.0/0, protocol: icmp, dscp: 8, class: bulk}
  - {class: bulk}
)");
  ASSERT_EQ(config.rules.size(), 4u);
  const QosRule& first = config.rules[0];
  const Prefix ten{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10}, 104};
  const Prefix host{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}, 128};
  EXPECT_EQ(first.source, ten);
  EXPECT_EQ(first.destination, host);
  EXPECT_EQ(first.protocol, 17);
  EXPECT_EQ(first.source_port, (PortRange{5000, 5000}));
  EXPECT_EQ(first.destination_port, (PortRange{5000, 5010}));
  EXPECT_EQ(first.dscp, 46);
  EXPECT_EQ(first.class_name, "realtime");
  const Prefix documentation{{0x20, 0x01, 0x0d, 0xb8}, 32};
  EXPECT_EQ(config.rules[1].source, documentation);
  EXPECT_EQ(config.rules[1].protocol, 47);
  EXPECT_EQ(config.rules[1].dscp, 34);
  EXPECT_EQ(config.rules[2].source->length, 96);
  EXPECT_EQ(config.rules[2].protocol, 1);
  EXPECT_EQ(config.rules[2].dscp, 8);
  EXPECT_FALSE(config.rules[3].source || config.rules[3].protocol || config.rules[3].dscp);
}

Scenario with_variants(const std::string& tunnel, const std::string& variants) {
  return yaml::read_scenario(
      "name: t\nlinks: [{name: x}, {name: y}]\ntunnel: " + tunnel + "\nvariants: " + variants,
      "test.yaml", {});
}

TEST(Variants, inherit_the_default_tunnel_and_override_it_key_by_key) {
  const Scenario scenario = with_variants(
      "{scheduler: {algorithm: ecf, spread_max: 90ms}, probe_interval: 40ms,"
      " classes: {bulk: {hold_max: 60ms, priority: 4}}, rules: [{class: bulk}]}",
      "[{name: same}, {name: other, tunnel: {scheduler: {algorithm: blest}, rules: [],"
      " classes: {bulk: {hold_max: 80ms}, extra: {base: bulk}}}}]");
  ASSERT_EQ(scenario.variants.size(), 3u);
  const TunnelConfig& first = scenario.variants[0].tunnel;
  EXPECT_EQ(scenario.variants[0].name, "default");
  EXPECT_EQ(first.scheduler.algorithm, "ecf");
  EXPECT_EQ(first.classes[2].hold_max, 60ms);
  EXPECT_EQ(first.classes.size(), 3u);
  EXPECT_EQ(scenario.variants[1].name, "same");
  EXPECT_EQ(scenario.variants[1].tunnel.scheduler.algorithm, "ecf");
  EXPECT_EQ(scenario.variants[1].tunnel.rules.size(), 1u);
  const TunnelConfig& other = scenario.variants[2].tunnel;
  EXPECT_EQ(other.scheduler.algorithm, "blest");
  EXPECT_EQ(other.scheduler.spread_max, 90ms);
  EXPECT_EQ(other.probe_interval, 40ms);
  EXPECT_EQ(other.classes[2].hold_max, 80ms);
  EXPECT_EQ(other.classes[2].priority, 4);
  EXPECT_EQ(other.classes[3].name, "extra");
  EXPECT_EQ(other.classes[3].hold_max, 80ms);
  EXPECT_TRUE(other.rules.empty());
}

TEST(Variants, use_all_links_or_those_that_they_name) {
  const Scenario scenario = with_variants("{}", "[{name: all}, {name: only-y, links: [y]}]");
  EXPECT_EQ(scenario.variants[0].links, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(scenario.variants[1].links, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(scenario.variants[2].links, (std::vector<std::string>{"y"}));
}

}  // namespace
}  // namespace sennit
