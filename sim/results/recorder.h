// Collects what happens in one run, whatever the backend, and makes KPIs, time series and the
// packet trace of it. Nothing here knows ns-3: the testbed feeds the same calls from real sockets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "core/link_model/link_model.h"
#include "core/observe.h"
#include "sim/scenario/scenario.h"

namespace sennit {

/// Which end of the tunnel.
enum class End : std::uint8_t { a, b };

struct RunIdentity {
  const Scenario& scenario;
  const Variant& variant;
  std::uint64_t seed;
  std::string backend;  // ns3, netem, emulator
};

/// What only the backend knows at the end of a run.
struct RunOutcome {
  Instant end;               // simulated time reached
  bool interrupted = false;  // stopped before the scenario's duration
  double wall_s = 0;
  std::uint64_t events = 0;  // of the simulator
  std::uint64_t digest = 0;  // both tunnels' digests combined
  std::uint16_t inner_mtu = 0;
  int outer_overhead = 0;  // bytes that the tunnel and the outer IP and UDP headers add to one
                           // inner packet
};

/// Instants count from the start of the run (Instant{} = 0). Flows are indices into
/// scenario.traffic; links are indices into scenario.links; a PathId is an index into
/// variant.links. Scenario and variant outlive the recorder. Bounded memory: statistics are kept in
/// histograms or sorted samples of bounded size, records go to the trace file as they come.
class Recorder {
 public:
  /// `trace_file`: trace.h5 to write while running; none = statistics only. Throws InputError when
  /// it cannot be written.
  Recorder(RunIdentity identity, std::optional<std::filesystem::path> trace_file);
  ~Recorder();
  Recorder(const Recorder&) = delete;

  // --- flows (application level unless said otherwise) ---
  /// An application packet (cbr, voip, video) entered the network.
  void flow_packet_sent(std::size_t flow, Instant now);
  /// It arrived. `number` counts the flow's packets from 0: gives reordering, loss and gaps.
  void flow_packet_received(std::size_t flow, std::uint64_t number, Instant sent, Instant now,
                            Bytes size);
  /// TCP: bytes that the receiving application read.
  void flow_bytes_received(std::size_t flow, Instant now, Bytes size);
  /// TCP and web: one inner packet's way through the tunnel, in at `entered`, out at `now`, in the
  /// direction of the data. (Ignored for flows whose packets tell their delay themselves.)
  void flow_transit(std::size_t flow, Instant entered, Instant now);
  /// TCP with `bytes:` finished; or one web page; `took` since it was asked for.
  void flow_completed(std::size_t flow, Instant now, Duration took);
  /// One video frame ended (complete or its deadline passed).
  void flow_frame(std::size_t flow, Instant now, bool on_time);

  // --- links ---
  void link_exit(std::size_t link, Direction, Instant now, const Exit&, Bytes size);
  /// Every 100 ms, all links and directions, with their counters and queue. (The samples of one
  /// instant, of links and tunnels in any order, make one row of each time series.)
  void link_sample(std::size_t link, Direction, Instant now, const LinkStats&, Duration queueing);
  /// Capacity integrated over the run after the warm-up, in bytes, and the model's mean loss
  /// weighed by time (LinkModel::capacity_between, split at events).
  void link_capacity(std::size_t link, Direction, Bytes capacity, double mean_loss);

  // --- tunnel ---
  void tunnel_trace(End, std::span<const TraceRecord>);
  void tunnel_sample(End, const Metrics&);  // every 100 ms, and once at the end
  /// Something that happened, for the trace and the plot (an event of the scenario).
  void note(Instant now, const std::string& text);

  /// Makes summary.json's object (docs: scenarios.md schema 1), closes the trace. Call once.
  nlohmann::ordered_json finish(const RunOutcome&);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sennit
