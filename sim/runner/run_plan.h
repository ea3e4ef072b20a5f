// What a command line asks for, as a list of runs: scenario x variant x seed, each with a folder of
// its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/scenario/scenario.h"

namespace sennit {

struct RunRequest {
  std::vector<std::filesystem::path> files;
  std::vector<std::uint64_t> seeds;   // empty = the scenario's own
  std::vector<std::string> variants;  // empty = all
  std::vector<std::pair<std::string, std::string>> overrides;
  std::optional<Duration> duration;  // instead of the scenario's; later events do not happen
  bool best_single = false;
  std::filesystem::path out = "results";
};

struct PlannedRun {
  const Scenario* scenario;
  Variant variant;
  std::uint64_t seed;
  bool single_link;              // its goodput counts for best_single_mbps
  std::filesystem::path folder;  // <out>/<scenario>/<variant>/seed-<n>
  std::string label() const;     // lte-pair/default/seed-1
};

struct Plan {
  std::vector<std::unique_ptr<Scenario>> scenarios;
  std::vector<PlannedRun> runs;  // by scenario, then variant, then seed
};

/// Reads every scenario and lists its runs. A run of each link alone is added when it is asked for
/// or when an expectation needs it. Throws InputError.
Plan make_plan(const RunRequest& request);

/// "20s", "500ms", "2min", for the named option; above zero, or from zero on. Throws InputError.
Duration parse_time(const std::string& option, const std::string& text, bool zero_allowed = false);
/// The same for --duration. Throws InputError.
Duration parse_run_duration(const std::string& text);

/// "7", "1-10" or "1,4,8-10". Throws InputError.
std::vector<std::uint64_t> parse_seeds(const std::string& text);

}  // namespace sennit
