// Makes all runs of a plan, several at a time, and reports: progress, the KPI tables, expectations,
// JSON. The exit status is the verdict.
#pragma once

#include "sim/runner/progress.h"
#include "sim/runner/run_plan.h"
#include "sim/runner/run_process.h"

namespace sennit {

struct RunSetOptions {
  RunProcess::Output output{};
  std::size_t jobs = 1;
  bool json = false;   // stdout: an array of all summaries, nothing else
  bool quiet = false;  // only what is wrong
};

/// Exit statuses of sennit-sim.
inline constexpr int exit_ok = 0;
inline constexpr int exit_unmet = 1;          // an expectation
inline constexpr int exit_bad_input = 2;      // also: results cannot be written
inline constexpr int exit_crashed = 3;        // a run
inline constexpr int exit_interrupted = 130;  // SIGINT, SIGTERM; partial results are kept

/// Takes over SIGINT and SIGTERM. Returns one of the above, the gravest: 130, 3, 2, 1, 0. Throws
/// InputError when results cannot be written.
int make_runs(const Plan& plan, const std::filesystem::path& out, const Backend& backend,
              const RunSetOptions& options);

}  // namespace sennit
