// The cheapest path first, but only while it builds no queue (Pieska, Rabitsch, Brunstrom, Kassler
// and Amend, "Adaptive cheapest path first scheduling in a transport-layer multi-path tunnel
// context", ANRW 2021; constants as in Deutsche Telekom's MP-DCCP).
//
// Cheapest path first overflows when the cheap path's window is full. But a window that a sender
// grows until something is lost is full only when the queue of the bottleneck is, and inner flows
// that slow down because of that queue never fill it: the second path carries little and the first
// is slow. So only a fraction f of each window counts, and it follows the queue that is measured:
//
//   c = RTT / RTT_min - 1,  target = max(10 %, 5 ms / RTT_min)
//   per RTT_min:  f += f (target - c)               while c < target
//                 f -= f (c - target) / (1 + c)     otherwise;    f within 0.3..1
//
// The change per round trip is small, so the queue of a short burst moves nothing to the metered
// link. When all paths have more queue than their target there is nothing to gain from holding
// back: the least round trip among open windows.
#include <array>
#include <utility>

#include "core/schedulers/common.h"
#include "core/schedulers/policies.h"

namespace sennit {

namespace {

constexpr double target_share = 0.10;
constexpr double target_least_ns = 5e6;
constexpr double fraction_least = 0.3;

class AdaptiveCheapestPathFirst final : public Scheduler {
 public:
  explicit AdaptiveCheapestPathFirst(Duration commit_slack) : commit_slack_(commit_slack) {}
  std::string_view name() const override { return "adaptive-cheapest-path-first"; }

  void assign(ScheduleInput in, std::span<PathMask> choice) override {
    bool all_queue = true;
    for (const PathView& p : in.paths) {
      live_[p.path % paths_max].adapt(in.now, p);
      all_queue = all_queue && queue_share(p) > queue_target(p);
    }
    if (all_queue) return assign_by_round_trip(in, choice);
    const auto choose = [&](const PacketView& packet, std::int64_t) {
      const auto usable = [&](const PathView& p) {
        return available(p, packet, commit_slack_) && p.window_bytes > kept_free(p);
      };
      return mask_of(least(in.paths, usable, [](const PathView& p) {
        return std::pair{p.cost, p.srtt_ns};
      }));
    };
    assign_each(in, choice, choose, [&](std::size_t row, const PacketView& packet, PathMask taken) {
      return refusal_by_cost(in.paths, row, packet, taken);
    });
  }

 private:
  struct LiveFraction {
    double value = 1;
    Instant updated = Instant::min();

    /// A pause longer than a round trip says no more than one round trip does.
    void adapt(Instant now, const PathView& p) {
      if (updated != Instant::min()) {
        const auto passed = static_cast<double>((now - updated).count());
        const double round_trips = std::min(passed / least_rtt_ns(p), 1.0);
        const double excess = queue_share(p) - queue_target(p);
        const double slope = excess < 0 ? -excess : -excess / (1 + queue_share(p));
        value = std::clamp(value * (1 + slope * round_trips), fraction_least, 1.0);
      }
      updated = now;
    }
  };

  static double queue_ns(const PathView& p) {
    return static_cast<double>(std::max<std::int64_t>(0, p.one_way_ns - p.base_one_way_ns));
  }
  static double least_rtt_ns(const PathView& p) {
    return std::max(static_cast<double>(p.srtt_ns) - queue_ns(p), 1e6);
  }
  static double queue_share(const PathView& p) { return queue_ns(p) / least_rtt_ns(p); }
  static double queue_target(const PathView& p) {
    return std::max(target_share, target_least_ns / least_rtt_ns(p));
  }
  /// The part of the window that does not count.
  std::int64_t kept_free(const PathView& p) const {
    return static_cast<std::int64_t>((1 - live_[p.path % paths_max].value) * congestion_window(p));
  }
  void assign_by_round_trip(ScheduleInput in, std::span<PathMask> choice) const {
    assign_each(in, choice, [&](const PacketView& packet, std::int64_t) {
      return mask_of(least(
          in.paths, [&](const PathView& p) { return available(p, packet, commit_slack_); },
          [](const PathView& p) { return p.srtt_ns; }));
    });
  }

  Duration commit_slack_;
  std::array<LiveFraction, paths_max> live_{};
};

}  // namespace

std::unique_ptr<Scheduler> make_adaptive_cheapest_path_first(const SchedulerConfig& config) {
  return std::make_unique<AdaptiveCheapestPathFirst>(config.commit_slack);
}

}  // namespace sennit
