// One path of a tunnel, both directions: what is queued for it, what is in flight, how fast it may
// be sent to, what arrives on it, and whether it is usable. Composes; decides nothing about
// packets.
#pragma once

#include <array>
#include <cstdint>

#include "core/capacity_probe.h"
#include "core/config.h"
#include "core/line_loss.h"
#include "core/loss_detector.h"
#include "core/observe.h"
#include "core/one_way_delay.h"
#include "core/pacer.h"
#include "core/packet.h"
#include "core/path_monitor.h"
#include "core/path_state.h"
#include "core/rate_control.h"
#include "core/scheduler.h"
#include "core/tunnel.h"
#include "core/wire.h"

namespace sennit {

/// First in, first out, of fixed length: packets that wait for a path, by reference.
class RefQueue {
 public:
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == path_queue_max; }
  std::size_t size() const { return size_; }
  RetainedRef front() const { return refs_[begin_]; }
  void push(RetainedRef ref) {
    SENNIT_ASSERT(!full());
    refs_[(begin_ + size_++) % path_queue_max] = ref;
  }
  RetainedRef pop() {
    const RetainedRef ref = refs_[begin_];
    begin_ = (begin_ + 1) % path_queue_max;
    --size_;
    return ref;
  }

 private:
  std::vector<RetainedRef> refs_ = std::vector<RetainedRef>(path_queue_max);
  std::size_t begin_ = 0, size_ = 0;
};

/// What an inner packet (or FEC frame) of `size` counts for in queues and windows: as on the link.
constexpr Bytes queued_size(std::size_t size) {
  return bytes_of(size + wire::data_overhead + 28);  // outer IPv4 and UDP
}

/// In which order a path serves what waits for it; a packet waits for its own rank and those
/// before.
enum class Rank : std::uint8_t {
  urgent,  // realtime classes
  ahead,   // copies of lost packets, FEC symbols, packets of flows that build no queue
  normal
};

/// What a path has delivered of one class, as proof of what was lost. `settled` is the largest data
/// sequence such that anything smaller, had this path carried it, would be here.
class ClassArrivals {
 public:
  void on_sequence(Instant now, DataSeq sequence, bool reorders);
  DataSeq settled(Instant now, Duration slack);
  /// When settled() grows without news; never if it does not.
  Instant settles_at(Duration slack) const { return pending_ ? pending_at_ + slack : never; }
  bool any() const { return count_ > 0; }

 private:
  std::array<DataSeq, 3> newest_{};  // descending
  std::uint64_t count_ = 0;
  DataSeq settled_{}, pending_sequence_{};
  Instant pending_at_{}, newest_at_{};
  bool pending_ = false;
};

/// A class that may wait for order on a far path: see bulk_paths.h.
inline bool is_bulk(const ClassConfig& config) {
  return config.ordered && !config.realtime &&
         config.latency_budget > std::chrono::milliseconds{200};
}

/// Whether a packet of such a class passes through the delay line of its path.
inline bool has_line(const PacketInfo& info) { return (info.flags & PacketFlag::stream) != 0; }

struct Path {
  Path(PathId path_id, const PathConfig& path_config, const Address& address,
       const RateLimits& limits, Instant now);

  PathId id;
  PathConfig config;
  Address remote;
  PathLiveness liveness;
  bool blocked = false;  // the driver's socket is full
  bool carrier = true;

  // --- towards the peer ---
  LossDetector flight;
  OneWayDelay forward;
  LineLoss line_loss;
  RateControl rate;
  CapacityProbe capacity_probe;
  bool for_bulk = true;  // worth its delay (bulk_paths.h)
  Duration line{};       // bulk leaves no earlier than this after it was bound (bulk_paths.h)
  Pacer pacer;
  std::array<RefQueue, classes_max> queues;  // new packets, per class in sequence order
  RefQueue sparse;                           // new packets of sparse flows: ahead of their class
  RefQueue repairs;                          // copies of lost packets, and packets given back
  PacketList symbols;                        // FEC frames, plain
  PacketList control;                // reports, pings, …: plain, neither paced nor limited
  Packet stash;                      // sealed, but did not fit into the last Transmit
  std::array<Bytes, 3> queued_in{};  // bytes that wait, per Rank
  Instant window_blocked_at = Instant::min();  // last time that the inflight limit held a packet
  Instant last_sent{};
  std::optional<Instant> last_ping{};
  Instant probe_timeout_from{};  // a probe timeout counts from here at the earliest
  int probe_timeouts = 0;        // in a row; doubles the wait
  PathSeq overdue_from{};        // everything before was copied because it was overdue
  std::array<DataSeq, classes_max> tail_sent{};  // proof of order sent for an idle path
  Instant last_tail{};
  Instant last_safety_copy{};  // of a report, sent here because it may be lost elsewhere
  std::uint64_t sent_datagrams = 0, sent_bytes = 0, repair_bytes = 0, control_bytes = 0;

