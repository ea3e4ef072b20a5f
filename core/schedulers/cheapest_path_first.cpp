// The cheapest path with room; among equals the one of the least round trip. Cheapest-pipe-first of
// multi-access systems (Amend et al., "A framework for multiaccess support for unreliable Internet
// traffic using multipath DCCP", LCN 2019; 3GPP's priority-based steering): the metered link
// carries only what the free one cannot.
#include <utility>

#include "core/schedulers/common.h"
#include "core/schedulers/policies.h"

namespace sennit {

namespace {

class CheapestPathFirst final : public Scheduler {
 public:
  explicit CheapestPathFirst(Duration commit_slack) : commit_slack_(commit_slack) {}
  std::string_view name() const override { return "cheapest-path-first"; }

  void assign(ScheduleInput in, std::span<PathMask> choice) override {
    const auto choose = [&](const PacketView& packet, std::int64_t) {
      return mask_of(least(
          in.paths, [&](const PathView& p) { return available(p, packet, commit_slack_); },
          [](const PathView& p) {
            return std::pair{p.cost, p.srtt_ns};
          }));
    };
    assign_each(in, choice, choose, [&](std::size_t row, const PacketView& packet, PathMask taken) {
      return refusal_by_cost(in.paths, row, packet, taken);
    });
  }

 private:
  Duration commit_slack_;
};

}  // namespace

std::unique_ptr<Scheduler> make_cheapest_path_first(const SchedulerConfig& config) {
  return std::make_unique<CheapestPathFirst>(config.commit_slack);
}

}  // namespace sennit
