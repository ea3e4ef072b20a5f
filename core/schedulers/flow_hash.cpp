// Equal-cost multipath: each flow stays on one path (RFC 2992), so nothing is ever reordered and no
// flow is faster than one link. Highest random weight (Thaler and Ravishankar, "Using name-based
// mappings to increase hit rates", IEEE/ACM ToN 1998): a flow takes the path with the largest hash
// of (flow, path), so a new path takes over only its own share and a lost one moves only its own
// flows.
//
// A flow cannot go elsewhere, and a held packet holds all behind it, also those of other flows. So
// a path may queue as much as a router's interface would before we hold.
#include "core/schedulers/common.h"
#include "core/schedulers/policies.h"

namespace sennit {

namespace {

constexpr double interface_queue_ns = 100e6;

/// Finalizer of SplitMix64 (Steele et al., 2014): every input bit moves half of the output bits.
constexpr std::uint64_t mix(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

class FlowHash final : public Scheduler {
 public:
  std::string_view name() const override { return "flow-hash"; }

  void assign(ScheduleInput in, std::span<PathMask> choice) override {
    assign_each(in, choice, [&](const PacketView& packet, std::int64_t) {
      const auto row = least(
          in.paths, [&](const PathView& p) { return fits(p, packet); },
          [&](const PathView& p) { return ~mix(std::uint64_t{packet.flow} << 8 | p.path); });
      const bool full =
          row && transmission_ns(in.paths[*row], in.paths[*row].queued_bytes) >= interface_queue_ns;
      return full ? hold : mask_of(row);
    });
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_flow_hash(const SchedulerConfig&) {
  return std::make_unique<FlowHash>();
}

}  // namespace sennit
