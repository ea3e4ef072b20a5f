// What the tunnel adds to a simulation: one CUBIC flow over a link of 100 Mbit/s, through the
// tunnel and over the bare ns-3 link, in turns. Seconds of processor time, which on an idle machine
// are those of the wall clock. Prints one JSON object.
//
//   simulation_cost [simulated seconds] [turns]
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

#include "sim/runner/simulation.h"

namespace sennit {
namespace {

Scenario one_flow(Duration duration) {
  Link link;
  link.name = "link";
  for (LinkConfig* direction : {&link.up, &link.down}) {
    direction->capacity = BitRate::from_mbps(100);
    direction->delay = 10ms;
    direction->queue = QueueTime{100ms};
  }
  Scenario s;
  s.name = "simulation-cost";
  s.duration = duration;
  s.links.push_back(link);
  s.traffic.push_back({});
  s.traffic[0].name = "download";
  Variant variant;
  variant.name = "default";
  variant.links = {"link"};
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
  std::vector<double> seconds{};
  double goodput_mbps = 0;
  std::uint64_t events = 0;
};

void run(const Scenario& scenario, Kind& kind) {
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
  const Scenario scenario = one_flow(from_seconds(argc > 1 ? std::atof(argv[1]) : 20));
  const int turns = argc > 2 ? std::atoi(argv[2]) : 3;
  std::vector<Kind> kinds{
      {"bare", true, false}, {"tunnel", false, false}, {"tunnel_traced", false, true}};
  for (int i = 0; i < turns; ++i) {
    for (Kind& kind : kinds) run(scenario, kind);
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
