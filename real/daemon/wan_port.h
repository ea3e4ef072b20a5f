// A local WAN while the daemon runs: the device as the kernel shows it, and the sockets bound to
// it. A device that comes, goes or is made anew under its name takes its sockets with it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "real/config/edge_config.h"
#include "real/daemon/netlink.h"
#include "real/daemon/poller.h"
#include "real/daemon/udp_socket.h"

namespace sennit {

class WanPort {
 public:
  /// One of its sockets; null while there is none.
  struct Port {
    sa_family_t family;
    std::unique_ptr<UdpSocket> socket{};
    bool readable = false;  // something may wait
    bool blocked = false;   // full, and waiting to be writable
  };

  WanPort(const Wan& wan, std::uint32_t index, std::uint32_t mark);

  /// The device's present state; true when its carrier changed. Opens and closes sockets. Throws
  /// std::system_error when a socket cannot be had.
  bool update(const LinkState& state, Poller& poller);

  const Wan& wan() const { return wan_; }
  const LinkState& state() const { return state_; }
  bool running() const { return state_.running && ports_[0].socket != nullptr; }
  /// Sockets are missing that the device should have.
  bool incomplete() const { return state_.index != 0 && ports_[0].socket == nullptr; }
  /// Of the outer IP packet.
  std::uint16_t mtu() const;

  /// IPv4, then IPv6.
  std::array<Port, 2>& ports() { return ports_; }
  const std::array<Port, 2>& ports() const { return ports_; }
  bool anything_readable() const { return ports_[0].readable || ports_[1].readable; }
  Port* port(sa_family_t family);
  Tag tag(const Port& port) const { return {Tag::Kind::socket, port.family, index_}; }

 private:
  void open_sockets(Poller& poller);

  const Wan wan_;
  const std::uint32_t index_, mark_;
  LinkState state_;
  std::array<Port, 2> ports_{Port{AF_INET}, Port{AF_INET6}};
};

}  // namespace sennit
