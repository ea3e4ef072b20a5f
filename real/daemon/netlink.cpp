#include "real/daemon/netlink.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <limits>

#include "real/config/endpoint.h"
#include "real/daemon/fd.h"

namespace sennit {
namespace {

// IPv6 has no order among routes of one metric: before those of router advertisements (1024).
constexpr std::uint32_t ipv6_metric = 512;

using Buffer = std::array<char, 8192>;

template <class Body>
Body* put_body(nlmsghdr* request) {
  return static_cast<Body*>(mnl_nlmsg_put_extra_header(request, sizeof(Body)));
}

nlmsghdr* begin(Buffer& buffer, std::uint16_t type, std::uint16_t flags) {
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = type;
  request->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  return request;
}

std::uint8_t family_of(const Prefix& prefix) { return is_ipv4(prefix) ? AF_INET : AF_INET6; }

void put_address(nlmsghdr* request, std::uint16_t type, const Prefix& prefix) {
  const std::size_t skipped = is_ipv4(prefix) ? 12 : 0;
  mnl_attr_put(request, type, prefix.address.size() - skipped, prefix.address.data() + skipped);
}

int read_attribute(const nlattr* attribute, void* data) {
  auto& state = *static_cast<LinkState*>(data);
  if (mnl_attr_get_type(attribute) == IFLA_MTU) {
    const std::uint32_t most = std::numeric_limits<std::uint16_t>::max();
    state.mtu = static_cast<std::uint16_t>(std::min(mnl_attr_get_u32(attribute), most));
  }
  return MNL_CB_OK;
}

int read_link(const nlmsghdr* answer, void* data) {
  auto& state = *static_cast<LinkState*>(data);
  const auto* body = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(answer));
  constexpr unsigned running = IFF_UP | IFF_RUNNING;
  state.index = static_cast<unsigned>(body->ifi_index);
  state.running = (body->ifi_flags & running) == running;
  mnl_attr_parse(answer, sizeof *body, read_attribute, &state);
  return MNL_CB_OK;
}

}  // namespace

Netlink::Netlink() : socket_(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC)) {
  if (!socket_) fail_with_errno("open a netlink socket");
  if (mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    fail_with_errno("bind a netlink socket");
  }
}

void Netlink::ask(nlmsghdr* request, const std::string& what, mnl_cb_t on_answer, void* data) {
  request->nlmsg_seq = ++sequence_;
  const unsigned port = mnl_socket_get_portid(socket_.get());
  int more = MNL_CB_OK;
  if (mnl_socket_sendto(socket_.get(), request, request->nlmsg_len) < 0) fail_with_errno(what);
  while (more > MNL_CB_STOP) {
    Buffer answer;
    const ssize_t size = mnl_socket_recvfrom(socket_.get(), answer.data(), answer.size());
    if (size < 0) fail_with_errno(what);
    more =
        mnl_cb_run(answer.data(), static_cast<std::size_t>(size), sequence_, port, on_answer, data);
    if (more < 0) fail_with_errno(what);
  }
}

LinkState Netlink::link(const std::string& device) {
  Buffer buffer;
  nlmsghdr* request = begin(buffer, RTM_GETLINK, 0);
  put_body<ifinfomsg>(request)->ifi_family = AF_UNSPEC;
  mnl_attr_put_strz(request, IFLA_IFNAME, device.c_str());
  LinkState state;
  try {
    ask(request, "look at the device " + device, read_link, &state);
  } catch (const std::system_error& error) {
    if (error.code().value() != ENODEV) throw;
    return {};
  }
  return state;
}

void Netlink::set_mtu(unsigned device, std::uint16_t mtu) {
  Buffer buffer;
  nlmsghdr* request = begin(buffer, RTM_NEWLINK, 0);
  auto* body = put_body<ifinfomsg>(request);
  body->ifi_family = AF_UNSPEC;
  body->ifi_index = static_cast<int>(device);
  mnl_attr_put_u32(request, IFLA_MTU, mtu);
  ask(request, "set the MTU of the tunnel's device to " + std::to_string(mtu));
}

void Netlink::set_up(unsigned device) {
  Buffer buffer;
  nlmsghdr* request = begin(buffer, RTM_NEWLINK, 0);
  auto* body = put_body<ifinfomsg>(request);
  body->ifi_family = AF_UNSPEC;
  body->ifi_index = static_cast<int>(device);
  body->ifi_flags = body->ifi_change = IFF_UP;
  ask(request, "set the tunnel's device up");
}

void Netlink::change_address(unsigned device, const Prefix& address, std::uint16_t type) {
  const bool add = type == RTM_NEWADDR;
  Buffer buffer;
  nlmsghdr* request =
      begin(buffer, type, static_cast<std::uint16_t>(add ? NLM_F_CREATE | NLM_F_REPLACE : 0));
  auto* body = put_body<ifaddrmsg>(request);
  body->ifa_family = family_of(address);
  body->ifa_prefixlen = prefix_length(address);
  body->ifa_index = device;
  // Nobody else is on a tunnel: without, an IPv6 address cannot be used until it is known as free.
  if (!is_ipv4(address)) body->ifa_flags = IFA_F_NODAD;
  put_address(request, IFA_LOCAL, address);
  put_address(request, IFA_ADDRESS, address);
  ask(request, (add ? "add the address " : "remove the address ") + show(address));
}

void Netlink::add_address(unsigned device, const Prefix& address) {
  change_address(device, address, RTM_NEWADDR);
}
void Netlink::remove_address(unsigned device, const Prefix& address) {
  change_address(device, address, RTM_DELADDR);
}

void Netlink::change_route(unsigned device, const Prefix& to, std::uint16_t type) {
  const bool add = type == RTM_NEWROUTE;
  Buffer buffer;
  // In front of an equal one, which is there again when ours goes.
  nlmsghdr* request = begin(buffer, type, static_cast<std::uint16_t>(add ? NLM_F_CREATE : 0));
  auto* body = put_body<rtmsg>(request);
  body->rtm_family = family_of(to);
  body->rtm_dst_len = prefix_length(to);
  body->rtm_table = RT_TABLE_MAIN;
  body->rtm_protocol = RTPROT_STATIC;
  body->rtm_scope = RT_SCOPE_LINK;
  body->rtm_type = RTN_UNICAST;
  if (to.length > 0) put_address(request, RTA_DST, to);
  mnl_attr_put_u32(request, RTA_OIF, device);
  if (!is_ipv4(to)) mnl_attr_put_u32(request, RTA_PRIORITY, ipv6_metric);
  ask(request, (add ? "add the route to " : "remove the route to ") + show(to));
}

void Netlink::add_route(unsigned device, const Prefix& to) {
  change_route(device, to, RTM_NEWROUTE);
}
void Netlink::remove_route(unsigned device, const Prefix& to) {
  change_route(device, to, RTM_DELROUTE);
}

NetlinkMonitor::NetlinkMonitor()
    : socket_(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK)) {
  if (!socket_) fail_with_errno("open a netlink socket");
  if (mnl_socket_bind(socket_.get(), RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
                      MNL_SOCKET_AUTOPID) < 0) {
    fail_with_errno("listen to changes of the network");
  }
}

bool NetlinkMonitor::changed() {
  bool any = false;
  std::array<char, 16384> news;
  while (true) {
    const ssize_t size = recv(fd(), news.data(), news.size(), 0);
    if (size < 0 && errno == ENOBUFS) {  // some were lost, which is news enough
      any = true;
      continue;
    }
    if (size <= 0) return any;
    any = true;
  }
}

}  // namespace sennit
