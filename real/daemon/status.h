// What sennitctl shows: the core's metrics and the daemon's own counters as one JSON object. Names
// end in their units. Present rates are differences of two snapshots a second apart.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/observe.h"
#include "real/config/edge_config.h"
#include "real/daemon/data_plane.h"

namespace sennit {

/// The last two snapshots.
class Sampler {
 public:
  static constexpr Duration interval = 1s;
  /// Takes a snapshot when one is due.
  void sample(Instant now, const Tunnel& tunnel);
  Instant next() const { return current_.now + interval; }
  const Metrics& before() const { return before_; }
  const Metrics& current() const { return current_; }

 private:
  Metrics before_{}, current_{};
};

/// Everything: `interface`, `peer`, `paths`, `counters`, `drops`.
nlohmann::json status_of(Instant now, const EdgeConfig& config, const DataPlane& plane,
                         const Sampler& sampler);
/// One line for the log.
std::string summary_of(Instant now, const DataPlane& plane);

}  // namespace sennit
