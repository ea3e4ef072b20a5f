// Two tunnels over emulated links on a virtual clock: the stage on which tests tell their stories.
// Inner packets are small UDP datagrams that carry their flow, number and time, so that a story can
// ask what arrived, when, in which order, and whether it was touched.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "core/link_model/link_model.h"
#include "core/tunnel.h"

namespace sennit {

struct PairLink {
  LinkConfig a_to_b, b_to_a;
  std::uint8_t cost = 0;
};
/// The same both ways.
PairLink symmetric(double mbps, Duration delay);

/// One inner packet that came out.
struct Delivery {
  std::uint16_t flow;
  std::uint32_t number;
  Instant sent, at;
  std::size_t size;
  bool intact;  // its bytes are those that went in
};

class Pair {
 public:
  enum End { a = 0, b = 1 };

  Pair(const std::vector<PairLink>& links, const TunnelConfig& config = {},
       std::uint64_t seed = 1);
  ~Pair();

  /// One inner packet of `size` bytes (at least 48) at `end`, now. `dscp` chooses the class.
  void send(End end, std::uint16_t flow, std::size_t size = 1200, std::uint8_t dscp = 0);
  /// `rate` of packets of `size` from now on for `duration`; call run() for them to happen.
  void send_stream(End end, std::uint16_t flow, BitRate rate, Duration duration,
                   std::size_t size = 1200, std::uint8_t dscp = 0);
  void run(Duration duration);
  /// Calls `action` at an instant of a later run().
  void at(Instant when, std::function<void()> action);

  /// Changes a link now, both directions.
  void set_link(std::size_t link, const std::function<void(LinkConfig&)>& change);

  Instant now() const { return now_; }
  Tunnel& tunnel(End end) { return *ends_[end].tunnel; }
  LinkModel& link(std::size_t link, End from) { return wires_[2 * link + from].model; }
  const std::vector<Delivery>& delivered(End end) const { return ends_[end].delivered; }
  std::uint64_t sent(End end, std::uint16_t flow) const;
  Metrics metrics(End end) { return tunnel(end).metrics(now_); }
  /// Everything that both tunnels decided.
  std::uint64_t digest() const;

  /// Inner packets of one instant enter in calls of at most this many (1..batch_max).
  std::size_t batch = batch_max;
  /// May change, drop (clear), or copy what goes over the wires; called per datagram.
  std::function<void(std::size_t link, End from, std::vector<std::byte>&)> tamper;
  /// Counts every wake-up by reason: a tunnel that wakes too often shows here.
  std::array<std::uint64_t, static_cast<std::size_t>(Timer::count)> wakes{};

 private:
  struct Wire {
    LinkModel model;
    std::map<std::uint64_t, std::vector<std::byte>> cargo;
  };
  struct Side {
    std::unique_ptr<PacketPool> pool;
    std::unique_ptr<Tunnel> tunnel;
    std::vector<Packet> entering;
    std::vector<Delivery> delivered;
    std::map<std::uint16_t, std::uint32_t> numbers;
  };
  Packet make_packet(End end, std::uint16_t flow, std::size_t size, std::uint8_t dscp);
  void step();
  void enter(End end);
  void arrive(std::size_t wire);
  void drain(End end);
  Instant next() const;

  Instant now_{};
  std::uint64_t tokens_ = 0;
  std::vector<Wire> wires_;  // 2 x link + sending end
  std::array<Side, 2> ends_;
  std::multimap<Instant, std::function<void()>> actions_;
};

/// Largest time between two deliveries of a flow.
Duration longest_gap(std::span<const Delivery> deliveries, std::uint16_t flow);
/// Deliveries of a flow that came after a later number.
std::size_t out_of_order(std::span<const Delivery> deliveries, std::uint16_t flow);
std::size_t count_of(std::span<const Delivery> deliveries, std::uint16_t flow);
/// Inner bytes per second of what arrived in [from, to), in Mbit/s.
double goodput_mbps(std::span<const Delivery> deliveries, Instant from, Instant to);
/// The q-quantile (0..1) of one-way times of a flow.
Duration transit_quantile(std::span<const Delivery> deliveries, std::uint16_t flow, double q);

}  // namespace sennit
