// The KPIs of one end of the tunnel: differences of its counters between the end of the warm-up
// and the end of the run.
#pragma once

#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "core/observe.h"

namespace sennit {

/// Bytes of IPv4 and UDP headers around each datagram; Metrics counts without them.
inline constexpr std::uint64_t udp_ipv4_overhead = 28;

/// What this end sent on all paths, as IP packets.
std::uint64_t outer_bytes(const Metrics& metrics);

/// Quantile of how long packets were held between two snapshots, linear within a bucket of
/// hold_edges_us; nothing if none was delivered.
std::optional<Duration> hold_quantile(const Metrics& before, const Metrics& after, double q);

/// overhead_ratio: outer bytes sent / inner bytes accepted - 1, repair and control included;
/// repair_ratio: FEC, reinjections and duplicates over all bytes sent. shared_bottleneck_paths:
/// those that this end, sending, has found behind a bottleneck of another one, when the run ends.
class TunnelStatistics {
 public:
  explicit TunnelStatistics(Duration warmup) : warm_(Instant{} + warmup) {}

  void sample(const Metrics& metrics);
  nlohmann::ordered_json summary() const;

 private:
  Instant warm_;
  Metrics at_warm_{}, latest_{};
};

}  // namespace sennit
