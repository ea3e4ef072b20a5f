// `--set` arguments: the same file, other values.
#include <gtest/gtest.h>

#include "sim/scenario/blocks.h"
#include "sim/scenario/scenario.h"

namespace sennit {
namespace {

using Overrides = std::vector<std::pair<std::string, std::string>>;

Scenario read(const Overrides& overrides) {
  return yaml::read_scenario(R"(name: t
duration: 30s
links:
  - {name: lte-a, rate: 40mbit, loss: 1%}
  - {name: lte-b, trace: {file: x.down}, down: {rate: 7mbit}}
traffic: [{name: download, kind: tcp}]
variants: [{name: slow, tunnel: {scheduler: {spread_max: 10ms}}}]
events: [{at: 10s, link: lte-a, set: {delay: 5ms}}]
)",
                             "test.yaml", overrides);
}

/// A rate in place of the trace, so that the file needs no other.
const std::pair<std::string, std::string> no_trace{"links.lte-b.trace", ""};

std::string message_of(Overrides overrides) {
  overrides.insert(overrides.begin(), no_trace);
  try {
    read(overrides);
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

TEST(Override, reaches_every_part_by_dotted_names) {
  const Scenario scenario = read({no_trace,
                                  {"duration", "20s"},
                                  {"links.lte-a.rate", "20mbit"},
                                  {"links.lte-a.loss.gilbert_elliott.mean", "2%"},
                                  {"links.lte-a.loss.gilbert_elliott.burst", "4"},
                                  {"links.lte-b.up", "{rate: 3mbit}"},
                                  {"traffic.download.flows", "4"},
                                  {"tunnel.scheduler.algorithm", "min-rtt"},
                                  {"variants.slow.links", "[lte-b]"},
                                  {"events.0.at", "15s"},
                                  {"seed", "9"}});
  EXPECT_EQ(scenario.duration, 20s);
  EXPECT_EQ(scenario.seed, 9u);
  EXPECT_EQ(std::get<BitRate>(scenario.links[0].up.capacity), BitRate::from_mbps(20));
  EXPECT_DOUBLE_EQ(std::get<GilbertElliott>(scenario.links[0].up.loss).burst, 4);
  EXPECT_EQ(std::get<BitRate>(scenario.links[1].up.capacity), BitRate::from_mbps(3));
  EXPECT_EQ(scenario.traffic[0].flows, 4);
  EXPECT_EQ(scenario.variants[0].tunnel.scheduler.algorithm, "min-rtt");
  EXPECT_EQ(scenario.variants[1].tunnel.scheduler.algorithm, "min-rtt");
  EXPECT_EQ(scenario.variants[1].tunnel.scheduler.spread_max, 10ms);
  EXPECT_EQ(scenario.variants[1].links, std::vector<std::string>{"lte-b"});
  EXPECT_EQ(scenario.events[0].at, 15s);
}

TEST(Override, last_one_wins) {
  const Scenario scenario = read({no_trace, {"seed", "2"}, {"seed", "3"}});
  EXPECT_EQ(scenario.seed, 3u);
}

TEST(Override, with_nothing_removes_the_key) {
  const Scenario scenario = read({no_trace, {"events", ""}, {"links.lte-a.loss", ""}});
  EXPECT_TRUE(scenario.events.empty());
  EXPECT_TRUE(std::holds_alternative<NoLoss>(scenario.links[0].up.loss));
}

TEST(Override, of_a_wrong_value_is_named) {
  EXPECT_EQ(
      message_of({{"links.lte-a.rate", "-5mbit"}}),
      "--set links.lte-a.rate=-5mbit: links[0].rate: found '-5mbit'; allowed: a positive rate "
      "such as 40mbit, 300kbit or 1.5gbit");
  EXPECT_EQ(message_of({{"seed", "[1"}}),
            "--set seed=[1: found a syntax error (end of sequence flow not found); allowed: valid "
            "YAML");
}

TEST(Override, of_a_key_that_cannot_exist_is_named) {
  EXPECT_EQ(message_of({{"tunnel.scheduler.algoritm", "ecf"}}),
            "--set tunnel.scheduler.algoritm=ecf: tunnel.scheduler.algoritm: found unknown key "
            "'algoritm' (did you mean 'algorithm'?); allowed: algorithm, commit_slack, spread_max, "
            "bulk_transfer, weights");
  EXPECT_EQ(message_of({{"links.lte-c.rate", "5mbit"}}),
            "--set links.lte-c.rate=5mbit: links.lte-c: found 'lte-c' (did you mean 'lte-a'?); "
            "allowed: lte-a, lte-b");
  EXPECT_EQ(message_of({{"links.9.rate", "5mbit"}}),
            "--set links.9.rate=5mbit: links.9: found '9'; allowed: lte-a, lte-b");
  EXPECT_EQ(
      message_of({{"duration.seconds", "5"}}),
      "--set duration.seconds=5: duration: found a block of keys; allowed: a time from 1ms to "
      "86400s in us, ms, s or min");
  EXPECT_EQ(
      message_of({{"links..rate", "5mbit"}}),
      "--set links..rate=5mbit: found 'links..rate'; allowed: keys with dots between, such as "
      "links.lte-a.rate");
}

TEST(Override, that_removes_what_is_not_there_is_named) {
  EXPECT_EQ(message_of({{"links.lte-a.los", ""}}),
            "--set links.lte-a.los=: los: found 'los' (did you mean 'loss'?); allowed: name, rate, "
            "loss");
}

TEST(Override, that_breaks_something_else_is_blamed_where_it_shows) {
  EXPECT_EQ(
      message_of({{"duration", "10s"}}),
      "test.yaml:8: events[0].at: found '10s'; allowed: a time from 0s to before the duration "
      "(10s) in us, ms, s or min");
}

}  // namespace
}  // namespace sennit
