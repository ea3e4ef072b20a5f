// One run in a process of its own. ns-3's simulator is one per process, a crash of one run must not
// take the others along, and processes use all CPUs.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "sim/runner/run_folder.h"
#include "sim/runner/run_plan.h"
#include "sim/runner/simulation.h"

namespace sennit {

/// Set by SIGINT and SIGTERM, in the parent and in every run.
extern std::atomic<bool> stop_requested;

/// What makes a run: simulate(), or anything with its signature.
struct Backend {
  std::string name;  // as in `expect:`
  std::function<RunOutcome(const Scenario&, const Variant&, std::uint64_t seed, Recorder&,
                           const SimulationOptions&)>
      simulate;
};

enum class RunEnd : std::uint8_t { complete, interrupted, bad_input, crashed };

struct RunReport {
  RunEnd end;
  std::string message;  // of bad input, or of a crash: the signal and its last words
};

class RunProcess {
 public:
  struct Output {
    bool trace = true;
    bool pcap = false;
  };
  /// Forks. The folder is made first. Throws InputError, std::system_error.
  RunProcess(const PlannedRun& run, const Backend& backend, Output output);
  RunProcess(RunProcess&&) noexcept;
  RunProcess& operator=(RunProcess&&) = delete;
  ~RunProcess();

  /// Readable when there is progress, and at its end.
  int progress_fd() const { return progress_; }
  /// Simulated seconds reached, if there is news; false when the process has closed its end.
  bool read_progress(double& simulated_s);
  void signal(int number) const;
  /// Waits for its end and puts the results into their place: complete and partial ones into the
  /// run's folder, those of a crash beside it.
  RunReport finish();

 private:
  [[noreturn]] void run_child(const PlannedRun& run, const Backend& backend, Output output,
                              int progress) const;
  RunReport report_crash(int status);
  std::string last_words() const;

  RunFolder folder_;
  pid_t pid_ = -1;
  int progress_ = -1;  // pipe: doubles, simulated seconds
  int errors_ = -1;    // memory file: the child's stderr
};

}  // namespace sennit
