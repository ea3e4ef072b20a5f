#include "core/config.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "core/scheduler.h"

namespace sennit {
namespace {

TEST(Config, defaults_have_no_fault) { EXPECT_EQ(find_fault(TunnelConfig{}), std::nullopt); }

TEST(Config, default_classes_are_realtime_interactive_bulk) {
  const auto classes = default_classes();
  ASSERT_EQ(classes.size(), 3u);
  EXPECT_EQ(classes[0].name, "realtime");
  EXPECT_EQ(classes[1].name, "interactive");
  EXPECT_EQ(classes[2].name, "bulk");
  EXPECT_TRUE(classes[0].realtime && !classes[1].realtime && !classes[2].realtime);
  EXPECT_LT(classes[0].priority, classes[1].priority);
  EXPECT_LT(classes[1].priority, classes[2].priority);
}

TEST(Config, every_scheduler_name_is_allowed) {
  for (const std::string_view name : scheduler_names()) {
    TunnelConfig config;
    config.scheduler.algorithm = name;
    EXPECT_EQ(find_fault(config), std::nullopt) << name;
  }
}

TEST(Config, a_fault_names_key_value_and_what_is_allowed) {
  TunnelConfig config;
  config.classes[1].fec.source = 80;
  EXPECT_EQ(find_fault(config), "classes[1].fec.source: found 80; allowed: 1..64");
  config = {};
  config.scheduler.commit_slack = 0ms;
  EXPECT_EQ(find_fault(config), "scheduler.commit_slack: found 0ms; allowed: 0.1ms..100ms");
  config = {};
  config.classes[2].rate_max = BitRate::from_mbps(0);
  EXPECT_EQ(find_fault(config), "classes[2].rate_max: found 0mbit; allowed: 0.008mbit..1e+06mbit");
  config = {};
  config.rules.push_back({});
  config.rules[0].class_name = "games";
  EXPECT_EQ(find_fault(config),
            "rules[0].class: found \"games\"; allowed: realtime, interactive, bulk");
}

struct Wrong {
  const char* key;  // that the message must begin with
  std::function<void(TunnelConfig&)> make;
};

QosRule& add_rule(TunnelConfig& c) {
  c.rules.push_back({});
  c.rules.back().class_name = "bulk";
  return c.rules.back();
}

const std::vector<Wrong> wrongs{
    {"scheduler.algorithm", [](auto& c) { c.scheduler.algorithm = "fastest"; }},
    {"scheduler.bulk_transfer", [](auto& c) { c.scheduler.bulk_transfer = Bytes{10}; }},
    {"scheduler.spread_max", [](auto& c) { c.scheduler.spread_max = -1ms; }},
    {"scheduler.weights.a",
     [](auto& c) {
       c.scheduler.weights = {{"a", 0.0}};
     }},
    {"scheduler.weights.a",
     [](auto& c) {
       c.scheduler.weights = {{"a", std::numeric_limits<double>::quiet_NaN()}};
     }},
    {"scheduler.weights.b",
     [](auto& c) {
       c.scheduler.weights = {{"a", 1}, {"b", 1}, {"b", 2}};
     }},
    {"classes", [](auto& c) { c.classes.pop_back(); }},
    {"classes", [](auto& c) { c.classes.resize(9, c.classes.back()); }},
    {"classes[0].name", [](auto& c) { c.classes[0].name = "voice"; }},
    {"classes[3].name", [](auto& c) { c.classes.push_back(c.classes[2]); }},
    {"classes[3].name",
     [](auto& c) {
       c.classes.push_back(c.classes[2]);
       c.classes[3].name = "Bulk 2";
     }},
    {"classes[1].priority", [](auto& c) { c.classes[1].priority = 8; }},
    {"classes[1].latency_budget", [](auto& c) { c.classes[1].latency_budget = 0ms; }},
    {"classes[1].hold_max", [](auto& c) { c.classes[1].hold_max = 3s; }},
    {"classes[1].hold_max", [](auto& c) { c.classes[1].hold_max = 151ms; }},
    {"classes[0].codel_target", [](auto& c) { c.classes[0].codel_target = 51ms; }},
    {"classes[0].codel_target", [](auto& c) { c.classes[0].codel_target = 0ms; }},
    {"classes[2].links[1]",
     [](auto& c) {
       c.classes[2].links = {"a", "a"};
     }},
    {"classes[2].fec.repair", [](auto& c) { c.classes[2].fec.repair = 33; }},
    {"classes[2].fec.repair",
     [](auto& c) {
       c.classes[2].fec.code = FecCode::reed_solomon;
       c.classes[2].fec.repair = 4;  // of 10: more than overhead_max
     }},
    {"classes[2].fec.overhead_max", [](auto& c) { c.classes[2].fec.overhead_max = 2; }},
    {"classes[2].fec.residual_loss", [](auto& c) { c.classes[2].fec.residual_loss = 0; }},
    {"classes[0].fec.flush_after",
     [](auto& c) {
       c.classes[0].fec.code = FecCode::parity;
       c.classes[0].fec.flush_after = 60ms;
     }},
    {"classes[0].fec.code", [](auto& c) { c.classes[0].fec.code = static_cast<FecCode>(9); }},
    {"rules[0].dscp", [](auto& c) { add_rule(c).dscp = 64; }},
    {"rules[0].source_port",
     [](auto& c) {
       add_rule(c).source_port = PortRange{2, 1};
     }},
    {"rules[0].destination_port",
     [](auto& c) {
       add_rule(c).destination_port = PortRange{53, 53};
       c.rules[0].protocol = 1;  // ICMP
     }},
    {"rules[0].source.length",
     [](auto& c) {
       add_rule(c).source = Prefix{{}, 129};
     }},
    {"rules[0].destination",
     [](auto& c) {
       add_rule(c).source = Prefix{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10}, 104};
       c.rules[0].destination = Prefix{{0x20, 0x01}, 16};
     }},
    {"probe_interval", [](auto& c) { c.probe_interval = 0ms; }},
    {"path_down_after", [](auto& c) { c.path_down_after = 1ms; }},
    {"queue_target_min", [](auto& c) { c.queue_target_min = 30ms; }},
    {"queue_target_max", [](auto& c) { c.queue_target_max = 2s; }},
};

TEST(Config, every_wrong_setting_is_found_under_its_key) {
  for (const Wrong& wrong : wrongs) {
    TunnelConfig config;
    wrong.make(config);
    const auto fault = find_fault(config);
    ASSERT_TRUE(fault) << wrong.key;
    EXPECT_EQ(fault->substr(0, fault->find(": found ")), wrong.key) << *fault;
    EXPECT_NE(fault->find("; allowed: "), std::string::npos) << *fault;
  }
}

}  // namespace
}  // namespace sennit
