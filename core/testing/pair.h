// Two tunnels over emulated links on a virtual clock: the stage on which tests tell their stories.
// Inner packets are small UDP datagrams that carry their flow, number and time, so that a story can
// ask what arrived, when, in which order, and whether it was touched.
#pragma once

#include <array>
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
  bool intact;   // its bytes are those that went in
  bool current;  // it went in during the session in which it came out
};

/// DSCP values that the default rules map to the three classes.
inline constexpr std::uint8_t dscp_bulk = 0, dscp_realtime = 46, dscp_interactive = 34;

/// An end's clock: ahead of the stage's own by `offset` >= 0, and faster by the fraction `drift`.
struct PairClock {
  Duration offset{};
  double drift = 0;
};

/// What the stage itself does to the tunnels.
struct PairOptions {
  std::size_t pool_slots = tunnel_pool_slots / 2;  // of each end; setting up more takes longer
  std::size_t paths = paths_max;      // links in use from the start; add_path() adds more
  std::array<PairClock, 2> clocks{};  // of each end
  std::uint64_t first_number = 0;     // where each session's numbers begin
  Duration coalescing{};  // datagrams are handed over at multiples of this only, as a busy host
                          // does; 0 = as they arrive
};

class Pair {
 public:
  enum End { a = 0, b = 1 };

  explicit Pair(const std::vector<PairLink>& links, const TunnelConfig& config = {},
                std::uint64_t seed = 1, const PairOptions& options = {});
  ~Pair();

  /// One inner packet of `size` bytes (at least 48) at `end`, now. `dscp` chooses the class.
  void send(End end, std::uint16_t flow, std::size_t size = 1200, std::uint8_t dscp = dscp_bulk);
  /// `rate` of packets of `size` from now on for `duration`; call run() for them to happen.
  void send_stream(End end, std::uint16_t flow, BitRate rate, Duration duration,
                   std::size_t size = 1200, std::uint8_t dscp = dscp_bulk);
  void run(Duration duration);
  /// Calls `action` at an instant of a later run().
  void at(Instant when, std::function<void()> action);

  /// Changes a link now, both directions; the tunnels are told nothing.
  void set_link(std::size_t link, const std::function<void(LinkConfig&)>& change);
  void set_state(std::size_t link, LinkState state);
  /// The devices at both ends lose or find their carrier, and say so.
  void set_carrier(std::size_t link, bool up);
  /// The socket of a path cannot take more, or can again. What is sent meanwhile is a failure.
  void set_blocked(std::size_t link, End end, bool blocked);
  void add_path(std::size_t link);
  void remove_path(std::size_t link);
  /// Replaces the end's tunnel by a new one with the keys of another session (0 is the first), as
  /// after a reboot or a handshake. What the old one held is gone; what is on the wires arrives.
  void renew(End end, std::uint32_t session);
  /// A datagram that no wire carries: `to` sees it on `link` with the next step.
  void inject(std::size_t link, End to, std::vector<std::byte> datagram);

  Instant now() const { return now_; }
  /// The same instant as the end's own clock shows it.
  Instant clock(End end) const { return local(end, now_); }
  Tunnel& tunnel(End end) { return *ends_[end].tunnel; }
  const PacketPool& pool(End end) const { return *ends_[end].pool; }
  std::uint32_t session(End end) const { return ends_[end].session; }
  /// Datagrams that the end's present tunnel was given.
  std::uint64_t handed(End end) const { return ends_[end].handed; }
  LinkModel& link(std::size_t link, End from) { return wires_[2 * link + from].model; }
  const std::vector<Delivery>& delivered(End end) const { return ends_[end].delivered; }
  std::uint64_t sent(End end, std::uint16_t flow) const;
  /// Packets of a flow that `end` sent at or after `from` and that have not come out.
  std::uint64_t missing(End end, std::uint16_t flow, Instant from = {}) const;
  Metrics metrics(End end) { return tunnel(end).metrics(clock(end)); }
  std::uint64_t drops(End end, Drop reason);
  PathState state(End end, std::size_t link) { return metrics(end).paths[link].state; }
  /// Everything that all tunnels decided.
  std::uint64_t digest() const;

