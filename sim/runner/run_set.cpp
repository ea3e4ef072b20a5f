#include "sim/runner/run_set.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>

#include <fmt/format.h>

#include "sim/results/aggregate.h"
#include "sim/results/expectations.h"
#include "sim/results/summary.h"
#include "sim/runner/kpi_table.h"

namespace sennit {
namespace {

using Json = nlohmann::ordered_json;

std::atomic<int> signals_seen{0};

void on_signal(int) {
  stop_requested = true;
  ++signals_seen;
}

void take_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;  // no SA_RESTART: poll() must return
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGXFSZ, SIG_IGN);  // a file too large is an error of write(), with words
}

std::size_t terminal_width(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 100;
}

ProgressStyle progress_style(const RunSetOptions& options) {
  if (options.quiet) return ProgressStyle::none;
  return ::isatty(STDERR_FILENO) != 0 ? ProgressStyle::live : ProgressStyle::lines;
}

std::vector<Progress::Run> shown_runs(const Plan& plan) {
  std::vector<Progress::Run> runs;
  for (const PlannedRun& run : plan.runs) {
    runs.push_back({run.label(), to_seconds(run.scenario->duration)});
  }
  return runs;
}

/// Keeps up to `jobs` processes busy until all runs have ended or a signal stops them.
class Pool {
 public:
  Pool(const Plan& plan, const Backend& backend, const RunSetOptions& options)
      : plan_(plan),
        backend_(backend),
        options_(options),
        reports_(plan.runs.size()),
        progress_(progress_style(options), shown_runs(plan), terminal_width(STDERR_FILENO)) {}

  /// One report for each run that was started.
  std::vector<std::optional<RunReport>> run() {
    while (true) {
      while (!stop_requested && next_ < plan_.runs.size() && running_.size() < options_.jobs) {
        start(next_++);
      }
      if (running_.empty()) return std::move(reports_);
      wait();
      pass_on_signals();
      collect();
      progress_.draw();
    }
  }

 private:
  void start(std::size_t run) {
    running_.emplace(run, RunProcess(plan_.runs[run], backend_, options_.output));
    progress_.started(run);
  }

  void wait() {
    std::vector<pollfd> waiting;
    for (const auto& [run, process] : running_) {
      waiting.push_back({process.progress_fd(), POLLIN, 0});
    }
    ::poll(waiting.data(), waiting.size(), 200);
  }

  /// The first signal asks the runs to end well, the next one ends them.
  void pass_on_signals() {
    const int seen = signals_seen;
    if (seen == passed_on_) return;
    for (const auto& [run, process] : running_) process.signal(seen == 1 ? SIGINT : SIGKILL);
    passed_on_ = seen;
  }

  void collect() {
    for (auto it = running_.begin(); it != running_.end();) {
      double simulated_s = -1;
      const bool alive = it->second.read_progress(simulated_s);
      if (simulated_s >= 0) progress_.reached(it->first, simulated_s);
      if (alive) {
        ++it;
        continue;
      }
      end(it->first, it->second);
      it = running_.erase(it);
    }
  }

  void end(std::size_t run, RunProcess& process) {
    constexpr std::array remarks{"", "interrupted", "bad input", "crashed"};
    reports_[run] = process.finish();
    progress_.ended(run, remarks.at(static_cast<std::size_t>(reports_[run]->end)));
  }

  const Plan& plan_;
  const Backend& backend_;
  const RunSetOptions& options_;
  std::vector<std::optional<RunReport>> reports_;
  std::map<std::size_t, RunProcess> running_;
  std::size_t next_ = 0;
  int passed_on_ = 0;
  Progress progress_;
};

/// The summaries of all runs that have one, by index in the plan.
using Summaries = std::map<std::size_t, Json>;

Summaries read_summaries(const Plan& plan, const std::vector<std::optional<RunReport>>& reports) {
  Summaries summaries;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const bool has_one = reports[i] && (reports[i]->end == RunEnd::complete ||
                                        reports[i]->end == RunEnd::interrupted);
    if (has_one) summaries.emplace(i, read_json(plan.runs[i].folder / "summary.json"));
  }
  return summaries;
}

/// The goodput of the best link alone, of the same scenario and seed; nothing unless each of the
/// run's links was measured.
std::optional<double> best_single(const Plan& plan, const Summaries& summaries,
                                  const PlannedRun& run) {
  std::map<std::string, double> alone;
  for (const auto& [i, summary] : summaries) {
    const PlannedRun& other = plan.runs[i];
    const Json& goodput = summary.at("aggregate").at("goodput_mbps");
    if (!other.single_link || other.scenario != run.scenario || other.seed != run.seed) continue;
    if (!goodput.is_number()) continue;
    double& best = alone[other.variant.links.front()];
    best = std::max(best, goodput.get<double>());
  }
  double best = 0;
  for (const std::string& link : run.variant.links) {
    if (!alone.contains(link)) return std::nullopt;
    best = std::max(best, alone[link]);
  }
  return best;
}

