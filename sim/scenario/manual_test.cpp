// The manual is read by people who then write files: what it shows must load, must be the default
// where it says so, and must leave no key out.
#include <gtest/gtest.h>

#include <filesystem>

#include "core/scheduler.h"
#include "sim/scenario/blocks.h"
#include "sim/scenario/text_file.h"

namespace sennit {
namespace {

const std::filesystem::path source = SENNIT_SOURCE_DIR;

std::string manual() { return read_text_file(source / "docs/configuration.md").value_or(""); }

/// The n-th block of YAML in the manual.
std::string example(int n) {
  const std::string fence = "```yaml\n", text = manual();
  std::size_t begin = 0;
  for (int i = 0; i <= n; ++i) begin = text.find(fence, begin) + fence.size();
  return text.substr(begin, text.find("```", begin) - begin);
}

TEST(Manual, scenario_loads_as_it_stands) {
  const Scenario scenario =
      yaml::read_scenario(example(0), source / "scenarios/reference.yaml", {});
  EXPECT_EQ(scenario.name, "reference");
  EXPECT_EQ(scenario.links.size(), 2u);
  EXPECT_EQ(scenario.traffic.size(), 5u);
  EXPECT_EQ(scenario.events.size(), 2u);
}

TEST(Manual, tunnel_shows_the_defaults) {
  const TunnelConfig shown = load_tunnel_config(example(1), "configuration.md");
  const TunnelConfig usual;
  EXPECT_EQ(shown.scheduler.algorithm, usual.scheduler.algorithm);
  EXPECT_EQ(shown.scheduler.commit_slack, usual.scheduler.commit_slack);
  EXPECT_EQ(shown.scheduler.spread_max, usual.scheduler.spread_max);
  EXPECT_EQ(shown.scheduler.bulk_transfer, usual.scheduler.bulk_transfer);
  EXPECT_EQ(shown.probe_interval, usual.probe_interval);
  EXPECT_EQ(shown.path_down_after, usual.path_down_after);
  EXPECT_EQ(shown.queue_target_min, usual.queue_target_min);
  EXPECT_EQ(shown.queue_target_max, usual.queue_target_max);
  EXPECT_EQ(shown.trace_packets, usual.trace_packets);
  ASSERT_EQ(shown.classes.size(), usual.classes.size() + 1);
  for (std::size_t i = 0; i < usual.classes.size(); ++i) {
    const ClassConfig &a = shown.classes[i], &b = usual.classes[i];
    SCOPED_TRACE(b.name);
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.priority, b.priority);
    EXPECT_EQ(a.realtime, b.realtime);
    EXPECT_EQ(a.ordered, b.ordered);
    EXPECT_EQ(a.latency_budget, b.latency_budget);
    EXPECT_EQ(a.hold_max, b.hold_max);
    EXPECT_EQ(a.codel_target, b.codel_target);
    EXPECT_EQ(a.reinject, b.reinject);
    EXPECT_EQ(a.duplicate, b.duplicate);
    EXPECT_EQ(a.fec.code, b.fec.code);
    EXPECT_EQ(a.fec.source, b.fec.source);
    EXPECT_EQ(a.fec.repair, b.fec.repair);
    EXPECT_EQ(a.fec.adaptive, b.fec.adaptive);
    EXPECT_DOUBLE_EQ(a.fec.overhead_max, b.fec.overhead_max);
    EXPECT_DOUBLE_EQ(a.fec.residual_loss, b.fec.residual_loss);
    EXPECT_EQ(a.fec.flush_after, b.fec.flush_after);
  }
}

/// What the readers themselves list as allowed when asked for a key that cannot exist.
std::string allowed_at(const std::string& key) {
  try {
    yaml::read_scenario(example(0), source / "scenarios/reference.yaml", {{key, "1"}});
  } catch (const InputError& e) {
    const std::string message = e.what();
    return message.substr(message.find("allowed: ") + 9);
  }
  return "";
}

TEST(Manual, names_every_key) {
  const std::string text = example(0) + example(1);
  for (const char* block :
       {"?", "links.lte-a.?", "links.lte-a.jitter.?", "links.lte-b.trace.?", "traffic.download.?",
        "traffic.stream.?", "traffic.meeting.?", "traffic.pages.?", "tunnel.?",
        "tunnel.scheduler.?", "tunnel.fec.?", "tunnel.classes.bulk.?", "variants.min-rtt.?",
        "events.0.?", "events.0.set.?", "expect.1.?"}) {
    std::string keys = allowed_at(block);
    ASSERT_FALSE(keys.empty()) << block;
    for (std::size_t end = 0; !keys.empty(); keys = keys.substr(std::min(end + 2, keys.size()))) {
      end = std::min(keys.find(", "), keys.size());
      const std::string key = keys.substr(0, end);
      EXPECT_NE(text.find(key + ":"), std::string::npos) << key << " of " << block;
    }
  }
}

TEST(Manual, names_every_scheduler) {
  for (const std::string_view name : scheduler_names()) {
    EXPECT_NE(example(1).find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace sennit
