// sennit-sim: runs scenario files in ns-3 and shows what came of them.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <thread>

#include "sim/results/summary.h"
#include "sim/runner/run_plan.h"
#include "sim/runner/run_set.h"
#include "sim/runner/simulation.h"

namespace sennit {
namespace {

constexpr const char* run_footer = R"(
Examples:
  sennit-sim run scenarios/lte-pair.yaml --best-single
      the scenario's variants and each link alone, side by side
  sennit-sim run scenarios/*.yaml --seeds 1-10 --no-trace --jobs 8
      means and confidence intervals over ten seeds
  sennit-sim run scenarios/lte-pair.yaml --set links.lte-a.rate=20mbit \
             --set tunnel.scheduler.algorithm=min-rtt --out /tmp/try
      the same experiment with other values
  sennit-sim run scenarios/lte-pair.yaml --json | jq '.[0].aggregate'

Results: DIR/<scenario>/<variant>/seed-<n>/summary.json and trace.h5 (HDF5: packets and time
series). Figures: PYTHONPATH=analysis python3 -m sennit plot DIR/<scenario>/<variant>/seed-<n>

Exit status: 0 all is well; 1 an expectation of a scenario is unmet; 2 bad input, or results
cannot be written; 3 a run crashed; 130 interrupted (partial results are kept and marked).)";

struct CommandLine {
  RunRequest request;
  RunSetOptions options;
  std::string seeds, duration;
  std::uint64_t seed = 0;
  std::vector<std::string> settings;
  bool no_trace = false;
};

void add_files(CLI::App& command, CommandLine& line) {
  command.add_option("FILE", line.request.files, "Scenario files (YAML)")->required();
}

CLI::App* add_run(CLI::App& app, CommandLine& line) {
  CLI::App* run = app.add_subcommand("run", "Run scenarios and show their KPIs");
  add_files(*run, line);
  auto* seed =
      run->add_option("--seed", line.seed, "Seed instead of the scenario's")->type_name("N");
  run->add_option("--seeds", line.seeds, "Several seeds: 1-10, or 1,4,8-10")
      ->type_name("LIST")
      ->excludes(seed);
  run->add_option("--variant", line.request.variants, "Only this variant (may be repeated)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  run->add_flag("--best-single", line.request.best_single,
                "Run every link alone too, and say what bonding is worth");
  run->add_option("--duration", line.duration, "Simulated time instead of the scenario's, as 20s")
      ->type_name("D");
  run->add_option("--set", line.settings, "Another value for a key of the file (may be repeated)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  run->add_option("--out", line.request.out, "Folder for results")
      ->type_name("DIR")
      ->capture_default_str();
  run->add_flag("--no-trace", line.no_trace, "Write summary.json only");
  run->add_flag("--pcap", line.options.output.pcap, "Write packet captures of every link too");
  run->add_option("--jobs", line.options.jobs, "Runs at the same time (default: one per CPU)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  run->add_flag("--json", line.options.json, "Print only a JSON array of the summaries on stdout");
  run->add_flag("--quiet", line.options.quiet, "Print only what is wrong");
  run->footer(run_footer);
  return run;
}

std::pair<std::string, std::string> split_setting(const std::string& setting) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw InputError("--set " + setting + ": must be KEY=VALUE, as links.lte-a.rate=20mbit");
  }
  return {setting.substr(0, equals), setting.substr(equals + 1)};
}

int run_scenarios(CommandLine& line, bool one_seed) {
  for (const std::string& setting : line.settings) {
    line.request.overrides.push_back(split_setting(setting));
  }
  if (!line.duration.empty()) line.request.duration = parse_run_duration(line.duration);
  if (!line.seeds.empty()) line.request.seeds = parse_seeds(line.seeds);
  if (one_seed) line.request.seeds = {line.seed};
  line.options.output.trace = !line.no_trace;
  const Plan plan = make_plan(line.request);
  return make_runs(plan, line.request.out, {"ns3", simulate}, line.options);
}

/// Every file is read, so that one call shows the faults of all.
int check_scenarios(const CommandLine& line) {
  int status = exit_ok;
  for (const auto& file : line.request.files) {
    try {
      const Scenario scenario = load_scenario(file);
      std::cout << file.string() << ": good: \"" << scenario.name << "\", " << scenario.links.size()
                << " links, " << scenario.traffic.size() << " flows, " << scenario.variants.size()
                << " variants, " << scenario.expectations.size() << " expectations" << std::endl;
    } catch (const InputError& error) {
      std::cerr << "sennit-sim: " << error.what() << "\n";
      status = exit_bad_input;
    }
  }
  return status;
}

int main_of(int argc, char** argv) {
  CLI::App app{"Simulates bonded links: scenario files in, KPIs and packet traces out.",
               "sennit-sim"};
  app.set_version_flag("--version", "sennit-sim " + std::string(sennit_version()));
  app.set_help_flag("-h,--help", "Print this help");
  app.require_subcommand(1);
  app.footer("\n'sennit-sim run --help' has examples and tells where results go.");
  CommandLine line;
  line.options.jobs = std::max(1u, std::thread::hardware_concurrency());
  CLI::App* run = add_run(app, line);
  CLI::App* check = app.add_subcommand("check", "Check scenario files and run nothing");
  add_files(*check, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {  // --help, --version
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    throw InputError(std::string(error.what()) + " (see sennit-sim --help)");
  }
  return check->parsed() ? check_scenarios(line)
                         : run_scenarios(line, run->get_option("--seed")->count() > 0);
}

}  // namespace
}  // namespace sennit

int main(int argc, char** argv) {
  try {
    return sennit::main_of(argc, argv);
  } catch (const sennit::InputError& error) {
    std::cerr << "sennit-sim: " << error.what() << "\n";
    return sennit::exit_bad_input;
  } catch (const std::exception& error) {
    std::cerr << "sennit-sim: " << error.what() << "\n";
    return sennit::exit_crashed;
  }
}
