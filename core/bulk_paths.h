// Which paths bulk uses, and how much later it leaves the nearer ones.
//
// Order is restored per flow, so a flow that uses two paths has the delay of the slower one. That
// costs TCP more than it seems: every round trip of a start, a recovery and a probe takes as long.
// A satellite link of 4 Mbit/s beside a fibre of 50 made one flow carry 5 Mbit/s instead of 45. So
// a farther path is used only if a large transfer would end sooner with it than without it:
//
//   T = size / rate + n x round trip,   n = log2(rate x round trip / initial window) + 1
//
// with the summed rate and the longest round trip of the paths used, and n the round trips of a
// start that doubles its window (slow start; initial window of RFC 6928).
//
// The nearest paths themselves are left out when farther ones carry so much more and are too far
// behind them for order to be restored: 43 Mbit/s at 167 ms beside 9 at 2 ms.
//
// And a sender that models its path (BBR) must see the delay of the farthest path from its first
// packet on. Otherwise it learns a round trip that it can never have while it uses the bond, and
// allows itself twice the nearest path's bandwidth-delay product: it all fits into the nearest path
// and the queue that must stand there before the far one is worth taking, and the far one is never
// used. So bulk leaves nearer paths through a delay line, as much later as they are nearer. A path
// that is full has that queue anyway.
#pragma once

#include <cstdint>
#include <span>

#include "core/units.h"

namespace sennit {

/// One path as the choice sees it.
struct BulkPath {
  Duration delay{};  // least one-way delay plus what it varies by, on any common scale
  BitRate rate{};
  PathId group{};     // paths of one group share a bottleneck (shared_bottleneck.h)
  bool used = false;  // in: by the last choice; out: by this one
};

/// Paths of one group carry together what the largest of them carries, so a farther one of a group
/// is worth nothing beside a nearer one.
///
/// Sets `used` of each path. `near_round_trip`: of the path with the least delay. `size`: of the
/// transfer that is to be fast. Paths more than `spread_max` apart are never used together. A
/// farther one must shorten the transfer by a tenth, and so must leaving out a nearer one.
void choose_bulk_paths(std::span<BulkPath> paths, Duration near_round_trip, Bytes size,
                       Duration spread_max);

}  // namespace sennit
