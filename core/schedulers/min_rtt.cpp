// The available path of the least round trip: MPTCP's default (Raiciu et al., NSDI 2012). On unlike
// paths its last packets of a burst go the slow way while the fast path is about to be free.
#include "core/schedulers/common.h"
#include "core/schedulers/policies.h"

namespace sennit {

namespace {

class MinRtt final : public Scheduler {
 public:
  explicit MinRtt(Duration commit_slack) : commit_slack_(commit_slack) {}
  std::string_view name() const override { return "min-rtt"; }

  void assign(ScheduleInput in, std::span<PathMask> choice) override {
    assign_each(in, choice, [&](const PacketView& packet, std::int64_t) {
      return mask_of(least(
          in.paths, [&](const PathView& p) { return available(p, packet, commit_slack_); },
          [](const PathView& p) { return p.srtt_ns; }));
    });
  }

 private:
  Duration commit_slack_;
};

}  // namespace

std::unique_ptr<Scheduler> make_min_rtt(const SchedulerConfig& config) {
  return std::make_unique<MinRtt>(config.commit_slack);
}

}  // namespace sennit
