// BLEST, blocking estimation (Ferlin, Alay, Mehani and Boreli, IFIP Networking 2016). A packet on
// the slow path s occupies the shared send window for one R_s. If the fast path f would fill the
// rest of that window in the meantime, it would then stand still; so wait for f instead:
//
//   wait if  lambda mss (W_f + (n - 1)/2) n > window - (inflight_s + L)     n = floor(R_s/R_f) + 1
//
// The factor in brackets is f's window growing by one packet a round trip. A tunnel has no send
// window of its own; what blocks is the room in the peer's resequencer, so that is `window`. The
// paper adapts lambda between 1.0 and 1.3 by observed blocking, which a scheduler here cannot see:
// 1.2 is where Linux's implementation starts.
#include <cmath>

#include "core/schedulers/common.h"
#include "core/schedulers/policies.h"

namespace sennit {

namespace {

constexpr double lambda = 1.2;

class Blest final : public Scheduler {
 public:
  explicit Blest(Duration commit_slack) : commit_slack_(commit_slack) {}
  std::string_view name() const override { return "blest"; }

  void assign(ScheduleInput in, std::span<PathMask> choice) override {
    assign_each(in, choice, [&](const PacketView& packet, std::int64_t) {
      const auto rtt = [](const PathView& p) { return p.srtt_ns; };
      const auto fast = least(
          in.paths, [&](const PathView& p) { return fits(p, packet); }, rtt);
      const auto free = least(
          in.paths, [&](const PathView& p) { return available(p, packet, commit_slack_); }, rtt);
      if (!free || free == fast) return mask_of(free);
      return would_block(in.paths[*fast], in.paths[*free], packet) ? hold : bit(*free);
    });
  }

 private:
  static bool would_block(const PathView& f, const PathView& s, const PacketView& packet) {
    const double mss = f.mtu;
    const double n = std::floor(static_cast<double>(s.srtt_ns) /
                                static_cast<double>(std::max<std::int64_t>(f.srtt_ns, 1))) +
                     1;
    const double fast_bytes = lambda * (congestion_window(f) + mss * (n - 1) / 2) * n;
    const double slow_bytes =
        std::max(0.0, congestion_window(s) - static_cast<double>(s.window_bytes)) + packet.size;
    const double window = static_cast<double>(resequence_max) * mss;
    return fast_bytes > window - slow_bytes;
  }

  Duration commit_slack_;
};

}  // namespace

std::unique_ptr<Scheduler> make_blest(const SchedulerConfig& config) {
  return std::make_unique<Blest>(config.commit_slack);
}

}  // namespace sennit
