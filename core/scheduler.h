// The choice of path for each packet. One virtual call per batch, so a scheduler may be C++ or
// Python.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "core/config.h"
#include "core/decision_log.h"
#include "core/rng.h"
#include "core/units.h"

namespace sennit {

/// What a scheduler may know of a path. Plain data with a fixed layout: the same bytes are a NumPy
/// structured row. The rows are the scheduler's scratch copy: it charges `window_bytes` and
/// `queued_bytes` itself as it assigns, so a batch is decided exactly as single packets would be.
struct PathView {
  std::int64_t srtt_ns;          // smoothed feedback round trip (RFC 6298)
  std::int64_t base_one_way_ns;  // least of the last ten seconds: without a standing queue; on the
                                 // scale of one_way_ns
  std::int64_t one_way_ns;    // forecast one-way delay plus an unknown constant, the same on every
                              // path: only differences mean anything
  std::int64_t deviation_ns;  // mean deviation of the one-way delay
  std::int64_t rate_bps;      // pacing rate, bit/s, > 0
  std::int64_t window_bytes;  // bytes that fit under the inflight limit beside `queued_bytes`
  std::int64_t queued_bytes;  // bytes accepted for this path and not yet on the wire
  std::int64_t line_ns;       // the packet leaves no earlier than this from now
  float loss;                 // fraction lost, smoothed
  std::uint8_t path;          // PathId
  std::uint8_t cost;          // operator's preference: 0 = use first
  std::uint16_t mtu;          // largest inner packet that fits
};
static_assert(sizeof(PathView) == 72);

/// What a scheduler may know of a packet.
struct PacketView {
  std::int64_t waited_ns;  // since it came in
  std::uint32_t flow;      // hash of the inner 5-tuple
  std::uint16_t size;      // inner packet, bytes
  std::uint8_t class_id;   // index of its traffic class
  std::uint8_t flags;      // see Flag
  enum Flag : std::uint8_t {
    realtime = 1,  // late is lost: weigh jitter more
    sparse = 2     // a packet of a flow that does not build queues
  };
};
static_assert(sizeof(PacketView) == 16);

/// Bit i = send on paths[i] (the row, not the PathId). No bit = keep the packet for now. Several
/// bits = send a copy on each.
using PathMask = std::uint32_t;

/// What a packet costs a path beside its own bytes: header, timestamp, frame, tag, UDP and IPv4.
inline constexpr std::int64_t overhead_bytes = 67;

/// Books a packet of `size` bytes on a path, as the tunnel's own queues will once it is committed.
constexpr void charge(PathView& path, std::int64_t size) {
  path.queued_bytes += size + overhead_bytes;
  path.window_bytes -= size + overhead_bytes;
}

/// Paths arrive sorted by PathId and hold only those that may carry this class now; there is at
/// least one, and each packet fits into the MTU of at least one. All packets of a call are of one
/// class and in the order in which they should leave.
struct ScheduleInput {
  Instant now;
  std::span<PathView> paths;
  std::span<const PacketView> packets;
  Rng& rng;                          // the scheduler's own stream
  std::int64_t backlog_bytes = 0;    // of this class, waiting for a path, `packets` included; ECF
                                     // asks whether the fast path would take them all soon
  DecisionLog* decisions = nullptr;  // where to say why a row did not take a packet, if not null
};

class Scheduler {
 public:
  Scheduler() = default;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  virtual ~Scheduler() = default;
  virtual std::string_view name() const = 0;
  /// The operator's name of a path, told before its first row; for policies that are configured by
  /// name (weights).
  virtual void set_path_name(PathId, std::string_view) {}
  /// Whether paths should be made to look equally far to bulk (bulk_paths.h).
  virtual bool equalises() const { return false; }
  /// Fill choice[i] for packets[i]; both spans have equal length. A 0 stops the caller: it and all
  /// later packets of the batch stay queued in order, so once a packet is held the rest must be
  /// held too. Must not depend on how packets were cut into batches (tests/batch_invariance).
  virtual void assign(ScheduleInput in, std::span<PathMask> choice) = 0;
};

/// The policy that `config.algorithm` names; null when there is none of that name.
std::unique_ptr<Scheduler> make_scheduler(const SchedulerConfig& config);

/// All names that make_scheduler knows, the default first.
std::span<const std::string_view> scheduler_names();

}  // namespace sennit
