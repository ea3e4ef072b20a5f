// Why did a link carry packets around a moment, or not? Collects from a trace what the answer
// needs: what was bound to the link and what was not, the scheduler's reasons (decision records,
// see core/decision_log.h), the path's state, and how fast it was. why_text.h puts it into words.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/decision_log.h"
#include "core/observe.h"
#include "sim/results/trace_reader.h"

namespace sennit {

struct WhyRequest {
  std::filesystem::path place;  // a run's folder or trace.h5
  Duration at{};                // the middle of the window
  Duration window = std::chrono::milliseconds{100};
  std::optional<std::string> link{};  // empty = every link
  std::optional<std::string> from{};  // "a" or "b", the sending end; empty = both
};

/// Packets of one class that the link did not take for one reason.
struct WhyShare {
  Outcome outcome;
  std::size_t reason;     // index into TraceInfo::reasons
  std::uint8_t class_id;  // index into TraceInfo::classes
  std::uint64_t packets;  // of held and stopped: how often it was decided
  double a, b;            // means, see core/decision_reasons.def
};

/// When a path changed its state, and why (as trace kind path_state has them).
struct WhyChange {
  Duration at;
  PathState before, after;
  std::uint64_t because;
};

struct WhyAnswer {
  char from = 'a';                       // the sending end
  std::size_t link = 0;                  // index into TraceInfo::links
  Duration begin{}, end{};               // whole slices of the decision log
  std::uint64_t packets = 0;             // inner packets that got a path in the window
  std::uint64_t here = 0;                // of them on this link
  std::uint64_t copied = 0;              // of `here`, those that another link got too
  std::vector<std::uint64_t> others;     // by link: those that it got and this link did not
  std::uint64_t waiting = 0;             // packets that were still without a path at the end
  std::uint64_t dropped = 0;             // in the ingress queue: too old, or too many
  Duration asked{};                      // part of the window in which packets waited for a path
  std::uint64_t datagrams = 0;           // that left on the link, with copies, repair and control
  std::uint64_t bytes = 0;               // of those datagrams, as on the link
  double pacing_mbps = 0;                // last estimate before the window's end; 0 = none yet
  PathState state = PathState::probing;  // at its begin
  std::optional<WhyChange> since{};      // last change before it
  std::vector<WhyChange> changes;        // within it
  std::vector<WhyShare> shares;          // the most packets first
  TracePathRow path{};                   // time series at the moment
  double seconds() const { return to_seconds(end - begin); }
  double sent_mbps() const { return static_cast<double>(bytes) * 8e-6 / seconds(); }
};

/// One answer per sending end (the one that sent more first) and link. Throws InputError: the time
/// is outside the trace, the link or end is unknown, the window is longer than a minute.
std::vector<WhyAnswer> explain(const TraceReader& trace, const WhyRequest& request);

}  // namespace sennit
