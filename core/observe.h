// Everything the core tells about itself: events for the agent, counters for dashboards, records
// for notebooks.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <variant>

#include "core/bounds.h"
#include "core/units.h"

namespace sennit {

/// Why a packet died. One counter each; no drop without a reason.
enum class Drop : std::uint8_t {
  // on the way out
  pool_empty,  // no slot for a sealed or copied packet
  queue_full,  // ingress queue over its bound: the longest flow loses its head
  queue_aged,  // CoDel (RFC 8289)
  too_big,     // larger than any path's MTU
  not_ip,      // neither IPv4 nor IPv6, or a header cut short
  // on the way in
  malformed,
  unknown_session,
  not_authentic,
  replayed,
  duplicate,  // an inner packet that came by another way before; expected, not an error
  late,       // after its place in the order was given up; realtime only, others are delivered
  fec_useless,
  count
};
inline constexpr std::size_t drop_count = static_cast<std::size_t>(Drop::count);
std::string_view to_string(Drop);

/// What the network shows of a path.
enum class PathState : std::uint8_t {
  probing,  // PINGs only: new, or back after it was down
  up,
  suspect,  // silent for too long: no new packets, unacknowledged ones go elsewhere
  down
};
std::string_view to_string(PathState);

struct PathChanged {
  PathId path;
  PathState before, after;
};
struct PathMoved {
  PathId path;  // the peer's address changed (NAT); authenticated
};
struct MtuChanged {
  std::uint16_t inner_mtu;  // the driver sets the TUN's MTU
};
/// Another set of paths has a bottleneck in common with it (shared_bottleneck.h).
struct GroupChanged {
  PathId path;
  PathId before, after;  // the least id of the group's paths; its own when it shares with none
};
using Event = std::variant<PathChanged, PathMoved, MtuChanged, GroupChanged>;

/// Counters only rise; a rate is the difference of two snapshots. Plain data, copied out in one go.
struct PathMetrics {
  std::uint64_t sent_packets, sent_bytes;  // datagrams with header and tag, without IP and UDP
  std::uint64_t received_packets, received_bytes;
  std::uint64_t lost_packets, spurious_losses, loss_bursts;
  std::uint64_t repair_bytes;   // FEC, reinjections and duplicates within sent_bytes
  std::uint64_t control_bytes;  // datagrams without inner data within sent_bytes
  std::int64_t srtt_ns, rttvar_ns, rtt_min_ns;
  std::int64_t one_way_ns;  // smoothed, plus an unknown constant that all paths share
  std::int64_t one_way_deviation_ns;
  std::int64_t standing_queue_ns;  // least one-way delay now minus that of the last 10 s
  std::int64_t rate_bps, delivery_rate_bps;
  std::int64_t inflight_bytes, inflight_limit_bytes, queued_bytes;
  double loss, mean_burst;
  PathState state;
  std::uint8_t group;  // least id of the paths behind the same bottleneck; its own if none is known
  std::uint16_t mtu;
};
/// Cumulative histogram of how long the resequencer held packets: bucket i counts holds below
/// hold_edges_us[i]; the last one counts all.
inline constexpr std::array<std::uint32_t, 16> hold_edges_us{
    1,     100,   250,   500,   1000,   2000,   5000,   10000,
    20000, 30000, 50000, 75000, 100000, 150000, 250000, 4294967295u};

struct Metrics {
  Instant now;
  std::array<PathMetrics, paths_max> paths;
  std::uint32_t path_mask;                           // bit i: paths[i] is in use
  std::uint64_t accepted_packets, accepted_bytes;    // inner packets in
  std::uint64_t delivered_packets, delivered_bytes;  // inner packets out
  std::uint64_t delivered_late;                      // out of order, after their place was given up
  std::uint64_t fec_sent, fec_recovered, reinjected, duplicated;
  std::uint64_t ce_marked;
  std::uint64_t ingress_packets, ingress_bytes;  // now
  std::uint64_t held_packets;                    // in the resequencer now
  std::array<std::uint64_t, hold_edges_us.size()> hold_histogram;
  std::array<std::uint64_t, drop_count> drops;
  std::uint64_t trace_overflow, events_overflow;
};

/// One line of the packet trace. All kinds share one 40-byte shape, so a trace is a NumPy array
/// with no parsing.
enum class TraceKind : std::uint8_t {
#define SENNIT_TRACE(kind, sequence_means, a_means, b_means) kind,
#include "core/trace_events.def"
#undef SENNIT_TRACE
  count
};
struct TraceRecord {
  std::int64_t at_ns;
  std::uint64_t sequence;  // meaning per kind: see trace_events.def
  std::uint64_t a, b;
  std::uint32_t size : 24;  // bytes; of a decision: packets that it was made for
  std::uint32_t class_id : 8;
  TraceKind kind;
  std::uint8_t path;    // 255 = none
  std::uint16_t flags;  // of a decision: Outcome; else 0
};
static_assert(sizeof(TraceRecord) == 40);

}  // namespace sennit
