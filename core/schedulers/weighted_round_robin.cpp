// Bytes in proportion to weights: the operator's (by name of the link; a link that is not named has
// weight 1), or without any the estimated rates. Smooth weighted round robin as in nginx: every
// path earns its share of each packet, the richest one pays for it, so turns are interleaved
// instead of coming in runs, and a path that comes or goes disturbs nobody.
#include <array>
#include <utility>
#include <vector>

#include "core/schedulers/common.h"
#include "core/schedulers/policies.h"

namespace sennit {

namespace {

class WeightedRoundRobin final : public Scheduler {
 public:
  explicit WeightedRoundRobin(const SchedulerConfig& config)
      : commit_slack_(config.commit_slack), weights_(config.weights) {
    weight_of_.fill(1.0);
  }
  std::string_view name() const override { return "weighted-round-robin"; }

  void set_path_name(PathId path, std::string_view path_name) override {
    weight_of_[index(path) % paths_max] = 1.0;
    for (const auto& [link, weight] : weights_) {
      if (link == path_name) weight_of_[index(path) % paths_max] = weight;
    }
  }

  void assign(ScheduleInput in, std::span<PathMask> choice) override {
    assign_each(in, choice, [&](const PacketView& packet, std::int64_t) {
      return mask_of(choose(in.paths, packet));
    });
  }

 private:
  std::optional<std::size_t> choose(std::span<const PathView> paths, const PacketView& packet) {
    const auto usable = [&](const PathView& p) { return available(p, packet, commit_slack_); };
    double sum = 0;
    for (const PathView& p : paths) {
      if (usable(p)) sum += weight(p);
    }
    if (sum <= 0) return {};
    for (const PathView& p : paths) {
      if (usable(p)) credit(p) += packet.size * weight(p) / sum;
    }
    const auto row = least(paths, usable, [&](const PathView& p) { return -credit(p); });
    credit(paths[*row]) -= packet.size;
    return row;
  }

  double weight(const PathView& p) const {
    return weights_.empty() ? static_cast<double>(p.rate_bps) : weight_of_[p.path % paths_max];
  }
  double& credit(const PathView& p) { return credit_[p.path % paths_max]; }

  Duration commit_slack_;
  std::vector<std::pair<std::string, double>> weights_;
  std::array<double, paths_max> weight_of_{};  // by PathId
  std::array<double, paths_max> credit_{};     // bytes, by PathId
};

}  // namespace

std::unique_ptr<Scheduler> make_weighted_round_robin(const SchedulerConfig& config) {
  return std::make_unique<WeightedRoundRobin>(config);
}

}  // namespace sennit
