// Inner packets from the moment they are bound to a path until their fate is known: acknowledged on
// any path, or not worth saving any more. Path queues and sent records refer to them by
// RetainedRef, so a packet may wait on two paths at once, be lost on one and acknowledged on the
// other, and still be released exactly once.
#pragma once

#include <cstdint>
#include <vector>

#include "core/bounds.h"
#include "core/loss_detector.h"
#include "core/packet.h"

namespace sennit {

struct Retained {
  Packet packet;  // the inner packet; empty when the entry is free
  std::uint32_t generation = 0;
  Instant first_sent{};
  std::uint8_t waiting = 0;    // path queues that hold it
  std::uint8_t in_flight = 0;  // datagrams whose fate is not known
  std::uint8_t measuring = 0;  // of both, copies that only measure a path
  std::uint8_t rounds = 0;     // times it was given to other paths after a loss
  bool settled = false;        // acknowledged: nothing more is worth sending
};

class Retention {
 public:
  Retention() : entries_(retained_max) {
    free_.reserve(retained_max);
    for (std::uint32_t i = retained_max; i > 0; --i) free_.push_back(i - 1);
  }

  bool full() const { return free_.empty(); }
  std::size_t size() const { return retained_max - free_.size(); }

  RetainedRef keep(Packet packet) {
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    Retained& entry = entries_[slot];
    const std::uint32_t generation = (entry.generation + 1) & generation_mask;
    entry = Retained{};
    entry.packet = std::move(packet);
    entry.generation = generation;
    return {slot | generation << slot_bits};
  }
  /// Null when the packet has been released.
  Retained* find(RetainedRef ref) {
    Retained& entry = entries_[ref.value & slot_mask];
    const bool current = entry.packet && entry.generation == ref.value >> slot_bits;
    return current ? &entry : nullptr;
  }
  /// Calls the slot of a packet that will be released soon into the cache.
  void prefetch(RetainedRef ref) const { entries_[ref.value & slot_mask].packet.prefetch(); }
  /// Releases it when nobody waits for it any more and no datagram with it is undecided.
  void release_if_done(RetainedRef ref, Retained& entry) {
    if (entry.waiting > 0 || (entry.in_flight > 0 && !entry.settled)) return;
    entry.packet = Packet{};
    free_.push_back(ref.value & slot_mask);
  }

 private:
  static constexpr std::uint32_t slot_bits = 14;
  static constexpr std::uint32_t slot_mask = (1u << slot_bits) - 1;
  static constexpr std::uint32_t generation_mask = (1u << (32 - slot_bits)) - 1;
  static_assert(retained_max == 1u << slot_bits);

  std::vector<Retained> entries_;
  std::vector<std::uint32_t> free_;
};

}  // namespace sennit
