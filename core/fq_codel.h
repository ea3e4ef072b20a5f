// FQ-CoDel (RFC 8290): 1,024 queues by flow hash, served by deficit round robin with a quantum of
// one full packet, each with its own CoDel. A queue that was empty goes first for one quantum, so
// flows that do not build a queue (DNS, pings, key strokes, the first packets of a page) never wait
// for those that do. Nothing is allocated after construction; a queue is one cache line.
#pragma once

#include <cstdint>
#include <vector>

#include "core/codel.h"
#include "core/observer.h"
#include "core/packet.h"

namespace sennit {

class FqCodel {
 public:
  /// `observer` hears of each drop and outlives the queue.
  explicit FqCodel(Observer& observer);

  /// info().flow_hash chooses the queue by its low ten bits, like the flow bucket on the wire: what
  /// shares an order shares a queue. info().since is when it came in.
  void push(Packet packet);
  /// The next packet, after CoDel dropped (Drop::queue_aged) or marked; empty when none is left.
  /// PacketFlag::sparse is set when its flow is within its first quantum, else cleared.
  [[nodiscard]] Packet pop(Instant now);
  /// Drops from the head of the queue with the most bytes (RFC 8290 section 4.1.2; a few packets at
  /// once, because finding it takes a walk). Drop::queue_full.
  void drop_from_fattest(Instant now);

  void set_parameters(const CodelParameters& parameters) { parameters_ = parameters; }
  const CodelParameters& parameters() const { return parameters_; }
  bool empty() const { return packets_ == 0; }
  std::size_t packets() const { return packets_; }
  Bytes bytes() const { return bytes_; }
  std::uint64_t ce_marked() const { return ce_marked_; }

  static constexpr std::int32_t quantum = 1514;  // RFC 8290 section 5.2.4: an Ethernet frame

 private:
  static constexpr std::uint16_t none = 0xffff;

  struct alignas(64) Queue {
    PacketList packets;
    Codel codel;
    std::int32_t deficit = 0;   // bytes that it may still send in this round
    std::uint16_t next = none;  // in the ring that it is in
    bool active = false;        // in one of the rings
  };
  static_assert(sizeof(Queue) == 64);

  /// First in, first out, of queues, linked through Queue::next.
  struct Ring {
    std::uint16_t head = none, tail = none;
    bool empty() const { return head == none; }
  };
  void append(Ring& ring, std::uint16_t queue);
  void remove_head(Ring& ring);
  Packet take(Queue& queue);
  Packet take_unless_aged(Queue& queue, Instant now);
  std::uint16_t fattest(const Ring& ring, std::uint16_t best) const;

  Observer& observer_;
  CodelParameters parameters_;
  Ring new_, old_;
  std::size_t packets_ = 0;
  Bytes bytes_{};
  std::uint64_t ce_marked_ = 0;
  std::vector<Queue> queues_;
};

}  // namespace sennit
