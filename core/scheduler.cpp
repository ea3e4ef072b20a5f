// The table of policies. A new one is a file in core/schedulers/ and a line here.
#include "core/scheduler.h"

#include <array>

#include "core/schedulers/policies.h"

namespace sennit {

namespace {

struct Policy {
  std::string_view name;
  std::unique_ptr<Scheduler> (*make)(const SchedulerConfig&);
};
constexpr std::array policies{
    Policy{"earliest-arrival", make_earliest_arrival},
    Policy{"round-robin", make_round_robin},
    Policy{"weighted-round-robin", make_weighted_round_robin},
    Policy{"least-loaded", make_least_loaded},
    Policy{"flow-hash", make_flow_hash},
    Policy{"min-rtt", make_min_rtt},
    Policy{"redundant", make_redundant},
    Policy{"otias", make_otias},
    Policy{"ecf", make_ecf},
    Policy{"blest", make_blest},
    Policy{"cheapest-path-first", make_cheapest_path_first},
    Policy{"adaptive-cheapest-path-first", make_adaptive_cheapest_path_first},
};
constexpr auto names = [] {
  std::array<std::string_view, policies.size()> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = policies[i].name;
  return all;
}();

}  // namespace

std::unique_ptr<Scheduler> make_scheduler(const SchedulerConfig& config) {
  for (const Policy& policy : policies) {
    if (policy.name == config.algorithm) return policy.make(config);
  }
  return nullptr;
}

std::span<const std::string_view> scheduler_names() { return names; }

}  // namespace sennit
