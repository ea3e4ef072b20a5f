// What the tunnel adds to a simulation: one CUBIC flow through the tunnel and over bare ns-3, in
// turns. Seconds of processor time, which on an idle machine are those of the wall clock. Prints
// one JSON object.
//
//   simulation_cost [simulated seconds] [turns] [one|pair]
//
// one: a link of 100 Mbit/s. pair: 300 Mbit/s at 10 ms and 80 at 30 (profile 4 of the goals); ns-3
// alone cannot bond, so its flow has one link of their sum, at 10 ms.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "sim/runner/simulation.h"

namespace sennit {
namespace {

struct Line {
  double mbps;
  Duration delay;
};

Link link_of(const Line& line, std::size_t number) {
  Link link;
  link.name = "link-" + std::to_string(number);
  for (LinkConfig* direction : {&link.up, &link.down}) {
    direction->capacity = BitRate::from_mbps(line.mbps);
    direction->delay = line.delay;
    direction->queue = QueueTime{100ms};
  }
  return link;
}

Scenario one_flow(Duration duration, const std::vector<Line>& lines) {
  Scenario s;
  s.name = "simulation-cost";
  s.duration = duration;
  s.traffic.push_back({});
  s.traffic[0].name = "download";
  Variant variant;
  variant.name = "default";
  for (const Line& line : lines) {
    s.links.push_back(link_of(line, s.links.size()));
    variant.links.push_back(s.links.back().name);
  }
  s.variants.push_back(variant);
  return s;
}

double processor_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct Kind {
  const char* name;
  bool bare, trace;
  Scenario scenario;
  std::vector<double> seconds{};
  double goodput_mbps = 0;
  std::uint64_t events = 0;
};

void run(Kind& kind) {
  const Scenario& scenario = kind.scenario;
  SimulationOptions options;
  options.bare = kind.bare;
  options.trace = kind.trace;
  const Variant& variant = scenario.variants[0];
  const double begin = processor_seconds();
  Recorder recorder{{scenario, variant, scenario.seed, "ns3"}, std::nullopt};
  const RunOutcome outcome = simulate(scenario, variant, scenario.seed, recorder, options);
  const auto summary = recorder.finish(outcome);
  kind.seconds.push_back(processor_seconds() - begin);
  kind.goodput_mbps = summary["flows"]["download"]["goodput_mbps"];
  kind.events = outcome.events;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace
}  // namespace sennit

int main(int argc, char** argv) {
  using namespace sennit;
  const Duration duration = from_seconds(argc > 1 ? std::atof(argv[1]) : 20);
  const int turns = argc > 2 ? std::atoi(argv[2]) : 3;
  const bool pair = argc > 3 && std::string_view{argv[3]} == "pair";
  const Scenario bare = one_flow(duration, {{pair ? 380.0 : 100.0, 10ms}});
  const Scenario bond = pair ? one_flow(duration, {{300, 10ms}, {80, 30ms}}) : bare;
  std::vector<Kind> kinds{{"bare", true, false, bare},
                          {"tunnel", false, false, bond},
                          {"tunnel_traced", false, true, bond}};
  for (int i = 0; i < turns; ++i) {
    for (Kind& kind : kinds) run(kind);
  }
  nlohmann::ordered_json result;
  for (const Kind& kind : kinds) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < kind.seconds.size(); ++i) {
      ratios.push_back(kind.seconds[i] / kinds[0].seconds[i]);
    }
    result[kind.name] = {{"seconds", median(kind.seconds)}, {"all_seconds", kind.seconds},
                         {"ratio", median(ratios)},         {"ratios", ratios},
                         {"events", kind.events},           {"goodput_mbps", kind.goodput_mbps}};
  }
  std::printf("%s\n", result.dump(2).c_str());
}
