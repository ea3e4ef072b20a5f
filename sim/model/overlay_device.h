// One end of the tunnel in ns-3: what TUN and UDP sockets are to the daemon, a VirtualNetDevice and
// ns-3 UDP sockets are here. It drives the core's Tunnel by its contract and decides nothing.
//
// ns-3 hands over packets one by one. What comes at one instant is collected and given to the core
// in one call, so that batches form here as they do behind a real socket.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tunnel.h"
#include "ns3/address.h"
#include "ns3/net-device.h"
#include "ns3/node.h"
#include "ns3/socket.h"
#include "ns3/virtual-net-device.h"
#include "sim/model/wake_event.h"

namespace sennit {

/// One underlay link as this end sees it. Its index in a list of links is its PathId.
struct OverlayLink {
  PathConfig config;
  ns3::Ptr<ns3::NetDevice> device;
  std::uint32_t peer_address = 0;  // IPv4, host order
};

/// Told about what passes, to measure it.
class OverlayObserver {
 public:
  OverlayObserver() = default;
  OverlayObserver(const OverlayObserver&) = delete;
  OverlayObserver& operator=(const OverlayObserver&) = delete;
  virtual ~OverlayObserver() = default;
  virtual void inner_entered(Instant now, std::span<const std::byte> packet) = 0;
  virtual void inner_left(Instant now, std::span<const std::byte> packet) = 0;
  virtual void traced(std::span<const TraceRecord> records) = 0;
};

class OverlayDevice {
 public:
  /// Adds the device to `node`; the caller gives it addresses and routes. `observer` outlives it.
  OverlayDevice(ns3::Ptr<ns3::Node> node, const TunnelConfig& config, Role role,
                const SessionSecret& secret, std::uint64_t seed,
                const std::vector<OverlayLink>& links, OverlayObserver& observer);
  ~OverlayDevice();
  OverlayDevice(const OverlayDevice&) = delete;
  OverlayDevice& operator=(const OverlayDevice&) = delete;

  ns3::Ptr<ns3::VirtualNetDevice> device() const { return device_; }
  const Tunnel& tunnel() const { return tunnel_; }
  /// The link's own word, acted upon at once.
  void handle_carrier(PathId path, bool up);
  /// Hands the trace on to the observer; done by itself often enough that nothing overflows.
  void flush_trace();
  /// Inner packets that found no free slot and were dropped before the core saw them.
  std::uint64_t refused_packets() const { return refused_packets_; }

 private:
  void open_socket(PathId path, const OverlayLink& link);
  bool accept_inner(ns3::Ptr<ns3::Packet> packet);
  void receive_datagrams(PathId path, ns3::Ptr<ns3::Socket> socket);
  void collect(PathId path, const ns3::Packet& packet, const ns3::Address& source);
  void hand_over_inner(Instant now);
  void hand_over_datagrams(Instant now);
  void request_drain();
  void wake();
  void drain();
  void transmit(Instant now);
  bool deliver(Instant now);
  void handle_events();
  void pass_up(Instant now, const Packet& packet);

  ns3::Ptr<ns3::VirtualNetDevice> device_;
  OverlayObserver& observer_;
  const bool trace_;
  PacketPool pool_{tunnel_pool_slots};
  Tunnel tunnel_;
  std::vector<ns3::Ptr<ns3::Socket>> sockets_;

  Batch<Packet, batch_max> inner_;        // from the stack, not yet with the core
  Batch<Datagram, batch_max> datagrams_;  // from the sockets, not yet with the core
  Transmit outgoing_;
  WakeEvent timer_{[this] { wake(); }};
  WakeEvent drain_soon_{[this] { drain(); }};
  bool draining_ = false;
  std::size_t packets_since_flush_ = 0;
  std::uint64_t refused_packets_ = 0;
  std::vector<TraceRecord> records_;
};

}  // namespace sennit
