// Reads back what trace_file.h writes: of a finished run, of one that was interrupted, and of one
// that is still going on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/observe.h"

namespace sennit {

/// What the file says about itself. Lists give codes of the packet events their names.
struct TraceInfo {
  std::string scenario, variant, scheduler;
  std::vector<std::string> links;             // in the order of path numbers
  std::vector<std::string> classes, reasons;  // a reason's name: see core/decision_reasons.def
  std::uint64_t seed = 0;
  bool complete = false;  // the run reached its end
  double reached_s = 0;   // time up to which there are time series
  double duration_s = 0;  // that the scenario asked for
};

/// One packet event; what the fields mean depends on the kind (core/trace_events.def).
struct TraceRow {
  std::int64_t at_ns;
  std::uint64_t sequence, a, b;
  std::uint32_t size;
  std::uint16_t flags;
  std::uint8_t class_id, kind, path, end;  // end: 0 = a, 1 = b
  bool is(TraceKind of) const { return kind == static_cast<std::uint8_t>(of); }
};

/// Of one end's time series about one link; the columns as in trace_file.h.
struct TracePathRow {
  double time_s, inflight_bytes, inflight_limit_bytes;
  float rate_mbps, srtt_ms, standing_queue_ms, loss, capacity_mbps;
};

class TraceReader {
 public:
  /// A trace file, or the folder of a run. Throws InputError: there is none, it is no trace, it
  /// cannot be read, or it has no decisions.
  explicit TraceReader(const std::filesystem::path& place);
  ~TraceReader();

  const TraceInfo& info() const;
  /// Shows all packet events in the order of writing, until `look` says false. Throws InputError.
  void each_packet(const std::function<bool(std::span<const TraceRow>)>& look) const;
  /// The row whose interval holds the time; the last one before it if there is none later.
  TracePathRow path_at(char end, const std::string& link, double time_s) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sennit