/// Fills best_single_mbps and aggregation_benefit of bonded runs and judges their expectations
/// again.
void complete_summaries(const Plan& plan, Summaries& summaries) {
  for (auto& [i, summary] : summaries) {
    const PlannedRun& run = plan.runs[i];
    const auto best = best_single(plan, summaries, run);
    if (run.single_link || !best) continue;
    set_best_single(summary["aggregate"], *best);
    summary["expect"] = judge_all(run.scenario->expectations, summary);
    write_json(run.folder / "summary.json", summary);
  }
}

void print_tables(const Plan& plan, const Summaries& summaries) {
  const TableStyle style{100, ::isatty(STDOUT_FILENO) != 0};
  for (const auto& scenario : plan.scenarios) {
    std::vector<VariantResults> variants;
    for (const auto& [i, summary] : summaries) {
      const PlannedRun& run = plan.runs[i];
      if (run.scenario != scenario.get()) continue;
      if (variants.empty() || variants.back().name != run.variant.name) {
        variants.push_back({run.variant.name, {}});
      }
      variants.back().summaries.push_back(summary);
    }
    if (variants.empty()) continue;
    std::cout << "\n" << kpi_table(scenario->description, variants, style);
  }
}

struct ExpectationCount {
  std::size_t met = 0, unmet = 0;
};

bool is_partial(const Json& summary) { return summary.at("run").at("partial").get<bool>(); }

/// Names every unmet expectation on stderr. Half a run proves nothing.
ExpectationCount report_expectations(const Plan& plan, const Summaries& summaries) {
  ExpectationCount count;
  for (const auto& [i, summary] : summaries) {
    if (is_partial(summary)) continue;
    for (const Json& verdict : summary.at("expect")) {
      if (verdict.at("met").get<bool>()) {
        ++count.met;
        continue;
      }
      ++count.unmet;
      const std::string found = verdict.at("value").is_null()
                                    ? verdict.value("problem", "no value")
                                    : "it is " + verdict.at("value").dump();
      std::cerr << "unmet: " << plan.runs[i].label() << ": "
                << verdict.at("text").get<std::string>() << "  (" << found << ")\n";
    }
  }
  return count;
}

void report_failures(const Plan& plan, const std::vector<std::optional<RunReport>>& reports) {
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (!reports[i] || reports[i]->message.empty()) continue;
    std::cerr << "sennit-sim: " << plan.runs[i].label() << ": " << reports[i]->message << "\n";
  }
}

bool any_ended(const std::vector<std::optional<RunReport>>& reports, RunEnd end) {
  return std::any_of(reports.begin(), reports.end(),
                     [end](const auto& report) { return report && report->end == end; });
}

void print_json(const Summaries& summaries) {
  Json all = Json::array();
  for (const auto& [i, summary] : summaries) all.push_back(summary);
  std::cout << all.dump(1) << std::endl;
}

void print_report(const Plan& plan, const Summaries& summaries, const std::filesystem::path& out,
                  ExpectationCount count) {
  print_tables(plan, summaries);
  std::cout << "\n";
  if (count.met + count.unmet > 0) {
    std::cout << fmt::format("expectations: {} met, {} unmet\n", count.met, count.unmet);
  }
  std::cout << "results: " << out.string() << "/<scenario>/<variant>/seed-<n>/" << std::endl;
}

}  // namespace

int make_runs(const Plan& plan, const std::filesystem::path& out, const Backend& backend,
              const RunSetOptions& options) {
  check_writable(out);
  take_signals();
  const auto reports = Pool(plan, backend, options).run();
  Summaries summaries = read_summaries(plan, reports);
  complete_summaries(plan, summaries);
  report_failures(plan, reports);
  const ExpectationCount count = report_expectations(plan, summaries);
  if (options.json) print_json(summaries);
  if (!options.json && !options.quiet) print_report(plan, summaries, out, count);
  if (stop_requested) {
    std::cerr << "sennit-sim: interrupted; the results so far are marked as partial\n";
    return exit_interrupted;
  }
  if (any_ended(reports, RunEnd::crashed)) return exit_crashed;
  if (any_ended(reports, RunEnd::bad_input)) return exit_bad_input;
  return count.unmet > 0 ? exit_unmet : exit_ok;
}

}  // namespace sennit
