// What the policies share: deciding packet after packet, and when a path has room.
//
// The published schedulers were written for MPTCP, where "available" means that the congestion
// window is open. Here a pacer stands behind the window, and what is committed to a path is out of
// reach for a better choice and for CoDel. So a path is available to them while its window is open
// and its queue is shorter than `commit_slack`, or than one packet where that is longer.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>

#include "core/scheduler.h"

namespace sennit {

inline constexpr PathMask hold = 0;
constexpr PathMask bit(std::size_t row) { return PathMask{1} << row; }

/// Time that `bytes` take at the path's pacing rate, ns.
constexpr double transmission_ns(const PathView& path, std::int64_t bytes) {
  return static_cast<double>(bytes) * 8e9 /
         static_cast<double>(std::max<std::int64_t>(path.rate_bps, 1));
}
constexpr bool fits(const PathView& path, const PacketView& packet) {
  return packet.size <= path.mtu;
}
constexpr bool available(const PathView& path, const PacketView& packet, Duration commit_slack) {
  if (!fits(path, packet) || path.window_bytes <= 0) return false;
  return path.queued_bytes < packet.size ||
         transmission_ns(path, path.queued_bytes) < static_cast<double>(commit_slack.count());
}
/// The congestion window of the formulas, bytes: what one round trip carries at the pacing rate,
/// at least one full packet.
constexpr double congestion_window(const PathView& path) {
  const double bytes =
      static_cast<double>(path.rate_bps) * static_cast<double>(path.srtt_ns) * (1e-9 / 8);
  return std::max(bytes, static_cast<double>(path.mtu) + overhead_bytes);
}

/// The row for which `usable(path)` holds and `value(path)` is least; the first of equals.
template <class Usable, class Value>
std::optional<std::size_t> least(std::span<const PathView> paths, Usable usable, Value value) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (usable(paths[i]) && (!best || value(paths[i]) < value(paths[*best]))) best = i;
  }
  return best;
}
constexpr PathMask mask_of(std::optional<std::size_t> row) { return row ? bit(*row) : hold; }

/// Why a row did not take a packet.
struct Refusal {
  Reason reason;
  std::int64_t a = 0, b = 0;  // as decision_reasons.def says
};
/// Tells `log` the Refusal explain_row(row) of each row that did not take the packet.
template <class ExplainRow>
void explain_each(std::span<const PathView> paths, const PacketView& packet, PathMask chosen,
                  DecisionLog& log, ExplainRow explain_row) {
  const Outcome outcome = chosen == hold ? Outcome::held : Outcome::elsewhere;
  for (std::size_t row = 0; row < paths.size(); ++row) {
    if ((chosen & bit(row)) != 0) continue;
    const Refusal why = explain_row(row);
    log.add({ClassId{packet.class_id}, paths[row].path, outcome, why.reason}, why.a, why.b);
  }
}
/// What can be said of any policy: the packet does not fit, the window is closed, or its rule chose
/// otherwise.
inline Refusal refusal_by_rule(const PathView& path, const PacketView& packet) {
  if (!fits(path, packet)) return {Reason::too_big, packet.size, path.mtu};
  if (path.window_bytes <= 0) {
    const std::int64_t beyond = packet.size - path.window_bytes;
    return {Reason::window_closed, beyond,
            static_cast<std::int64_t>(transmission_ns(path, beyond))};
  }
  return {Reason::rule, static_cast<std::int64_t>(transmission_ns(path, path.queued_bytes))};
}

/// The same of policies that prefer what costs less.
inline Refusal refusal_by_cost(std::span<const PathView> paths, std::size_t row,
                               const PacketView& packet, PathMask chosen) {
  if (chosen == hold) return refusal_by_rule(paths[row], packet);
  const PathView& other = paths[static_cast<std::size_t>(std::countr_zero(chosen))];
  if (paths[row].cost > other.cost) return {Reason::cost, paths[row].cost, other.cost};
  return refusal_by_rule(paths[row], packet);
}

/// Calls `choose(packet, backlog)` for one packet after the other, books each choice on its paths
/// before the next, and holds everything behind the first hold. `backlog` counts the bytes of the
/// class that wait, from this packet on. `refusal(row, packet, chosen)` says why a row that was not
/// chosen was not; it is called only while somebody wants to know.
template <class Choose, class Explain>
void assign_each(ScheduleInput in, std::span<PathMask> choice, Choose choose, Explain refusal) {
  std::int64_t backlog = in.backlog_bytes;
  for (std::size_t i = 0; i < in.packets.size(); ++i) {
    const PacketView& packet = in.packets[i];
    choice[i] = choose(packet, std::max<std::int64_t>(backlog, packet.size));
    if (in.decisions != nullptr) {
      explain_each(in.paths, packet, choice[i], *in.decisions,
                   [&](std::size_t row) { return refusal(row, packet, choice[i]); });
    }
    if (choice[i] == hold) {
      std::fill(choice.begin() + static_cast<std::ptrdiff_t>(i), choice.end(), hold);
      return;
    }
    for (std::size_t row = 0; row < in.paths.size(); ++row) {
      if ((choice[i] & bit(row)) != 0) charge(in.paths[row], packet.size);
    }
    backlog -= packet.size;
  }
}
template <class Choose>
void assign_each(ScheduleInput in, std::span<PathMask> choice, Choose choose) {
  assign_each(in, choice, choose, [&](std::size_t row, const PacketView& packet, PathMask) {
    return refusal_by_rule(in.paths[row], packet);
  });
}

}  // namespace sennit
