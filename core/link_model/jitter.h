// One-way delay of single packets. See JitterModel for what the distributions promise.
#pragma once

#include "core/link_model/link_model.h"

namespace sennit {

/// Propagation delay of one packet; never negative.
Duration draw_delay(Duration mean, const JitterModel& jitter, Rng& rng);
/// No draw_delay() is shorter.
Duration delay_min(Duration mean, const JitterModel& jitter);

}  // namespace sennit
