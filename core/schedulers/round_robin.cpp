// Paths in turn, one packet each, skipping those without room. Blind to rate and delay: the
// baseline that every paper starts from.
#include "core/schedulers/common.h"
#include "core/schedulers/policies.h"

namespace sennit {

namespace {

class RoundRobin final : public Scheduler {
 public:
  explicit RoundRobin(Duration commit_slack) : commit_slack_(commit_slack) {}
  std::string_view name() const override { return "round-robin"; }

  void assign(ScheduleInput in, std::span<PathMask> choice) override {
    assign_each(in, choice, [&](const PacketView& packet, std::int64_t) {
      const auto row = least(
          in.paths, [&](const PathView& p) { return available(p, packet, commit_slack_); },
          [&](const PathView& p) { return turns_until(p.path); });
      if (row) last_ = in.paths[*row].path;
      return mask_of(row);
    });
  }

 private:
  /// 0 for the PathId after the last one served, growing from there around the circle. By id, not
  /// by row: rows move when a path comes or goes.
  unsigned turns_until(std::uint8_t path) const {
    return static_cast<std::uint8_t>(path - last_ - 1);
  }

  Duration commit_slack_;
  std::uint8_t last_ = 255;
};

}  // namespace

std::unique_ptr<Scheduler> make_round_robin(const SchedulerConfig& config) {
  return std::make_unique<RoundRobin>(config.commit_slack);
}

}  // namespace sennit
