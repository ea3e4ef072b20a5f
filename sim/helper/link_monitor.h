// Tells the recorder what happens on the links, and what they could have carried.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/helper/topology.h"
#include "sim/results/recorder.h"

namespace sennit {

class LinkMonitor {
 public:
  /// Reports each packet's exit from now on. `topology` and `recorder` outlive the simulation.
  LinkMonitor(const Topology& topology, Recorder& recorder, Instant warmup);
  LinkMonitor(const LinkMonitor&) = delete;
  LinkMonitor& operator=(const LinkMonitor&) = delete;

  /// All links' counters and queues.
  void sample(Instant now);
  /// Puts an event into force: both ends' configurations and carrier. Capacity is that of the
  /// configuration in force, so all links' capacity so far is added up first (a shared bottleneck's
  /// configuration is also its other links').
  void apply(Instant now, const LinkEnds& link, const LinkEvent& event);
  /// At the end: capacity and mean loss since the warm-up. The loss is weighed by the capacity that
  /// was there to lose.
  void finish(Instant now);
  /// Of all exits so far: equal digests = the links did the same at the same times.
  std::uint64_t digest() const { return digest_; }

 private:
  struct Account {
    std::size_t link;
    Direction direction;
    ns3::Ptr<EmulatedLinkDevice> device;
    Bytes capacity{};
    double lost_bytes = 0;
  };
  void watch(std::size_t link, Direction direction, ns3::Ptr<EmulatedLinkDevice> device);
  void settle(Instant now);

  Recorder& recorder_;
  std::vector<Account> accounts_;
  Instant settled_;
  std::uint64_t digest_ = 0;
};

}  // namespace sennit
