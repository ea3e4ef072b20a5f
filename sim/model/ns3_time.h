// The simulator's clock is the core's clock: both count nanoseconds from the start of the run.
#pragma once

#include <algorithm>

#include "core/units.h"
#include "ns3/nstime.h"
#include "ns3/simulator.h"

namespace sennit {

inline Instant simulated_now() { return Instant{Duration{ns3::Simulator::Now().GetNanoSeconds()}}; }
/// The simulator's resolution is a nanosecond unless somebody changes it.
inline ns3::Time to_ns3(Duration d) { return ns3::Time{d.count()}; }

}  // namespace sennit
