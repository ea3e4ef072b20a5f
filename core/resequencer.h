// Puts inner packets back into the order in which each flow sent them, holding them no longer than
// it takes to prove that what is missing will not come.
//
// Per flow bucket, never global: a gap in one flow does not hold another. In-order packets pass at
// once. A timer that arrivals restart never ends under load (MLVPN's stall), and one fixed timeout
// is either too short for the slow path or a stall after every loss; so a gap ends by proof: every
// active path has since delivered a packet of the class that was sequenced after the missing one.
// If repair may still come (reinjection, FEC), the gap stays open for that long. A deadline per
// gap, from the paths' measured delays, bounds all of it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/config.h"
#include "core/observer.h"
#include "core/packet.h"

namespace sennit {

/// What the tunnel knows about the paths, for one class, at one instant.
struct ArrivalHorizon {
  /// Every sequence below has been sent on its path before something that arrived: what is missing
  /// of them is lost (or was marked as overtaken). Slack for reordering inside a path is already
  /// off.
  DataSeq settled{};
  /// When `settled` next grows though nothing more arrives; never when it takes news.
  Instant settles_at = never;
  /// Largest smoothed one-way delay + 4 deviations of the active paths, relative as in PathMonitor.
  Duration one_way_max{};
  /// How long after the proof a reinjected packet may still arrive; zero when none will come.
  Duration repair_wait{};
};

class Resequencer {
 public:
  Resequencer(std::span<const ClassConfig> classes, Observer& observer);

  /// Before the first packet: every flow begins here.
  void begin_at(std::uint64_t first) {
    for (Flow& flow : flows_) flow.expected = first;
  }

  /// An authenticated, new inner packet. Its info() holds class, flow bucket (low bits of
  /// flow_hash), flow_sequence, sequence, since (arrival) and one-way delay (`one_way`).
  void push(Instant now, Packet packet, Duration one_way);

  /// Ends gaps by proof and deadline. `horizons` has one row per class.
  void advance(Instant now, std::span<const ArrivalHorizon> horizons);

  /// The next packet in order; empty when there is none.
  [[nodiscard]] Packet pop() { return ready_.pop_front(); }
  bool has_ready() const { return !ready_.empty(); }
  std::size_t ready_packets() const { return ready_.size(); }

  /// When the first gap ends by itself; never when nothing is held. Valid after advance().
  Instant next_wake() const { return next_wake_; }
  std::size_t held() const { return held_; }
  bool holds(ClassId class_id) const { return held_in_class_[index(class_id)] > 0; }
  std::uint64_t delivered_packets() const { return delivered_packets_; }
  std::uint64_t delivered_bytes() const { return delivered_bytes_; }
  std::uint64_t delivered_late() const { return delivered_late_; }
  /// Cumulative, as Metrics has it.
  std::array<std::uint64_t, hold_edges_us.size()> hold_histogram() const;

 private:
  struct Flow {
    std::uint64_t expected = 0;  // next flow sequence to deliver
    std::uint64_t lowest = 0;    // smallest held; meaningful while held > 0, like the next two
    std::uint64_t oldest = 0;    // held for the longest
    std::uint64_t highest = 0;   // largest held
    std::uint32_t held = 0;
    std::uint32_t blocked_at = 0;  // position in blocked_ + 1; 0 = not there
  };
  struct Held {
    Packet packet;  // empty = the slot is free
    std::uint64_t key = 0;
    std::int64_t one_way_ns = 0;
    std::uint64_t next_oldest = 0;  // becomes the oldest when this, the oldest, is released
  };

  void deliver(Instant now, Packet packet);
  void hold(Instant now, std::size_t flow, std::uint64_t sequence, Packet packet, Duration one_way);
  void release_run(Instant now, std::size_t flow);
  void end_gap(Instant now, std::size_t flow);
  void end_all_gaps(Instant now, std::size_t flow);
  void block(std::size_t flow);
  void unblock(std::size_t flow);
  Instant gap_ends_at(std::size_t flow, const ArrivalHorizon& horizon);

  Held* find(std::uint64_t key);
  void insert(std::uint64_t key, Packet packet, Duration one_way);
  Packet take(Held* slot);

  std::span<const ClassConfig> classes_;
  Observer& observer_;
  std::vector<Flow> flows_;             // classes x flow_buckets
  std::vector<Held> table_;             // open addressing, linear probing, twice resequence_max
  std::vector<std::uint32_t> blocked_;  // flows with a gap, in order of blocking
  PacketList ready_;
  std::size_t held_ = 0;
  std::array<std::uint32_t, classes_max> held_in_class_{};
  Instant next_wake_ = never;
  std::uint64_t delivered_packets_ = 0, delivered_bytes_ = 0, delivered_late_ = 0;
  std::array<std::uint64_t, hold_edges_us.size()> histogram_{};  // not cumulative
};

}  // namespace sennit
