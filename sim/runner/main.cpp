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
#include "sim/runner/why_text.h"

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

constexpr const char* why_footer = R"(
Examples:
  sennit-sim why results/lte-pair/default/seed-1 --at 12.3s
      every link, both directions: how much it carried around 12.3 s, and why not more
  sennit-sim why results/lte-pair/default/seed-1 --at 12.3s --link lte-b --from b --window 1s
      one link in one direction, over a second
  sennit-sim why results/lte-pair/default/seed-1 --at 12.3s --json | jq '.answers[0].reasons'

It reads trace.h5, so runs with --no-trace cannot be asked. Decisions are kept in slices of 10 ms;
the window is rounded out to whole ones.

Exit status: 0; 2 bad input.)";

struct WhyLine {
  WhyRequest request;
  std::string at, window, link, from;
  bool json = false;
};

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

CLI::App* add_why(CLI::App& app, WhyLine& line) {
  CLI::App* why = app.add_subcommand("why", "Say why a link carried packets at a moment, or not");
  why->add_option("FILE", line.request.place, "A run's folder, or its trace.h5")->required();
  why->add_option("--at", line.at, "Moment of the run, as 12.3s")->type_name("T")->required();
  why->add_option("--link", line.link, "Only this link (default: all)")->type_name("NAME");
  why->add_option("--from", line.from, "Only what this end sends: a or b (default: both)")
      ->type_name("END");
  why->add_option("--window", line.window, "Time around the moment that is summed up")
      ->type_name("D")
      ->default_str("100ms");
  why->add_flag("--json", line.json, "Print a JSON object instead of words");
  why->footer(why_footer);
  return why;
}

int answer(WhyLine& line) {
  line.request.at = parse_time("--at", line.at, true);
  if (!line.window.empty()) line.request.window = parse_time("--window", line.window);
  if (!line.link.empty()) line.request.link = line.link;
  if (!line.from.empty()) line.request.from = line.from;
  answer_why(line.request, line.json);
  return exit_ok;
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
  WhyLine why_line;
  const CLI::App* why = add_why(app, why_line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {  // --help, --version
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    throw InputError(std::string(error.what()) + " (see sennit-sim --help)");
  }
  if (why->parsed()) return answer(why_line);
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
