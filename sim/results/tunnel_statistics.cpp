#include "sim/results/tunnel_statistics.h"

#include <algorithm>
#include <numeric>

#include <nlohmann/json.hpp>

#include "sim/results/summary.h"

namespace sennit {
namespace {

template <class Field>
std::uint64_t sum_of_paths(const Metrics& metrics, Field field) {
  return std::accumulate(
      metrics.paths.begin(), metrics.paths.end(), std::uint64_t{0},
      [field](std::uint64_t sum, const PathMetrics& path) { return sum + path.*field; });
}

std::optional<double> ratio(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

int paths_in_groups(const Metrics& metrics) {
  std::array<int, paths_max> members{};
  for (std::size_t i = 0; i < paths_max; ++i) {
    if ((metrics.path_mask >> i & 1) != 0) ++members.at(metrics.paths[i].group);
  }
  return std::accumulate(members.begin(), members.end(), 0,
                         [](int sum, int count) { return count > 1 ? sum + count : sum; });
}

}  // namespace

std::uint64_t outer_bytes(const Metrics& metrics) {
  return sum_of_paths(metrics, &PathMetrics::sent_bytes) +
         udp_ipv4_overhead * sum_of_paths(metrics, &PathMetrics::sent_packets);
}

std::optional<Duration> hold_quantile(const Metrics& before, const Metrics& after, double q) {
  const auto below = [&](std::size_t i) {
    return static_cast<double>(after.hold_histogram[i] - before.hold_histogram[i]);
  };
  const double all = below(hold_edges_us.size() - 1);
  if (all == 0) return std::nullopt;
  const double rank = q * all;
  std::size_t i = 0;
  while (below(i) < rank) ++i;
  if (i == 0) return Duration::zero();
  const auto low = static_cast<double>(hold_edges_us[i - 1]);
  // The last bucket is open: its lower edge is all that is known.
  if (i == hold_edges_us.size() - 1) return scaled(1us, low);
  const double share = (rank - below(i - 1)) / (below(i) - below(i - 1));
  return scaled(1us, low + share * (static_cast<double>(hold_edges_us[i]) - low));
}

void TunnelStatistics::sample(const Metrics& metrics) {
  latest_ = metrics;
  if (metrics.now <= warm_) at_warm_ = metrics;
}

nlohmann::ordered_json TunnelStatistics::summary() const {
  const auto since = [this](auto field) { return latest_.*field - at_warm_.*field; };
  const auto paths_since = [this](auto field) {
    return sum_of_paths(latest_, field) - sum_of_paths(at_warm_, field);
  };
  const auto overhead =
      ratio(outer_bytes(latest_) - outer_bytes(at_warm_), since(&Metrics::accepted_bytes));
  nlohmann::ordered_json end;
  end["overhead_ratio"] = overhead ? json_number(*overhead - 1) : nullptr;
  end["repair_ratio"] = json_number(
      ratio(paths_since(&PathMetrics::repair_bytes), paths_since(&PathMetrics::sent_bytes)));
  end["control_ratio"] = json_number(
      ratio(paths_since(&PathMetrics::control_bytes), paths_since(&PathMetrics::sent_bytes)));
  end["fec_recovered"] = since(&Metrics::fec_recovered);
  end["reinjected"] = since(&Metrics::reinjected);
  end["duplicates"] = since(&Metrics::duplicated);
  end["delivered_late"] = since(&Metrics::delivered_late);
  end["ce_marked"] = since(&Metrics::ce_marked);
  end["hold_ms"] = {{"p50", json_ms(hold_quantile(at_warm_, latest_, 0.50))},
                    {"p99", json_ms(hold_quantile(at_warm_, latest_, 0.99))}};
  end["shared_bottleneck_paths"] = paths_in_groups(latest_);
  auto& drops = end["drops"] = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < drop_count; ++i) {
    drops[std::string(to_string(static_cast<Drop>(i)))] = latest_.drops[i] - at_warm_.drops[i];
  }
  return end;
}

}  // namespace sennit
