// Inner packets that wait for a path. QoS rules (or DSCP) choose the class; within a class FQ-CoDel
// (RFC 8290) keeps flows apart, so a bulk flow's standing queue costs only itself and sparse flows
// (DNS, pings, key strokes) go first. ECN-capable packets are marked before others are dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/config.h"
#include "core/observer.h"
#include "core/packet.h"

namespace sennit {

class IngressQueue {
 public:
  /// `config` must have no fault; `observer` outlives the queue. `seed` perturbs the flow hash.
  IngressQueue(const TunnelConfig& config, Observer& observer, std::uint64_t seed);
  ~IngressQueue();
  IngressQueue(const IngressQueue&) = delete;
  IngressQueue& operator=(const IngressQueue&) = delete;

  /// Classifies by the inner headers, fills info() (since, flow_hash, class_id, ecn) and queues;
  /// traces `accepted`.
  /// Not IPv4 or IPv6: dropped (Drop::not_ip). Over ingress_packets_max in all: the fattest flow of
  /// the fattest class loses from its head (RFC 8290 section 4.1), Drop::queue_full. A class's
  /// rate_max (token bucket, 50 ms deep) shapes: its packets wait, they are not dropped for it.
  void push(Instant now, Packet packet);

  /// The packet of this class that should leave next, after CoDel had its say (drops:
  /// Drop::queue_aged; marks: rewrites the inner header's ECN field and checksum); empty when there
  /// is none or its class is over its rate limit. Sets PacketFlag::sparse when it came from
  /// FQ-CoDel's list of new flows.
  [[nodiscard]] Packet pop(Instant now, ClassId class_id);

  /// Class ids in the order in which they are to be served.
  std::span<const ClassId> service_order() const;
  bool empty(ClassId class_id) const;
  std::size_t packets() const;  // all classes
  std::size_t packets(ClassId class_id) const;
  Bytes bytes() const;
  Bytes bytes(ClassId class_id) const;
  /// When pop() of a class that is held back by its rate limit may succeed again; never if none is.
  Instant next_wake(Instant now) const;
  /// The round trip through the tunnel with its hold. CoDel's interval is max(100 ms, 1.2 of it);
  /// above 66 ms the targets of classes that are not realtime grow in proportion (bulk: 0.3 of it).
  void set_round_trip(Duration round_trip);
  /// The rate of all paths together, told every 100 ms: no CoDel target is below 1.5 full packets
  /// at this rate, and the targets of classes that are not realtime grow with its variation.
  void set_rate(BitRate total);
  std::uint64_t ce_marked() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sennit
