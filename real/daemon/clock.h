// The world's clock, which the core is told. CLOCK_MONOTONIC never runs backwards; kernel receive
// timestamps are CLOCK_REALTIME and are brought onto it by the two clocks' present difference.
#pragma once

#include <ctime>

#include "core/units.h"

namespace sennit {

inline Duration to_duration(const timespec& t) {
  return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}
inline timespec to_timespec(Duration d) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(d);
  return {seconds.count(), (d - seconds).count()};
}

inline Instant monotonic_now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return Instant{to_duration(t)};
}

/// Since 1970, as the kernel stamps packets.
inline Duration realtime_now() {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  return to_duration(t);
}

}  // namespace sennit
