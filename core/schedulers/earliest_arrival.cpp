// The default: send a packet where it will arrive first. EDPF (Chebrolu and Rao, "Bandwidth
// aggregation for real-time applications in heterogeneous wireless networks", IEEE TMC 2006) comes
// close to one link of the summed rate:
//
//   A_i = wait_i + L/r_i + d_i + kappa s_i       wait_i = max(queued_i, bytes beyond the
//   window)/r_i
//
// kappa, the weight of jitter s, is 1, and 2 for realtime packets, for which late is lost.
//
// EDPF alone commits without end. We bind a packet to the best path only while that path's wait is
// no longer than the lead that its arrival time has over the slowest eligible path, plus
// commit_slack; otherwise the packet stays in the ingress queue, where it can still go elsewhere
// and where CoDel sees it. The deliberate queue, as long as the lead, must be allowed: a slow path
// is worth taking only once the fast one's queue is that long. The lead compares whole arrival
// times, not only delays: with delays alone, a link so thin that one packet takes it longer than
// commit_slack would never be used. And it compares them without standing queues: the queue of a
// radio link that stalls for a moment is gone soon, and with it the lead; what was bound to the
// fast path for its sake would then come too late (on lte-pair 0.60 of the bound instead of 0.74).
//
// Sparse packets overtake others in a path's queue, so for them only the window counts as waiting;
// they and realtime packets may use twice the slack, or a full queue would hold them back.
//
// Cost: only the cheapest paths are considered as long as one of them takes the packet; then those
// of the next cost are added. (Cost as a time added to A_i does not work: with the wait bounded,
// the cheap path always wins and the packet is held instead.)
#include <bit>
#include <limits>

#include "core/schedulers/common.h"
#include "core/schedulers/policies.h"

namespace sennit {

namespace {

/// One path as one packet sees it; times in ns.
struct Candidate {
  double idle;     // arrival after now if nothing were queued here
  double steady;   // the same if nothing were queued on the link either
  double wait;     // until its transmission could start
  double queue;    // the part of `wait` for what is before it, without the delay line
  double line;     // the delay line that it passes through
  double blocked;  // the part of `wait` that even a packet served first would have to wait
  int cost;        // beyond any when the packet does not fit
};
constexpr int unusable = 256;

class EarliestArrival final : public Scheduler {
 public:
  explicit EarliestArrival(const SchedulerConfig& config)
      : slack_(static_cast<double>(config.commit_slack.count())),
        spread_max_(static_cast<double>(config.spread_max.count())) {}
  std::string_view name() const override { return "earliest-arrival"; }
  bool equalises() const override { return true; }

  void assign(ScheduleInput in, std::span<PathMask> choice) override {
    for (std::size_t i = 0; i < in.paths.size(); ++i) {
      ns_per_byte_[i] = transmission_ns(in.paths[i], 1);
    }
    const auto look_and_choose = [&](const PacketView& packet, std::int64_t) {
      look(in.paths, packet);
      return choose(packet);
    };
    assign_each(in, choice, look_and_choose,
                [&](std::size_t row, const PacketView& packet, PathMask taken) {
                  return refusal(in.paths[row], row, packet, taken);
                });
  }

 private:
  void look(std::span<const PathView> paths, const PacketView& packet) {
    const double kappa = (packet.flags & PacketView::realtime) != 0 ? 2.0 : 1.0;
    count_ = paths.size();
    for (std::size_t i = 0; i < count_; ++i) {
      const PathView& p = paths[i];
      const double ns_per_byte = ns_per_byte_[i];
      const auto beyond = std::max<std::int64_t>(0, packet.size - p.window_bytes);
      const double blocked = static_cast<double>(beyond) * ns_per_byte;
      const double beside = packet.size * ns_per_byte + kappa * static_cast<double>(p.deviation_ns);
      const auto base = std::min(p.one_way_ns, p.base_one_way_ns);
      const double queue = std::max(static_cast<double>(p.queued_bytes) * ns_per_byte, blocked);
      candidates_[i] = {beside + static_cast<double>(p.one_way_ns),
                        packet.size * ns_per_byte + static_cast<double>(base),
                        std::max(queue, static_cast<double>(p.line_ns)),
                        queue,
                        static_cast<double>(p.line_ns),
                        blocked,
                        fits(p, packet) ? p.cost : unusable};
    }
  }

