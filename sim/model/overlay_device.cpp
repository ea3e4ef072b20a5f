#include "sim/model/overlay_device.h"

#include <array>
#include <cstring>
#include <type_traits>
#include <variant>

#include "core/assert.h"
#include "ns3/inet-socket-address.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/mac48-address.h"
#include "ns3/packet.h"
#include "ns3/udp-socket-factory.h"

namespace sennit {

namespace {

// One port per path, so that ns-3 finds the socket of a datagram by its port alone.
constexpr std::uint16_t first_port = 4500;

// A packet leaves about five records at either end; a flush at half of what the core can keep has
// room for the retransmissions and losses of one long drain.
constexpr std::size_t packets_per_flush = trace_max / 16;

std::uint16_t port_of(PathId path) { return static_cast<std::uint16_t>(first_port + index(path)); }

/// The core's opaque address: IPv4 address and port, as ns-3 counts them.
struct Ipv4Endpoint {
  std::uint32_t address;
  std::uint16_t port;
};

Address to_core(Ipv4Endpoint endpoint) {
  Address address;
  std::memcpy(address.bytes.data(), &endpoint.address, sizeof endpoint.address);
  std::memcpy(address.bytes.data() + sizeof endpoint.address, &endpoint.port, sizeof endpoint.port);
  return address;
}

Address to_core(const ns3::Address& socket_address) {
  const auto inet = ns3::InetSocketAddress::ConvertFrom(socket_address);
  return to_core({inet.GetIpv4().Get(), inet.GetPort()});
}

ns3::Address to_ns3(const Address& address) {
  Ipv4Endpoint endpoint{};
  std::memcpy(&endpoint.address, address.bytes.data(), sizeof endpoint.address);
  std::memcpy(&endpoint.port, address.bytes.data() + sizeof endpoint.address, sizeof endpoint.port);
  return ns3::InetSocketAddress(ns3::Ipv4Address(endpoint.address), endpoint.port);
}

ns3::Ptr<ns3::Packet> to_ns3(const Packet& packet) {
  const std::span<const std::byte> bytes = packet.bytes();
  return ns3::Create<ns3::Packet>(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                  static_cast<std::uint32_t>(bytes.size()));
}

/// False when it does not fit into a slot.
bool copy_into(Packet& slot, const ns3::Packet& packet) {
  const std::span<std::byte> room = slot.writable();
  const std::uint32_t size = packet.GetSize();
  if (size > room.size()) return false;
  packet.CopyData(reinterpret_cast<std::uint8_t*>(room.data()), size);
  slot.resize(size);
  return true;
}

}  // namespace

OverlayDevice::OverlayDevice(ns3::Ptr<ns3::Node> node, const TunnelConfig& config, Role role,
                             const SessionSecret& secret, std::uint64_t seed,
                             const std::vector<OverlayLink>& links, OverlayObserver& observer)
    : device_(ns3::CreateObject<ns3::VirtualNetDevice>()),
      observer_(observer),
      trace_(config.trace_packets),
      tunnel_(config, role, secret, pool_, seed, simulated_now()),
      records_(trace_max / 4) {
  device_->SetAddress(ns3::Mac48Address::Allocate());
  device_->SetNeedsArp(false);
  device_->SetIsPointToPoint(true);
  device_->SetSendCallback(ns3::VirtualNetDevice::SendCallback(
      [this](ns3::Ptr<ns3::Packet> packet, const ns3::Address&, const ns3::Address&,
             std::uint16_t) { return accept_inner(packet); }));
  node->AddDevice(device_);
  for (std::size_t i = 0; i < links.size(); ++i)
    open_socket(PathId{static_cast<std::uint8_t>(i)}, links[i]);
  device_->SetMtu(tunnel_.inner_mtu());
  request_drain();
}

OverlayDevice::~OverlayDevice() {
  device_->SetSendCallback({});
  for (const ns3::Ptr<ns3::Socket>& socket : sockets_) {
    socket->SetRecvCallback({});
    socket->Close();
  }
}

void OverlayDevice::open_socket(PathId path, const OverlayLink& link) {
  const auto socket =
      ns3::Socket::CreateSocket(device_->GetNode(), ns3::UdpSocketFactory::GetTypeId());
  socket->BindToNetDevice(link.device);
  // Any address of that device: ns-3 then routes a datagram once instead of twice.
  const int bound = socket->Bind(ns3::InetSocketAddress(ns3::Ipv4Address::GetAny(), port_of(path)));
  SENNIT_ASSERT(bound == 0);
  socket->SetRecvCallback(ns3::Callback<void, ns3::Ptr<ns3::Socket>>(
      [this, path](ns3::Ptr<ns3::Socket> s) { receive_datagrams(path, s); }));
  sockets_.push_back(socket);
  tunnel_.add_path(simulated_now(), path, link.config, to_core({link.peer_address, port_of(path)}));
}

void OverlayDevice::handle_carrier(PathId path, bool up) {
  tunnel_.handle_carrier(simulated_now(), path, up);
  request_drain();
}

bool OverlayDevice::accept_inner(ns3::Ptr<ns3::Packet> packet) {
  Packet slot = pool_.allocate();
  if (!slot || !copy_into(slot, *packet)) {
    ++refused_packets_;
    return false;
  }
  const Instant now = simulated_now();
  observer_.inner_entered(now, slot.bytes());
  if (inner_.full()) hand_over_inner(now);
  inner_.push(std::move(slot));
  request_drain();
  return true;
}

void OverlayDevice::receive_datagrams(PathId path, ns3::Ptr<ns3::Socket> socket) {
  ns3::Address source;
  while (const ns3::Ptr<ns3::Packet> packet = socket->RecvFrom(source)) {
    collect(path, *packet, source);
  }
  request_drain();
}

void OverlayDevice::collect(PathId path, const ns3::Packet& packet, const ns3::Address& source) {
  Packet slot = pool_.allocate();
  if (!slot || !copy_into(slot, packet)) {
    ++refused_packets_;
    return;
  }
  const Instant now = simulated_now();
  if (datagrams_.full()) hand_over_datagrams(now);
  datagrams_.push({std::move(slot), now, to_core(source), path, Ecn::not_ect});
}

void OverlayDevice::hand_over_inner(Instant now) {
  if (inner_.empty()) return;
  packets_since_flush_ += inner_.size();
  tunnel_.handle_inner(now, inner_.all());
  inner_.clear();
}

void OverlayDevice::hand_over_datagrams(Instant now) {
  if (datagrams_.empty()) return;
  packets_since_flush_ += datagrams_.size();
  tunnel_.handle_datagrams(now, datagrams_.all());
  datagrams_.clear();
}

void OverlayDevice::request_drain() {
  if (!draining_) drain_soon_.wake_at(simulated_now());
}

void OverlayDevice::wake() {
  tunnel_.handle_timeout(simulated_now());
  drain();
}

// Delivering may make the stack answer at once (a TCP acknowledgement), which is again input.
void OverlayDevice::drain() {
  const Instant now = simulated_now();
  draining_ = true;
  do {
    hand_over_datagrams(now);
    hand_over_inner(now);
    while (deliver(now)) hand_over_inner(now);
    transmit(now);
    handle_events();
  } while (!inner_.empty() || !datagrams_.empty());
  draining_ = false;
  drain_soon_.cancel();
  timer_.wake_at(tunnel_.next_wake().at);
  if (packets_since_flush_ >= packets_per_flush) flush_trace();
}

void OverlayDevice::transmit(Instant now) {
  while (tunnel_.poll_transmit(now, outgoing_)) {
    const ns3::Address destination = to_ns3(outgoing_.destination);
    ns3::Socket& socket = *sockets_[index(outgoing_.path)];
    for (const Packet& datagram : outgoing_.datagrams.all()) {
      socket.SendTo(to_ns3(datagram), 0, destination);
    }
  }
  outgoing_.datagrams.clear();
}

bool OverlayDevice::deliver(Instant now) {
  std::array<Packet, batch_max> out;
  const std::size_t count = tunnel_.poll_deliver(now, out);
  for (const Packet& packet : std::span{out}.first(count)) pass_up(now, packet);
  return count > 0;
}

void OverlayDevice::pass_up(Instant now, const Packet& packet) {
  observer_.inner_left(now, packet.bytes());
  device_->Receive(to_ns3(packet), ns3::Ipv4L3Protocol::PROT_NUMBER, device_->GetAddress(),
                   device_->GetAddress(), ns3::NetDevice::PACKET_HOST);
}

void OverlayDevice::handle_events() {
  while (const std::optional<Event> event = tunnel_.poll_event()) {
    if (const auto* mtu = std::get_if<MtuChanged>(&*event)) device_->SetMtu(mtu->inner_mtu);
  }
}

void OverlayDevice::flush_trace() {
  packets_since_flush_ = 0;
  if (!trace_) return;
  while (const std::size_t count = tunnel_.poll_trace(records_)) {
    observer_.traced(std::span{records_}.first(count));
  }
}

}  // namespace sennit
