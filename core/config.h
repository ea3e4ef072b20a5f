// What an operator may set, with the defaults and the reason for each. Plain data: YAML is read by
// sim/ and real/. The `tunnel:` block of a scenario and of the edge daemon are both a TunnelConfig.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bounds.h"
#include "core/units.h"

namespace sennit {

/// One local link towards the peer.
struct PathConfig {
  std::string name;                   // as `links:` of a class refer to it
  std::uint8_t cost = 0;              // 0 = use first; larger = metered, overflow
  std::optional<BitRate> rate_max{};  // contracted rate, if the operator knows it
  std::uint16_t mtu = 1500;           // of the outer IP packet
  bool ipv6 = false;                  // outer header: 40 bytes instead of 20
};

inline constexpr Bytes bulk_transfer_min{1'000}, bulk_transfer_max{1'000'000'000'000};

struct SchedulerConfig {
  std::string algorithm = "earliest-arrival";
  Duration commit_slack = 5ms;  // packets are bound to a path this far ahead of its pacer: long
                                // enough to batch, short enough to rebind
  Duration spread_max = 150ms;  // paths that are farther apart do not carry an ordered class
                                // together (longer than a resequencer may hold)
  // A path that is farther than others carries bulk if a transfer of this size is faster with it
  // (bulk_paths.h); less of it favours short round trips, more of it throughput.
  Bytes bulk_transfer{100'000'000};                       // bulk_transfer_min to bulk_transfer_max
  std::vector<std::pair<std::string, double>> weights{};  // weighted-round-robin: link name,
                                                          // weight; empty = by estimated rate
  bool operator==(const SchedulerConfig&) const = default;
};

enum class FecCode : std::uint8_t { none, parity, reed_solomon, sliding_rlc };

/// Forward error correction of one class. Off by default: reinjection repairs anything whose budget
/// allows a round trip, with p instead of r/k of overhead.
struct FecConfig {
  FecCode code = FecCode::none;
  std::uint8_t source = 10;     // k: packets per block, 1..64 (or the sliding window)
  std::uint8_t repair = 2;      // r: repairs per block, 1..32; parity always sends one per column
  bool adaptive = true;         // choose r from measured loss; `repair` is then the start
  double overhead_max = 0.30;   // r/k never above; beyond, `adaptive` duplicates
  double residual_loss = 1e-4;  // what `adaptive` aims at
  Duration flush_after = 10ms;  // an incomplete block is closed when no packet came for so long
  bool operator==(const FecConfig&) const = default;
};

/// A traffic class: which packets go first, over what, and how much it is worth to save one.
/// Three are always there (ids 0, 1, 2); both ends must define further ones in the same order.
struct ClassConfig {
  std::string name;
  std::uint8_t priority = 2;  // 0 is served first
  bool realtime = false;      // late is lost: jitter counts twice, no reinjection after budget
  bool ordered = true;        // resequenced per flow
  Duration latency_budget = 500ms;  // one-way, through the tunnel; what repair may use
  Duration hold_max = 250ms;     // longest that a gap may hold successors: a TCP sender whose round
                                 // trip varies waits longer before it times out, and lte-pair
                                 // carries 0.81 of its bound instead of 0.71 with 150 ms
  Duration codel_target = 20ms;  // RFC 8289; a bulk flow's queue costs only itself
  bool reinject = true;          // send lost packets again on another path
  bool duplicate = false;        // every packet on two paths
  std::vector<std::string> links{};   // preference: only these when one of them is up; empty = any
  std::optional<BitRate> rate_max{};  // policed by a token bucket of 50 ms
  FecConfig fec{};
  bool operator==(const ClassConfig&) const = default;
};

/// An IPv4 or IPv6 prefix. IPv4 is kept as ::ffff:a.b.c.d/96+n.
struct Prefix {
  std::array<std::uint8_t, 16> address{};
  std::uint8_t length = 0;  // 0..128
  bool operator==(const Prefix&) const = default;
};
struct PortRange {
  std::uint16_t first = 0, last = 65535;
  bool operator==(const PortRange&) const = default;
};

/// The first rule that matches decides. A field that is not set matches everything.
struct QosRule {
  std::optional<Prefix> source{}, destination{};
  std::optional<std::uint8_t> protocol{};  // IP protocol number
  std::optional<PortRange> source_port{}, destination_port{};
  std::optional<std::uint8_t> dscp{};  // 0..63
  std::string class_name;
  bool operator==(const QosRule&) const = default;
};

/// The classes that every tunnel has, in this order: realtime, interactive, bulk.
std::vector<ClassConfig> default_classes();

struct TunnelConfig {
  SchedulerConfig scheduler{};
  std::vector<ClassConfig> classes = default_classes();
  std::vector<QosRule> rules{};      // none: DSCP decides (EF and CS5 realtime; AF4x, CS4 and CS3
                                     // interactive; the rest bulk)
  Duration probe_interval = 100ms;   // PING on an idle path; 10/s is under 10 kbit/s
  Duration path_down_after = 150ms;  // least silence before DOWN; longer on long paths
  Duration queue_target_min = 5ms;   // rate control: least standing queue that it aims at
  Duration queue_target_max = 20ms;  // and largest, unless somebody else keeps the queue up
  bool trace_packets = true;         // fill the packet trace (poll_trace)
  bool operator==(const TunnelConfig&) const = default;
};

/// What is wrong with a configuration, in words for the operator (key, value, what is allowed);
/// nothing if it is right.
std::optional<std::string> find_fault(const TunnelConfig&);

}  // namespace sennit
