// How much of what the links could carry arrived: the figure by which bonds are judged.
#pragma once

#include <optional>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sim/results/flow_statistics.h"
#include "sim/scenario/scenario.h"

namespace sennit {

/// Payload bytes of TCP per byte on a link: (inner_mtu - 52) / (inner_mtu + outer_overhead). 52 is
/// IPv4 and TCP with timestamps; `outer_overhead` is all that the tunnel adds to an inner packet.
/// Nothing when there is no inner MTU.
std::optional<double> payload_efficiency(int inner_mtu, int outer_overhead);

/// The direction of the bulk flows: of the first tcp flow, or without one, of the first flow.
std::optional<Direction> bulk_direction(const std::vector<Traffic>& traffic);

/// One link of the variant: what it would deliver when full, Mbit/s of IP packets, and the
/// bottleneck that it shares.
struct LinkBound {
  double deliverable_mbps = 0;
  std::optional<std::string> shared_bottleneck{};
};
/// eta times the sum over the links; links behind one bottleneck count once, with the largest.
double bound_mbps(const std::vector<LinkBound>& links, double efficiency);

/// What the gain over the best single link is worth, of what could be gained (Kaspar; Paasch):
/// (g - best) / (bound - best) if g >= best, else (g - best) / best. 0 = as good as the best link,
/// 1 = the sum of all, negative = worse than without bonding. Nothing where the divisor is zero.
std::optional<double> aggregation_benefit(double goodput, double best_single, double bound);

/// {"direction", "goodput_mbps", "bound_mbps", "fraction_of_bound", "best_single_mbps",
/// "aggregation_benefit"}, the last two null. goodput_mbps adds the payload of all flows of any
/// kind in that direction, over the time in which any of them was active.
nlohmann::ordered_json make_aggregate(std::optional<Direction> direction,
                                      std::optional<double> goodput, std::optional<double> bound);

/// Fills in the last two of an aggregate made above.
void set_best_single(nlohmann::ordered_json& aggregate, double best_single_mbps);

}  // namespace sennit
