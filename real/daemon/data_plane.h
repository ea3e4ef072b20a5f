// Drives the core's Tunnel by its contract: a TUN device on one side, UDP sockets on the other.
// Decides nothing. Everything moves in batches of up to 64, and a step is bounded, so that neither
// side can keep the other waiting.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/tunnel.h"
#include "real/config/edge_config.h"
#include "real/daemon/netlink.h"
#include "real/daemon/poller.h"
#include "real/daemon/wan_port.h"
#include "real/offload/tun_device.h"

namespace sennit {

/// What died here, before the core saw it or after it let go.
struct DataPlaneCounters {
  std::uint64_t no_address = 0;  // towards a peer whose address is not learned yet
  std::uint64_t no_socket = 0;   // the link's device is gone
  std::uint64_t wrong_link = 0;  // a path's datagram that came in on another path's link
};

class DataPlane {
 public:
  /// Makes the TUN device and its addresses and routes. The others outlive it. Throws
  /// std::system_error.
  DataPlane(const EdgeConfig& config, Poller& poller, Netlink& netlink, std::uint64_t seed,
            Instant now);
  ~DataPlane();
  DataPlane(const DataPlane&) = delete;
  DataPlane& operator=(const DataPlane&) = delete;

  void handle_ready(Instant now, const Ready& ready);
  /// Reads what waits, up to a batch of each, and drains the core.
  void step(Instant now);
  /// When step() is needed without anything becoming ready; now, when input is left.
  Instant next_step(Instant now) const;

  /// Looks at the devices again.
  void update_links(Instant now);
  /// The operator's wish. False: there is no path of this name.
  bool set_path(Instant now, const std::string& name, bool up);
  /// Applies what may change while the tunnel lives: addresses, routes and MTU of the device.
  void set_interface(const InnerInterface& interface, const std::vector<Prefix>& routes);

  struct PathView {
    const PathPlan& plan;
    const WanPort& wan;
    bool wanted;
    Address remote;
  };
  PathView path(std::size_t id) const;
  std::size_t path_count() const { return paths_.size(); }
  const std::vector<WanPort>& wans() const { return wans_; }
  const Tunnel& tunnel() const { return tunnel_; }
  const offload::TunDevice& tun() const { return tun_; }
  std::uint16_t mtu() const { return mtu_; }
  std::size_t pool_available() const { return pool_.available(); }
  const DataPlaneCounters& counters() const { return counters_; }

 private:
  struct PathEntry {
    PathPlan plan;
    bool wanted = true;
    Address remote;  // where it sent last
  };

  void add_paths(Instant now, const Peer& peer);
  void tell_carrier(Instant now, std::size_t path);
  void tell_blocked(Instant now, const WanPort& wan, bool blocked);
  bool may_read_tun() const;
  void read_sockets(Instant now);
  void read_socket(Instant now, std::uint32_t wan, WanPort::Port& port);
  bool belongs(std::uint32_t wan, const Datagram& datagram);
  void read_tun(Instant now);
  void deliver(Instant now);
  void transmit(Instant now);
  void send(Instant now, WanPort& wan, WanPort::Port& port);
  void flush(Instant now);
  void handle_events();
  void follow_mtu();

  const EdgeConfig& config_;
  Poller& poller_;
  Netlink& netlink_;
  PacketPool pool_{tunnel_pool_slots};
  Tunnel tunnel_;
  offload::TunDevice tun_;
  unsigned tun_index_;
  InnerInterface interface_;    // as applied
  std::vector<Prefix> routes_;  // as applied
  std::uint16_t mtu_ = 0;
  bool tun_readable_ = true;
  std::vector<WanPort> wans_;
  std::vector<PathEntry> paths_;
  Instant wake_{};
  DataPlaneCounters counters_;

  std::array<Packet, batch_max> inner_;
  std::array<Datagram, batch_max> datagrams_;
  Transmit outgoing_;
};

}  // namespace sennit
