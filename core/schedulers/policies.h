// The policies by name of their file. make_scheduler() is the only caller beside tests.
#pragma once

#include <memory>

#include "core/scheduler.h"

namespace sennit {

std::unique_ptr<Scheduler> make_earliest_arrival(const SchedulerConfig&);
std::unique_ptr<Scheduler> make_round_robin(const SchedulerConfig&);
std::unique_ptr<Scheduler> make_weighted_round_robin(const SchedulerConfig&);
std::unique_ptr<Scheduler> make_least_loaded(const SchedulerConfig&);
std::unique_ptr<Scheduler> make_flow_hash(const SchedulerConfig&);
std::unique_ptr<Scheduler> make_min_rtt(const SchedulerConfig&);
std::unique_ptr<Scheduler> make_redundant(const SchedulerConfig&);
std::unique_ptr<Scheduler> make_otias(const SchedulerConfig&);
std::unique_ptr<Scheduler> make_ecf(const SchedulerConfig&);
std::unique_ptr<Scheduler> make_blest(const SchedulerConfig&);
std::unique_ptr<Scheduler> make_cheapest_path_first(const SchedulerConfig&);
std::unique_ptr<Scheduler> make_adaptive_cheapest_path_first(const SchedulerConfig&);

}  // namespace sennit
