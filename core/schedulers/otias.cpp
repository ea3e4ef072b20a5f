// OTIAS (Yang, Wang and Amer, "Out-of-order transmission for in-order arrival scheduling for
// multipath TCP", WAINA 2014): queue the packet on the path where it will arrive first, even if
// that path's window is closed.
//
//   T_i = max(0, queued_i - (W_i - inflight_i)) / W_i * R_i + R_i / 2
//
// `window_bytes` is W - inflight - queued, so the first term is the bytes beyond the window; and
// W_i / R_i is the rate. The paper's queues have no end. Ours may be as much longer than the
// window as the slowest path's R/2 exceeds this path's (what OTIAS needs to make its choice), plus
// commit_slack.
#include "core/schedulers/common.h"
#include "core/schedulers/policies.h"

namespace sennit {

namespace {

double rtts_to_wait_ns(const PathView& p) {
  return transmission_ns(p, std::max<std::int64_t>(0, -p.window_bytes));
}
double half_rtt_ns(const PathView& p) { return static_cast<double>(p.srtt_ns) / 2; }

class Otias final : public Scheduler {
 public:
  explicit Otias(Duration commit_slack)
      : commit_slack_(static_cast<double>(commit_slack.count())) {}
  std::string_view name() const override { return "otias"; }

  void assign(ScheduleInput in, std::span<PathMask> choice) override {
    assign_each(in, choice, [&](const PacketView& packet, std::int64_t) {
      const auto usable = [&](const PathView& p) { return fits(p, packet); };
      const auto row = least(in.paths, usable,
                             [](const PathView& p) { return rtts_to_wait_ns(p) + half_rtt_ns(p); });
      const auto slowest =
          least(in.paths, usable, [](const PathView& p) { return -half_rtt_ns(p); });
      if (!row || !slowest) return hold;
      const PathView& best = in.paths[*row];
      const double lead = half_rtt_ns(in.paths[*slowest]) - half_rtt_ns(best);
      return rtts_to_wait_ns(best) <= lead + commit_slack_ ? bit(*row) : hold;
    });
  }

 private:
  double commit_slack_;
};

}  // namespace

std::unique_ptr<Scheduler> make_otias(const SchedulerConfig& config) {
  return std::make_unique<Otias>(config.commit_slack);
}

}  // namespace sennit
