#include "real/daemon/data_plane.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <variant>

#include "core/wire.h"
#include "real/config/endpoint.h"

namespace sennit {
namespace {

// While fewer slots are free, packets wait in the device's queue instead of dying in ours.
constexpr std::size_t slots_kept_for_network = 8 * batch_max;

/// The daemon has nobody who would read a packet trace.
TunnelConfig without_trace(TunnelConfig config) {
  config.trace_packets = false;
  return config;
}

/// What `now` has and `before` had not.
std::vector<Prefix> added(const std::vector<Prefix>& before, const std::vector<Prefix>& now) {
  std::vector<Prefix> more;
  for (const Prefix& prefix : now) {
    if (std::find(before.begin(), before.end(), prefix) == before.end()) more.push_back(prefix);
  }
  return more;
}

}  // namespace

DataPlane::DataPlane(const EdgeConfig& config, Poller& poller, Netlink& netlink, std::uint64_t seed,
                     Instant now)
    : config_(config),
      poller_(poller),
      netlink_(netlink),
      tunnel_(without_trace(config.tunnel), config.peers.front().association.role,
              config.peers.front().association.secret, pool_, seed, now),
      tun_(config.interface.name, offload::Layer::ip),
      tun_index_(netlink.link(tun_.name()).index) {
  wans_.reserve(config.links.size());
  for (std::uint32_t i = 0; i < config.links.size(); ++i) {
    wans_.emplace_back(config.links[i], i, config.mark);
  }
  update_links(now);
  for (const WanPort& wan : wans_) {
    if (wan.incomplete()) throw std::runtime_error("link " + wan.wan().name + " has no socket");
  }
  add_paths(now, config.peers.front());
  interface_.mtu = config.interface.mtu;
  follow_mtu();
  if (const std::string missing = tun_.missing(); !missing.empty()) spdlog::warn("{}", missing);
  netlink_.set_up(tun_index_);
  set_interface(config.interface, inner_routes(config));
  poller.add_edge(tun_.fd(), {Tag::Kind::tun});
}

// The packets that sockets and core hold go back to the pool before it goes.
DataPlane::~DataPlane() = default;

void DataPlane::add_paths(Instant now, const Peer& peer) {
  for (const PathPlan& plan : peer.paths) {
    const WanPort& wan = wans_[plan.wan];
    const Address remote = peer.endpoints[plan.endpoint].address.value_or(Address{});
    const PathConfig path{.name = plan.name,
                          .cost = plan.cost,
                          .rate_max = wan.wan().rate_max,
                          .mtu = wan.mtu(),
                          .ipv6 = family_of(remote) == AF_INET6};
    const std::size_t id = paths_.size();
    paths_.push_back({plan, true, remote});
    tunnel_.add_path(now, PathId{static_cast<std::uint8_t>(id)}, path, remote);
    if (!wan.running()) tell_carrier(now, id);
  }
}

void DataPlane::update_links(Instant now) {
  for (std::uint32_t i = 0; i < wans_.size(); ++i) {
    WanPort& wan = wans_[i];
    bool changed = false;
    try {
      changed = wan.update(netlink_.link(wan.wan().interface), poller_);
    } catch (const std::system_error& error) {
      spdlog::error("link {}: {}", wan.wan().name, error.what());
    }
    if (!changed) continue;
    spdlog::info("link {}: {} is {}", wan.wan().name, wan.wan().interface,
                 wan.running() ? "up" : "down");
    tell_blocked(now, wan, false);
    for (std::size_t path = 0; path < paths_.size(); ++path) {
      if (paths_[path].plan.wan == i) tell_carrier(now, path);
    }
  }
}

void DataPlane::tell_carrier(Instant now, std::size_t path) {
  const PathEntry& entry = paths_[path];
  const bool up = entry.wanted && wans_[entry.plan.wan].running();
  tunnel_.handle_carrier(now, PathId{static_cast<std::uint8_t>(path)}, up);
}

bool DataPlane::set_path(Instant now, const std::string& name, bool up) {
  for (std::size_t path = 0; path < paths_.size(); ++path) {
    if (paths_[path].plan.name != name) continue;
    paths_[path].wanted = up;
    tell_carrier(now, path);
    wake_ = now;
    return true;
  }
  return false;
}

void DataPlane::set_interface(const InnerInterface& interface, const std::vector<Prefix>& routes) {
  for (const Prefix& gone : added(routes, routes_)) netlink_.remove_route(tun_index_, gone);
  for (const Prefix& gone : added(interface.addresses, interface_.addresses)) {
    netlink_.remove_address(tun_index_, gone);
  }
  for (const Prefix& more : added(interface_.addresses, interface.addresses)) {
    netlink_.add_address(tun_index_, more);
  }
  for (const Prefix& more : added(routes_, routes)) netlink_.add_route(tun_index_, more);
  interface_ = interface;
  routes_ = routes;
  follow_mtu();
}

void DataPlane::follow_mtu() {
  const std::uint16_t wanted = interface_.mtu.value_or(tunnel_.inner_mtu());
  if (wanted == mtu_) return;
  netlink_.set_mtu(tun_index_, wanted);
  mtu_ = wanted;
}

DataPlane::PathView DataPlane::path(std::size_t id) const {
  const PathEntry& entry = paths_[id];
  return {entry.plan, wans_[entry.plan.wan], entry.wanted, entry.remote};
}

// --- the loop ------------------------------------------------------------------------------------

void DataPlane::handle_ready(Instant now, const Ready& ready) {
  if (ready.tag.kind == Tag::Kind::tun) tun_readable_ = true;
  if (ready.tag.kind != Tag::Kind::socket) return;
  WanPort& wan = wans_[ready.tag.index];
  WanPort::Port* port = wan.port(ready.tag.family);
  if (port == nullptr) return;
  port->readable |= ready.readable;
  if (ready.writable && port->blocked) send(now, wan, *port);
}

Instant DataPlane::next_step(Instant now) const {
  if (tun_readable_ && may_read_tun()) return now;
  for (const WanPort& wan : wans_) {
    if (wan.anything_readable()) return now;
  }
  return wake_;
}

void DataPlane::step(Instant now) {
  read_sockets(now);
  read_tun(now);
  if (now >= wake_) tunnel_.handle_timeout(now);
  deliver(now);
  transmit(now);
  handle_events();
  wake_ = tunnel_.next_wake().at;
}

void DataPlane::read_sockets(Instant now) {
  for (std::uint32_t i = 0; i < wans_.size(); ++i) {
    for (WanPort::Port& port : wans_[i].ports()) {
      if (port.readable && port.socket != nullptr) read_socket(now, i, port);
    }
  }
}

void DataPlane::read_socket(Instant now, std::uint32_t wan, WanPort::Port& port) {
  const std::size_t count = port.socket->receive(now, pool_, datagrams_);
  port.readable = port.socket->more_waits();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!belongs(wan, datagrams_[i])) continue;
    if (kept != i) std::swap(datagrams_[kept], datagrams_[i]);
    ++kept;
  }
  tunnel_.handle_datagrams(now, std::span{datagrams_}.first(kept));
  for (std::size_t i = kept; i < count; ++i) datagrams_[i].packet = Packet{};
}

