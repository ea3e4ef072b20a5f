// trace.h5: everything that happened in one run, written while it happens.
//
// A simulation may be killed at any moment and what it has written must stay readable. HDF5's
// ordinary mode leaves a torn file then. So all tables are made first, and the file is switched to
// single-writer-multiple-reader mode, in which metadata reach the disk only in an order that a
// reader can follow; it is flushed every simulated second, and can be read while it grows
// (h5py.File(file, "r", swmr=True)). seal() makes a killed writer's file an ordinary one again.
//
// Attributes of the file: scenario (its text), name, variant, seed, backend, version, links,
// scheduler, duration_s, warmup_s, digest (0 until known), complete (1 when the run reached its
// end, else 0), partial (the contrary). The file says complete only after everything else was
// written.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/observe.h"
#include "sim/results/recorder.h"

namespace sennit {

/// As files show it: 0.3, where to_seconds() gives 0.30000000000000004.
constexpr double seconds_of(Duration d) { return static_cast<double>(d.count()) / 1e9; }

// Rows of the time series, without padding, as h5py shows them: one every 100 ms, about the time
// that ended at `time_s`.

/// What one end sends on one link. First the tunnel's own view, then the link's (NaN where
/// the backend does not know).
struct [[gnu::packed]] PathRow {
  double time_s;
  double inflight_bytes, inflight_limit_bytes, queued_bytes;
  float rate_mbps, delivery_rate_mbps, sent_mbps;
  float srtt_ms, one_way_ms, standing_queue_ms, loss;
  float carried_mbps, link_queue_ms, capacity_mbps;
  std::uint8_t state;  // PathState; 255 = the tunnel does not use it
  std::uint8_t group;  // the first link of those behind the same bottleneck; 255 as above
};
struct [[gnu::packed]] FlowRow {
  double time_s;
  float goodput_mbps, owd_ms_mean, owd_ms_max;  // NaN when nothing arrived
  std::int32_t lost;
};
struct [[gnu::packed]] TunnelRow {
  double time_s;
  std::uint32_t ingress_packets, held_packets;
  float accepted_mbps, delivered_mbps, outer_mbps, repair_mbps;
  float hold_ms_p99;  // NaN when nothing was delivered
};

/// Every call throws InputError when the file cannot be written (disk full), with the reason.
class TraceFile {
 public:
  /// Makes the tables: /packets; /paths/<a|b>/<link> for each link of the variant, in its order;
  /// /flows/<name>; /tunnel/<a|b>; /events.
  TraceFile(const RunIdentity& identity, const std::filesystem::path& file);
  ~TraceFile();
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  void add_packets(End end, std::span<const TraceRecord> records);
  void add_path(End end, std::size_t link_of_variant, const PathRow& row);
  void add_flow(std::size_t flow, const FlowRow& row);
  void add_tunnel(End end, const TunnelRow& row);
  /// Texts are cut at 239 bytes.
  void add_event(Instant at, const std::string& text);

  /// Writes everything out; call about once a simulated second.
  void flush();
  /// Closes it; `complete` if the run reached its end.
  void finish(std::uint64_t digest, bool complete);

  /// Makes the file of a writer that was killed an ordinary HDF5 file again; it stays partial.
  /// False if it is beyond that (killed before its tables were made).
  static bool seal(const std::filesystem::path& file);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sennit
