// ECF, earliest completion first (Lim, Nahum, Towsley and Gibbens, CoNEXT 2017). When the fast path
// f has no room, min-RTT would take the next one, s. ECF waits for f if the k bytes that are still
// to be sent would be through sooner that way:
//
//   wait if  R_f (max(k, W_f) + W_f) < (1 + waiting beta) W_f (R_s + delta)
//       and  R_s max(k, W_s) >= W_s (2 R_f + delta)           delta = max(sigma_f, sigma_s)
//
// `waiting` is the hysteresis: once it waits, it needs a margin of beta = 0.25 to give up. As in
// the authors' implementation (Linux's MPTCP 0.95), R is the smoothed round trip and sigma its
// deviation, here that of the one-way delay, which is what a tunnel measures.
#include <array>

#include "core/schedulers/common.h"
#include "core/schedulers/policies.h"

namespace sennit {

namespace {

constexpr double beta = 0.25;  // the paper's value

class Ecf final : public Scheduler {
 public:
  explicit Ecf(Duration commit_slack) : commit_slack_(commit_slack) {}
  std::string_view name() const override { return "ecf"; }

  void assign(ScheduleInput in, std::span<PathMask> choice) override {
    assign_each(in, choice, [&](const PacketView& packet, std::int64_t backlog) {
      const auto rtt = [](const PathView& p) { return p.srtt_ns; };
      const auto fast = least(
          in.paths, [&](const PathView& p) { return fits(p, packet); }, rtt);
      const auto free = least(
          in.paths, [&](const PathView& p) { return available(p, packet, commit_slack_); }, rtt);
      if (!free || free == fast) return mask_of(free);
      bool& waiting = waiting_[packet.class_id % classes_max];
      return better_to_wait(in.paths[*fast], in.paths[*free], backlog, waiting) ? hold : bit(*free);
    });
  }

 private:
  static bool better_to_wait(const PathView& f, const PathView& s, std::int64_t backlog,
                             bool& waiting) {
    const double k = static_cast<double>(backlog);
    const double rtt_f = static_cast<double>(f.srtt_ns), rtt_s = static_cast<double>(s.srtt_ns);
    const double window_f = congestion_window(f), window_s = congestion_window(s);
    const double delta = static_cast<double>(std::max(f.deviation_ns, s.deviation_ns));
    const double margin = waiting ? 1 + beta : 1;
    const bool fast_is_sooner =
        rtt_f * (std::max(k, window_f) + window_f) < margin * window_f * (rtt_s + delta);
    if (!fast_is_sooner) {
      waiting = false;
      return false;
    }
    if (rtt_s * std::max(k, window_s) < window_s * (2 * rtt_f + delta)) return false;
    waiting = true;
    return true;
  }

  Duration commit_slack_;
  std::array<bool, classes_max> waiting_{};  // a class is to ECF what a connection is to MPTCP
};

}  // namespace

std::unique_ptr<Scheduler> make_ecf(const SchedulerConfig& config) {
  return std::make_unique<Ecf>(config.commit_slack);
}

}  // namespace sennit
