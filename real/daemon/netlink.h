// What the daemon asks of the kernel's network configuration, and what it is told of changes
// (rtnetlink, RFC 3549). Whatever a message says, the state is then read anew: a message that was
// lost in a full buffer costs nothing.
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/config.h"

namespace sennit {

struct LinkState {
  unsigned index = 0;     // 0: there is no such device
  bool running = false;   // up, with carrier
  std::uint16_t mtu = 0;  // as far as it fits
  bool operator==(const LinkState&) const = default;
};

/// Requests, each answered before the call returns. All throw std::system_error.
class Netlink {
 public:
  Netlink();
  LinkState link(const std::string& device);
  void set_mtu(unsigned device, std::uint16_t mtu);
  void set_up(unsigned device);
  /// `address` may have host bits; its length makes the route to its network.
  void add_address(unsigned device, const Prefix& address);
  void remove_address(unsigned device, const Prefix& address);
  /// In front of one to the same prefix, which it leaves alone.
  void add_route(unsigned device, const Prefix& to);
  void remove_route(unsigned device, const Prefix& to);

 private:
  struct Close {
    void operator()(mnl_socket* s) const { mnl_socket_close(s); }
  };
  void ask(nlmsghdr* request, const std::string& what, mnl_cb_t on_answer = nullptr,
           void* data = nullptr);
  void change_address(unsigned device, const Prefix& address, std::uint16_t type);
  void change_route(unsigned device, const Prefix& to, std::uint16_t type);

  std::unique_ptr<mnl_socket, Close> socket_;
  unsigned sequence_ = 0;
};

/// Says that links or addresses changed.
class NetlinkMonitor {
 public:
  NetlinkMonitor();
  int fd() const { return mnl_socket_get_fd(socket_.get()); }
  /// Reads all that waits; false: nothing did.
  bool changed();

 private:
  struct Close {
    void operator()(mnl_socket* s) const { mnl_socket_close(s); }
  };
  std::unique_ptr<mnl_socket, Close> socket_;
};

}  // namespace sennit
