#include "real/daemon/wan_port.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/bounds.h"

namespace sennit {
namespace {

constexpr std::uint16_t usual_mtu = 1500;

}  // namespace

WanPort::WanPort(const Wan& wan, std::uint32_t index, std::uint32_t mark)
    : wan_(wan), index_(index), mark_(mark) {}

bool WanPort::update(const LinkState& state, Poller& poller) {
  const bool before = running();
  if (state.index != state_.index) {
    for (Port& port : ports_) port = Port{port.family};
  }
  state_ = state;
  if (incomplete()) open_sockets(poller);
  return before != running();
}

void WanPort::open_sockets(Poller& poller) {
  for (Port& port : ports_) {
    try {
      port.socket = std::make_unique<UdpSocket>(port.family, wan_.interface, wan_.port, mark_);
    } catch (const std::system_error& error) {
      // A system without IPv6 is none to complain about.
      if (port.family == AF_INET6 && error.code().value() == EAFNOSUPPORT) continue;
      throw;
    }
    poller.add_edge(port.socket->fd(), tag(port));
    if (!port.socket->segments()) spdlog::warn("link {}: no UDP_SEGMENT here", wan_.name);
    if (!port.socket->coalesces()) spdlog::warn("link {}: no UDP_GRO here", wan_.name);
  }
}

std::uint16_t WanPort::mtu() const {
  const std::uint16_t device = state_.mtu != 0 ? state_.mtu : usual_mtu;
  return std::min(wan_.mtu.value_or(device), static_cast<std::uint16_t>(packet_max));
}

WanPort::Port* WanPort::port(sa_family_t family) {
  for (Port& port : ports_) {
    if (port.family == family && port.socket != nullptr) return &port;
  }
  return nullptr;
}

}  // namespace sennit
