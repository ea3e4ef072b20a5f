#include "sim/runner/run_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <iostream>
#include <system_error>

#include <nlohmann/json.hpp>

#include "sim/results/recorder.h"
#include "sim/results/summary.h"
#include "sim/results/trace_file.h"

namespace sennit {

std::atomic<bool> stop_requested{false};

namespace {

constexpr int status_complete = 0, status_bad_input = 2, status_failed = 3,
              status_interrupted = 130;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(" \n") + 1);
  return text;
}

int simulate_into(const std::filesystem::path& folder, const PlannedRun& run,
                  const Backend& backend, RunProcess::Output output, int progress) {
  SimulationOptions options;
  options.trace = output.trace;
  if (output.pcap) options.pcap_prefix = folder / "packets";
  options.stop = &stop_requested;
  options.progress = [progress](Duration simulated) {
    const double seconds = to_seconds(simulated);
    // A full pipe means that nobody looks: the next news will do.
    [[maybe_unused]] const ssize_t ignored = ::write(progress, &seconds, sizeof seconds);
  };
  std::optional<std::filesystem::path> trace_file;
  if (output.trace) trace_file = folder / "trace.h5";
  Recorder recorder({*run.scenario, run.variant, run.seed, backend.name}, trace_file);
  const RunOutcome outcome =
      backend.simulate(*run.scenario, run.variant, run.seed, recorder, options);
  write_json(folder / "summary.json", recorder.finish(outcome));
  return outcome.interrupted ? status_interrupted : status_complete;
}

}  // namespace

RunProcess::RunProcess(const PlannedRun& run, const Backend& backend, Output output)
    : folder_(run.folder) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) fail("pipe");
  errors_ = ::memfd_create("stderr", MFD_CLOEXEC);
  if (errors_ < 0) fail("memfd_create");
  std::cout.flush();
  std::cerr.flush();
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // no orphan goes on alone
    if (::getppid() != parent) ::_exit(status_interrupted);
    ::close(ends[0]);
    run_child(run, backend, output, ends[1]);
  }
  ::close(ends[1]);
  progress_ = ends[0];
}

RunProcess::RunProcess(RunProcess&& other) noexcept
    : folder_(std::move(other.folder_)),
      pid_(std::exchange(other.pid_, -1)),
      progress_(std::exchange(other.progress_, -1)),
      errors_(std::exchange(other.errors_, -1)) {}

RunProcess::~RunProcess() {
  if (pid_ > 0) {  // an error elsewhere: nobody will ask for its results
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (progress_ >= 0) ::close(progress_);
  if (errors_ >= 0) ::close(errors_);
}

/// Ends by _exit: nothing of the parent's that exists twice now may be flushed or closed.
void RunProcess::run_child(const PlannedRun& run, const Backend& backend, Output output,
                           int progress) const {
  ::dup2(errors_, STDERR_FILENO);
  ::dup2(errors_, STDOUT_FILENO);
  int status = status_failed;
  try {
    status = simulate_into(folder_.path(), run, backend, output, progress);
  } catch (const InputError& error) {
    std::cerr << error.what() << std::endl;
    status = status_bad_input;
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
  }
  ::_exit(status);
}

bool RunProcess::read_progress(double& simulated_s) {
  double news[64];
  while (true) {
    const ssize_t n = ::read(progress_, news, sizeof news);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return false;
    const std::size_t count = static_cast<std::size_t>(n) / sizeof(double);
    if (count > 0) simulated_s = news[count - 1];
  }
}

void RunProcess::signal(int number) const { ::kill(pid_, number); }

RunReport RunProcess::finish() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  const int exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : status_failed;
  if (exit_status == status_bad_input) return {RunEnd::bad_input, last_words()};
  if (exit_status != status_complete && exit_status != status_interrupted) {
    return report_crash(status);
  }
  folder_.publish();
  return {exit_status == status_complete ? RunEnd::complete : RunEnd::interrupted, {}};
}

RunReport RunProcess::report_crash(int status) {
  std::string message = WIFSIGNALED(status)
                            ? std::string("crashed: ") + ::strsignal(WTERMSIG(status))
                            : std::string("failed");
  const std::string words = last_words();
  if (!words.empty()) message += "\n" + words;
  if (std::filesystem::exists(folder_.path() / "trace.h5")) {
    TraceFile::seal(folder_.path() / "trace.h5");
    message += "\n(its trace until then: " + folder_.keep_as_crashed().string() + ")";
  }
  return {RunEnd::crashed, message};
}

/// The end of what it wrote to stderr.
std::string RunProcess::last_words() const {
  constexpr off_t most = 4000;
  const off_t size = ::lseek(errors_, 0, SEEK_END);
  std::string text(static_cast<std::size_t>(std::min(size, most)), '\0');
  const ssize_t n = ::pread(errors_, text.data(), text.size(), size - std::min(size, most));
  text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return trimmed(std::move(text));
}

}  // namespace sennit