  // --- from the peer ---
  PathMonitor monitor;
  std::array<ClassArrivals, classes_max> arrivals;
  wire::PathUse peer_use = wire::PathUse::standby;  // until the peer says that it may use it
  std::uint64_t received_datagrams = 0, received_bytes = 0;
  std::uint32_t reports_made = 0;

  /// Of a path that cannot send for long only the newest are worth keeping.
  void queue_control(Packet packet) {
    if (control.size() == control_queue_max) control.pop_front();
    control.push_back(std::move(packet));
  }

  /// Before the first datagram: numbers begin here in both directions, data sequences as well.
  void begin_at(std::uint64_t first) {
    flight.begin_at(PathSeq{first});
    monitor.begin_at(PathSeq{first});
    tail_sent.fill(DataSeq{first});
  }

  bool up() const { return liveness.state() == PathState::up; }
  /// New packets may be bound to it: its delay must have been measured, or nothing can compare it.
  bool usable() const { return up() && !blocked && forward.measured(); }
  /// Why not, if it is not.
  std::optional<Reason> unusable_because() const;
  bool has_queued() const;
  /// Its capacity is being measured by filling it (capacity_probe.h).
  bool explores() const { return config.cost == 0 && !capacity_probe.explored(); }
  /// The line as long as the path's rate control does not probe; else shorter by the probe's gain,
  /// or what is in the line would bound the rate and no probe would ever find more.
  Duration line_now() const {
    if (explores()) return line;  // padding asks for what is in the line
    return scaled(line, std::min(1.0, rate.sustained().mbps() / rate.rate().mbps()));
  }
  /// Nothing waits here but new packets in class queues.
  bool only_new_queued() const {
    return !stash && control.empty() && repairs.empty() && sparse.empty() && symbols.empty();
  }
  Bytes& queued_at(Rank rank) { return queued_in[static_cast<std::size_t>(rank)]; }
  /// Bytes that leave before a new packet of this rank.
  Bytes queued_before(Rank rank) const {
    Bytes sum{};
    for (std::size_t i = 0; i <= static_cast<std::size_t>(rank); ++i) sum += queued_in[i];
    return sum;
  }
  Bytes queued() const { return queued_before(Rank::normal); }
  /// Outer IP and UDP headers. Rates, windows and queues count bytes as the link carries them.
  std::size_t outer_header() const { return (config.ipv6 ? std::size_t{40} : std::size_t{20}) + 8; }
  /// Largest datagram (UDP payload) that fits into the link's MTU.
  std::size_t datagram_max() const { return config.mtu - outer_header(); }
  /// Largest inner packet that it can carry, with room for a repair symbol's fields.
  std::size_t inner_max() const { return datagram_max() - wire::repair_overhead; }
  bool window_open(Bytes size) const {
    return flight.in_flight() + size <= rate.inflight_limit() && !flight.full();
  }
  PathFacts facts(const TunnelConfig& tunnel, Instant peer_heard) const;
  /// As a scheduler sees it for a packet of this rank.
  PathView view(Instant now, Rank rank) const;
  /// Time from now until a repair of `size` bound to this path would arrive, relative.
  Duration arrival_delay(Instant now, std::size_t size) const;
  /// When a probe timeout repairs what no later packet will prove lost; never when idle.
  Instant probe_timeout_at() const;
  /// When the oldest datagram in flight is so late that its packets are worth a copy elsewhere
  /// although nothing proves them lost: a radio link that stalls keeps them in its queue, and their
  /// successors on other paths wait for them.
  Instant overdue_at() const;
};

}  // namespace sennit
