// The KPIs of one direction of one link, after the warm-up.
#pragma once

#include <cstdint>
#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "core/link_model/link_model.h"
#include "sim/results/histogram.h"

namespace sennit {

/// loss_ratio is what the link lost of what it transmitted; drop_ratio is what it refused of what
/// it was offered (queue full, too big, carrier down).
class LinkStatistics {
 public:
  explicit LinkStatistics(Duration warmup) : warm_(Instant{} + warmup) {}

  void exit(const Exit& packet, Bytes size);
  void sample(Instant now, const LinkStats& stats);
  void capacity(Bytes capacity, double mean_loss);
  /// `seconds`: from the end of the warm-up to the end of the run.
  nlohmann::ordered_json summary(double seconds) const;
  /// Bytes that arrive if the link is always full; nothing while unknown.
  std::optional<double> deliverable_bytes() const;

 private:
  Instant warm_;
  Bytes carried_{};
  std::uint64_t carried_packets_ = 0, lost_packets_ = 0;
  DurationHistogram queueing_;
  LinkStats at_warm_{}, latest_{};
  std::optional<Bytes> capacity_;
  double mean_loss_ = 0;
};

}  // namespace sennit
