// "Sleep until next_wake()" in ns-3. A cancelled ns-3 event stays in the simulator's queue until
// its time comes, and a pacer changes its mind with every packet; so an event that comes too early
// is left to fire and then moved on, and only one that would come too late is replaced.
#pragma once

#include <functional>
#include <utility>

#include "ns3/event-id.h"
#include "sim/model/ns3_time.h"

namespace sennit {

class WakeEvent {
 public:
  explicit WakeEvent(std::function<void()> on_wake) : on_wake_(std::move(on_wake)) {}
  WakeEvent(const WakeEvent&) = delete;
  WakeEvent& operator=(const WakeEvent&) = delete;
  ~WakeEvent() { cancel(); }

  /// Calls on_wake once, at `at` or now if that has passed; replaces what was asked for before.
  /// `never` asks for nothing.
  void wake_at(Instant at) {
    wanted_ = at;
    if (at == never || (event_.IsRunning() && scheduled_ <= at)) return;
    event_.Cancel();
    schedule();
  }
  void cancel() {
    wanted_ = never;
    event_.Cancel();
  }

 private:
  void schedule() {
    const Instant now = simulated_now();
    scheduled_ = std::max(now, wanted_);
    event_ = ns3::Simulator::Schedule(to_ns3(scheduled_ - now), [this] { fire(); });
  }
  void fire() {
    if (wanted_ == never) return;
    if (wanted_ > simulated_now()) return schedule();
    wanted_ = never;
    on_wake_();
  }

  std::function<void()> on_wake_;
  ns3::EventId event_;
  Instant scheduled_ = never;  // when event_ fires
  Instant wanted_ = never;
};

}  // namespace sennit
