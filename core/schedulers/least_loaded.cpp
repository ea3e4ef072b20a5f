// The path whose queue will be empty first; among equals the one with more room in its window. It
// knows rates but not delays, so it keeps all paths busy and the resequencer too.
#include <utility>

#include "core/schedulers/common.h"
#include "core/schedulers/policies.h"

namespace sennit {

namespace {

class LeastLoaded final : public Scheduler {
 public:
  explicit LeastLoaded(Duration commit_slack) : commit_slack_(commit_slack) {}
  std::string_view name() const override { return "least-loaded"; }

  void assign(ScheduleInput in, std::span<PathMask> choice) override {
    assign_each(in, choice, [&](const PacketView& packet, std::int64_t) {
      return mask_of(least(
          in.paths, [&](const PathView& p) { return available(p, packet, commit_slack_); },
          [](const PathView& p) {
            return std::pair{transmission_ns(p, p.queued_bytes), -p.window_bytes};
          }));
    });
  }

 private:
  Duration commit_slack_;
};

}  // namespace

std::unique_ptr<Scheduler> make_least_loaded(const SchedulerConfig& config) {
  return std::make_unique<LeastLoaded>(config.commit_slack);
}

}  // namespace sennit
