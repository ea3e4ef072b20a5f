#include "sim/results/aggregate.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "sim/results/summary.h"

namespace sennit {

std::optional<double> payload_efficiency(int inner_mtu, int outer_overhead) {
  constexpr int tcp_ip_headers = 52;
  if (inner_mtu <= tcp_ip_headers) return std::nullopt;
  return static_cast<double>(inner_mtu - tcp_ip_headers) /
         static_cast<double>(inner_mtu + outer_overhead);
}

std::optional<Direction> bulk_direction(const std::vector<Traffic>& traffic) {
  if (traffic.empty()) return std::nullopt;
  auto bulk = std::find_if(traffic.begin(), traffic.end(),
                           [](const Traffic& t) { return t.kind == TrafficKind::tcp; });
  if (bulk == traffic.end()) bulk = traffic.begin();
  return bulk->from == 'a' ? Direction::up : Direction::down;
}

double bound_mbps(const std::vector<LinkBound>& links, double efficiency) {
  std::map<std::string, double> shared;
  double sum = 0;
  for (const LinkBound& link : links) {
    if (!link.shared_bottleneck) {
      sum += link.deliverable_mbps;
      continue;
    }
    double& largest = shared[*link.shared_bottleneck];
    largest = std::max(largest, link.deliverable_mbps);
  }
  for (const auto& [name, mbps] : shared) sum += mbps;
  return sum * efficiency;
}

std::optional<double> aggregation_benefit(double goodput, double best_single, double bound) {
  const double divisor = goodput >= best_single ? bound - best_single : best_single;
  if (divisor <= 0) return std::nullopt;
  return (goodput - best_single) / divisor;
}

nlohmann::ordered_json make_aggregate(std::optional<Direction> direction,
                                      std::optional<double> goodput, std::optional<double> bound) {
  nlohmann::ordered_json aggregate;
  aggregate["direction"] = nullptr;
  if (direction) aggregate["direction"] = *direction == Direction::up ? "up" : "down";
  aggregate["goodput_mbps"] = json_number(goodput);
  aggregate["bound_mbps"] = json_number(bound);
  aggregate["fraction_of_bound"] =
      goodput && bound && *bound > 0 ? json_number(*goodput / *bound) : nullptr;
  aggregate["best_single_mbps"] = nullptr;
  aggregate["aggregation_benefit"] = nullptr;
  return aggregate;
}

void set_best_single(nlohmann::ordered_json& aggregate, double best_single_mbps) {
  aggregate["best_single_mbps"] = json_number(best_single_mbps);
  const auto& goodput = aggregate["goodput_mbps"];
  const auto& bound = aggregate["bound_mbps"];
  if (!goodput.is_number() || !bound.is_number()) return;
  aggregate["aggregation_benefit"] = json_number(
      aggregation_benefit(goodput.get<double>(), best_single_mbps, bound.get<double>()));
}

}  // namespace sennit