// Fills in the path, which the header names and the link must agree with. What is no datagram of
// ours is the core's to judge.
bool DataPlane::belongs(std::uint32_t wan, const Datagram& datagram) {
  const auto header = wire::read_header(datagram.packet.bytes());
  if (!header || header->path >= paths_.size() || paths_[header->path].plan.wan == wan) return true;
  ++counters_.wrong_link;
  return false;
}

bool DataPlane::may_read_tun() const { return pool_.available() > slots_kept_for_network; }

void DataPlane::read_tun(Instant now) {
  if (!tun_readable_ || !may_read_tun()) return;
  const std::size_t count = tun_.read(pool_, inner_);
  tun_readable_ = count == inner_.size() || tun_.holds_packets();
  tunnel_.handle_inner(now, std::span{inner_}.first(count));
}

void DataPlane::deliver(Instant now) {
  while (const std::size_t count = tunnel_.poll_deliver(now, inner_)) {
    tun_.write(std::span{inner_}.first(count));
  }
}

void DataPlane::transmit(Instant now) {
  while (tunnel_.poll_transmit(now, outgoing_)) {
    PathEntry& path = paths_[index(outgoing_.path)];
    const sa_family_t family = family_of(outgoing_.destination);
    WanPort& wan = wans_[path.plan.wan];
    WanPort::Port* port = wan.port(family);
    path.remote = outgoing_.destination;
    if (family == AF_UNSPEC) {
      counters_.no_address += outgoing_.datagrams.size();
    } else if (port == nullptr) {
      counters_.no_socket += outgoing_.datagrams.size();
    } else {
      port->socket->push(outgoing_);
      if (!port->socket->can_take()) send(now, wan, *port);
    }
  }
  outgoing_.datagrams.clear();
  flush(now);
}

void DataPlane::flush(Instant now) {
  for (WanPort& wan : wans_) {
    for (WanPort::Port& port : wan.ports()) {
      if (port.socket != nullptr && !port.blocked && !port.socket->idle()) send(now, wan, port);
    }
  }
}

void DataPlane::send(Instant now, WanPort& wan, WanPort::Port& port) {
  const bool had_segments = port.socket->segments();
  const bool blocked = !port.socket->flush();
  if (had_segments && !port.socket->segments()) {
    spdlog::warn("link {}: {} takes no UDP_SEGMENT, sending one by one", wan.wan().name,
                 wan.wan().interface);
  }
  if (blocked == port.blocked) return;
  port.blocked = blocked;
  poller_.want_writable(port.socket->fd(), wan.tag(port), blocked);
  tell_blocked(now, wan, blocked);
}

void DataPlane::tell_blocked(Instant now, const WanPort& wan, bool blocked) {
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (&wans_[paths_[i].plan.wan] != &wan) continue;
    const PathId id{static_cast<std::uint8_t>(i)};
    if (blocked) {
      tunnel_.handle_blocked(id);
    } else {
      tunnel_.handle_writable(now, id);
    }
  }
}

void DataPlane::handle_events() {
  while (const std::optional<Event> event = tunnel_.poll_event()) {
    if (const auto* path = std::get_if<PathChanged>(&*event)) {
      spdlog::info("path {}: {} -> {}", paths_[index(path->path)].plan.name,
                   to_string(path->before), to_string(path->after));
    } else if (const auto* moved = std::get_if<PathMoved>(&*event)) {
      spdlog::info("path {}: the peer has a new address", paths_[index(moved->path)].plan.name);
    } else {
      follow_mtu();
    }
  }
}

}  // namespace sennit