  PathMask choose(const PacketView& packet) {
    const bool sparse = (packet.flags & PacketView::sparse) != 0;
    const bool realtime = (packet.flags & PacketView::realtime) != 0;
    const double slack = slack_for(packet);
    for (int cost = next_cost(-1); cost < unusable; cost = next_cost(cost)) {
      limit_to(cost);
      if (sparse) {
        const std::size_t row = first_to_arrive(&Candidate::blocked, eligible_);
        if (within_horizon(row, slack)) return bit(row);
      }
      for (PathMask left = eligible_; left != 0;) {
        const std::size_t row = first_to_arrive(&Candidate::wait, left);
        if (within_horizon(row, slack)) return bit(row);
        if (realtime) break;
        left &= ~bit(row);
      }
    }
    return hold;
  }

  int next_cost(int above) const {
    int next = unusable;
    for (std::size_t i = 0; i < count_; ++i) {
      if (candidates_[i].cost > above) next = std::min(next, candidates_[i].cost);
    }
    return next;
  }

  /// Paths of at most this cost are eligible if they are within spread_max of the fastest.
  void limit_to(int cost) {
    cost_ = cost;
    double fastest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < count_; ++i) {
      if (candidates_[i].cost <= cost) fastest = std::min(fastest, candidates_[i].idle);
    }
    eligible_ = 0;
    slowest_ = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < count_; ++i) {
      const Candidate& c = candidates_[i];
      if (c.cost > cost || c.idle > fastest + spread_max_) continue;
      eligible_ |= bit(i);
      slowest_ = std::max(slowest_, c.steady);
    }
    fastest_ = fastest;
  }

  std::size_t first_to_arrive(double Candidate::*wait, PathMask among) const {
    std::size_t best = 0;
    double earliest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < count_; ++i) {
      const double arrival = candidates_[i].idle + candidates_[i].*wait;
      if ((among & bit(i)) == 0 || arrival >= earliest) continue;
      earliest = arrival;
      best = i;
    }
    return best;
  }

  bool within_horizon(std::size_t row, double slack) const {
    return candidates_[row].queue <= horizon(row, slack);
  }
  double horizon(std::size_t row, double slack) const {
    return std::max(candidates_[row].line, slowest_ - candidates_[row].steady) + slack;
  }
  double slack_for(const PacketView& packet) const {
    const int hurried = PacketView::sparse | PacketView::realtime;
    return (packet.flags & hurried) != 0 ? 2 * slack_ : slack_;
  }

  /// Why the last choice was not this row. What arrives later than the row that took the packet was
  /// not tried; what arrives earlier was, and had no room.
  Refusal refusal(const PathView& path, std::size_t row, const PacketView& packet,
                  PathMask taken) const {
    const Candidate& c = candidates_[row];
    if (c.cost == unusable) return {Reason::too_big, packet.size, path.mtu};
    if (c.cost > cost_) return {Reason::cost, c.cost, cost_};
    if ((eligible_ & bit(row)) == 0)
      return {Reason::spread, ns(c.idle - fastest_), ns(spread_max_)};
    const double slack = slack_for(packet);
    const bool room = within_horizon(row, slack);
    if (taken == hold && !room) return no_room(path, row, packet, slack);
    const std::size_t other = taken == hold ? first_to_arrive(&Candidate::wait, eligible_)
                                            : static_cast<std::size_t>(std::countr_zero(taken));
    const Candidate& better = candidates_[other];
    const double longer_wait = c.wait - better.wait;
    const double later = c.idle - better.idle + longer_wait;
    const double later_if_first = c.idle - better.idle + c.blocked - better.blocked;
    if (room || later > 0)
      return {Reason::later, ns(std::max(later, later_if_first)), ns(longer_wait)};
    return no_room(path, row, packet, slack);
  }
  Refusal no_room(const PathView& path, std::size_t row, const PacketView& packet,
                  double slack) const {
    const Candidate& c = candidates_[row];
    const double allowed = horizon(row, slack);
    if (c.queue - c.blocked > allowed) return {Reason::committed, ns(c.queue), ns(allowed)};
    return {Reason::window_closed, packet.size - path.window_bytes, ns(c.blocked)};
  }
  static std::int64_t ns(double time) { return static_cast<std::int64_t>(time); }

  double slack_, spread_max_;
  std::array<double, paths_max> ns_per_byte_{};
  std::array<Candidate, paths_max> candidates_{};
  std::size_t count_ = 0;
  PathMask eligible_ = 0;
  int cost_ = 0;        // of the dearest eligible path
  double slowest_ = 0;  // steady arrival of the slowest eligible path
  double fastest_ = 0;  // arrival of the fastest one if nothing were queued here
};

}  // namespace

std::unique_ptr<Scheduler> make_earliest_arrival(const SchedulerConfig& config) {
  return std::make_unique<EarliestArrival>(config);
}

}  // namespace sennit
