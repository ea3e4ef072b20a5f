// BLEST, blocking estimation (Ferlin, Alay, Mehani and Boreli, IFIP Networking 2016). A packet on
// the slow path s occupies the shared send window for one R_s. If the fast path f would fill the
// rest of that window in the meantime, it would then stand still; so wait for f instead:
//
//   wait if  lambda mss (W_f + (n - 1)/2) n > window - (inflight_s + L)     n = floor(R_s/R_f) + 1
//
// The factor in brackets is f's window growing by one packet a round trip. lambda corrects the
// estimate by what then happens: when the window was blocked in the last R_s although BLEST thought
// it would not be, lambda grows by 0.04, else it falls by 0.01, within 1.0..1.3 from 1.2 (the
// values of the authors' implementation in Linux's MPTCP 0.95).
//
// A tunnel has no send window of its own; what blocks is the room in the peer's resequencer, so
// that is `window`. It was blocked if as many packets as fit there were bound after one on a slow
// path, before that one can have been acknowledged.
#include <cmath>
#include <optional>

#include "core/schedulers/common.h"
#include "core/schedulers/policies.h"

namespace sennit {

namespace {

class Correction {
 public:
  double lambda() const { return permille_ / 1000.0; }

  /// A slow path of round trip `rtt` is a candidate.
  void update(Instant now, Duration rtt) {
    if (!updated_) updated_ = now;
    if (now - *updated_ < rtt) return;
    permille_ = std::clamp(permille_ + (blocked_ ? 40 : -10), 1000, 1300);
    blocked_ = false;
    updated_ = now;
  }
  /// A packet was bound; `slow_until`: to a slow path, and it will be acknowledged then.
  void on_bound(Instant now, std::optional<Instant> slow_until) {
    if (now < watched_until_) {
      if (++bound_since_ >= resequence_max) blocked_ = true;
    } else if (slow_until) {
      watched_until_ = *slow_until;
      bound_since_ = 1;
    }
  }

 private:
  int permille_ = 1200;
  bool blocked_ = false;
  std::optional<Instant> updated_;
  Instant watched_until_ = Instant::min();  // one packet on a slow path at a time is watched
  std::size_t bound_since_ = 0;             // itself included
};

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
      if (!free) return hold;
      if (free == fast) {
        correction_.on_bound(in.now, {});
        return bit(*free);
      }
      const PathView& slow = in.paths[*free];
      correction_.update(in.now, Duration{slow.srtt_ns});
      if (would_block(in.paths[*fast], slow, packet)) return hold;
      const auto queued = static_cast<std::int64_t>(transmission_ns(slow, slow.queued_bytes));
      correction_.on_bound(in.now, in.now + Duration{slow.srtt_ns + queued});
      return bit(*free);
    });
  }

 private:
  bool would_block(const PathView& f, const PathView& s, const PacketView& packet) const {
    const double mss = f.mtu;
    const double n = std::floor(static_cast<double>(s.srtt_ns) /
                                static_cast<double>(std::max<std::int64_t>(f.srtt_ns, 1))) +
                     1;
    const double fast_bytes = correction_.lambda() * (congestion_window(f) + mss * (n - 1) / 2) * n;
    const double slow_bytes =
        std::max(0.0, congestion_window(s) - static_cast<double>(s.window_bytes)) + packet.size;
    const double window = static_cast<double>(resequence_max) * mss;
    return fast_bytes > window - slow_bytes;
  }

  Duration commit_slack_;
  Correction correction_;
};

}  // namespace

std::unique_ptr<Scheduler> make_blest(const SchedulerConfig& config) {
  return std::make_unique<Blest>(config.commit_slack);
}

}  // namespace sennit
