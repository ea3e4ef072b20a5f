// One run of one scenario variant in ns-3: builds the topology, drives the tunnels and the traffic,
// and tells the recorder what happens. ns-3's simulator is one per process, so a process makes one
// run at a time.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>

#include "sim/results/recorder.h"
#include "sim/scenario/scenario.h"

namespace sennit {

struct SimulationOptions {
  bool trace = true;  // feed Recorder::tunnel_trace
  std::optional<std::filesystem::path>
      pcap_prefix{};  // pcap files of every link device and the overlay
  /// No tunnel: every flow over bare ns-3 links (its first link), for the cost of the overlay.
  bool bare = false;
  /// Called about ten times a wall-clock second with the simulated time reached.
  std::function<void(Duration)> progress{};
  /// Set from a signal handler to stop early; the outcome then says `interrupted`.
  const std::atomic<bool>* stop = nullptr;
};

/// Runs it from 0 to scenario.duration and calls the recorder on the way (not its finish()).
/// Same scenario, variant and seed: same digest.
RunOutcome simulate(const Scenario& scenario, const Variant& variant, std::uint64_t seed,
                    Recorder& recorder, const SimulationOptions& options);

}  // namespace sennit
