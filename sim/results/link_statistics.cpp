#include "sim/results/link_statistics.h"

#include <nlohmann/json.hpp>

#include "sim/results/summary.h"

namespace sennit {
namespace {

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void LinkStatistics::exit(const Exit& packet, Bytes size) {
  if (packet.at < warm_) return;
  queueing_.add(packet.queueing);
  if (packet.lost) {
    ++lost_packets_;
    return;
  }
  ++carried_packets_;
  carried_ += size;
}

void LinkStatistics::sample(Instant now, const LinkStats& stats) {
  latest_ = stats;
  if (now <= warm_) at_warm_ = stats;
}

void LinkStatistics::capacity(Bytes capacity, double mean_loss) {
  capacity_ = capacity;
  mean_loss_ = mean_loss;
}

nlohmann::ordered_json LinkStatistics::summary(double seconds) const {
  const auto mbps = [seconds](Bytes b) -> nlohmann::ordered_json {
    if (seconds <= 0) return nullptr;
    return json_number(static_cast<double>(b.count) * 8e-6 / seconds);
  };
  nlohmann::ordered_json link;
  link["capacity_mbps"] = capacity_ ? mbps(*capacity_) : nullptr;
  link["carried_mbps"] = mbps(carried_);
  link["loss_ratio"] = json_number(ratio(lost_packets_, lost_packets_ + carried_packets_));
  link["drop_ratio"] = json_number(ratio(latest_.dropped_packets - at_warm_.dropped_packets,
                                         latest_.offered_packets - at_warm_.offered_packets));
  link["queue_ms"] = json_quantiles_ms(queueing_);
  return link;
}

std::optional<double> LinkStatistics::deliverable_bytes() const {
  if (!capacity_) return std::nullopt;
  return static_cast<double>(capacity_->count) * (1 - mean_loss_);
}

}  // namespace sennit
