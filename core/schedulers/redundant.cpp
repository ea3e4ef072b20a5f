// Every packet on every available path (MPTCP's redundant scheduler; Frommgen et al., "ReMP TCP",
// ICC 2016): the least latency and loss that money can buy, and the rate of one path.
#include "core/schedulers/common.h"
#include "core/schedulers/policies.h"

namespace sennit {

namespace {

class Redundant final : public Scheduler {
 public:
  explicit Redundant(Duration commit_slack) : commit_slack_(commit_slack) {}
  std::string_view name() const override { return "redundant"; }

  void assign(ScheduleInput in, std::span<PathMask> choice) override {
    assign_each(in, choice, [&](const PacketView& packet, std::int64_t) {
      PathMask mask = hold;
      for (std::size_t i = 0; i < in.paths.size(); ++i) {
        if (available(in.paths[i], packet, commit_slack_)) mask |= bit(i);
      }
      return mask;
    });
  }

 private:
  Duration commit_slack_;
};

}  // namespace

std::unique_ptr<Scheduler> make_redundant(const SchedulerConfig& config) {
  return std::make_unique<Redundant>(config.commit_slack);
}

}  // namespace sennit