  /// Inner packets and datagrams of one instant enter in calls of at most this many (1..batch_max).
  std::size_t batch = batch_max;
  /// May change, drop (clear), copy or inject() what goes over the wires; called per datagram.
  std::function<void(std::size_t link, End from, std::vector<std::byte>&)> tamper;
  /// Sees each line of both packet traces, if set.
  std::function<void(End, const TraceRecord&)> on_trace;
  std::function<void(End, const Event&)> on_event;
  /// Sees an end for the last time before renew().
  std::function<void(End)> on_session_end;
  /// How often the program has asked for memory so far. If set, what the tunnels asked for while
  /// they ran is counted in tunnel_allocations.
  std::size_t (*allocations)() = nullptr;
  std::size_t tunnel_allocations = 0;
  /// Counts every wake-up by reason: a tunnel that wakes too often shows here.
  std::array<std::uint64_t, static_cast<std::size_t>(Timer::count)> wakes{};

 private:
  struct Wire {
    LinkModel model;
    std::map<std::uint64_t, std::vector<std::byte>> cargo;
    std::vector<std::vector<std::byte>> injected;
  };
  struct Sent {
    Instant at;
    std::uint32_t session;
  };
  struct Side {
    std::unique_ptr<PacketPool> pool;
    std::unique_ptr<Tunnel> tunnel;
    std::uint32_t session = 0;
    std::uint64_t handed = 0;
    std::uint64_t digest_before = 0;  // of the sessions before
    std::uint32_t blocked = 0;        // bit i: the socket of path i
    std::vector<Packet> entering;
    std::vector<Delivery> delivered;
    std::map<std::uint16_t, std::vector<Sent>> sent;  // by flow and number
  };
  /// While it lives only a tunnel runs.
  class Metered {
   public:
    explicit Metered(Pair& pair) : pair_(pair), before_(pair.count_allocations()) {}
    ~Metered() { pair_.tunnel_allocations += pair_.count_allocations() - before_; }
    Metered(const Metered&) = delete;
    Metered& operator=(const Metered&) = delete;

   private:
    Pair& pair_;
    std::size_t before_;
  };
  std::size_t count_allocations() const { return allocations == nullptr ? 0 : allocations(); }
  template <class Call>
  auto metered(Call call) {
    const Metered meter{*this};
    return call();
  }
  void begin_session(End end);
  void add_path(End end, std::size_t link);
  bool same_session(End to, const Delivery& delivery) const;
  Packet make_packet(End end, std::uint16_t flow, std::size_t size, std::uint8_t dscp);
  void step();
  void enter(End end);
  void arrive(std::size_t wire);
  void add_datagram(std::size_t wire, Instant arrived, std::span<const std::byte> bytes);
  void drain(End end);
  void transmit(End end, Transmit& out);
  void look(End end);
  Instant next() const;
  Instant local(End end, Instant world) const;
  Instant world(End end, Instant local) const;
  Instant handed_over(Instant arrived) const;

  TunnelConfig config_;
  std::uint64_t seed_;
  PairOptions options_;
  Instant now_{};
  std::uint64_t tokens_ = 0;
  std::vector<PairLink> links_;
  std::uint32_t in_use_ = 0;  // bit i: path i
  std::vector<Wire> wires_;   // 2 x link + sending end
  std::array<Side, 2> ends_;
  std::multimap<Instant, std::function<void()>> actions_;
  std::vector<Datagram> datagrams_;  // of one wire and instant
};

/// Largest time between two deliveries of a flow.
Duration longest_gap(std::span<const Delivery> deliveries, std::uint16_t flow);
/// Deliveries of what a flow sent at or after `from` that came after a later number.
std::size_t out_of_order(std::span<const Delivery> deliveries, std::uint16_t flow,
                         Instant from = {});
/// Deliveries of a flow whose number came before.
std::size_t repeated(std::span<const Delivery> deliveries, std::uint16_t flow);
std::size_t count_of(std::span<const Delivery> deliveries, std::uint16_t flow);
bool all_intact(std::span<const Delivery> deliveries);
/// Inner bytes per second of what arrived in [from, to), in Mbit/s.
double goodput_mbps(std::span<const Delivery> deliveries, Instant from, Instant to);
/// The q-quantile (0..1) of one-way times of what a flow sent at or after `from`.
Duration transit_quantile(std::span<const Delivery> deliveries, std::uint16_t flow, double q,
                          Instant from = {});

}  // namespace sennit
