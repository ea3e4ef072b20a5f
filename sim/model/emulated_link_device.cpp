#include "sim/model/emulated_link_device.h"

#include "core/assert.h"
#include "ns3/node.h"
#include "ns3/trace-source-accessor.h"

namespace sennit {

NS_OBJECT_ENSURE_REGISTERED(EmulatedLinkChannel);
NS_OBJECT_ENSURE_REGISTERED(EmulatedLinkDevice);

ns3::TypeId EmulatedLinkChannel::GetTypeId() {
  static const ns3::TypeId type = ns3::TypeId("sennit::EmulatedLinkChannel")
                                      .SetParent<ns3::Channel>()
                                      .AddConstructor<EmulatedLinkChannel>();
  return type;
}

void EmulatedLinkChannel::attach(ns3::Ptr<EmulatedLinkDevice> device) {
  SENNIT_ASSERT(devices_.size() < 2);
  devices_.push_back(device);
}

ns3::Ptr<EmulatedLinkDevice> EmulatedLinkChannel::peer_of(const EmulatedLinkDevice* device) const {
  SENNIT_ASSERT(devices_.size() == 2);
  return ns3::PeekPointer(devices_[0]) == device ? devices_[1] : devices_[0];
}

std::size_t EmulatedLinkChannel::GetNDevices() const { return devices_.size(); }
ns3::Ptr<ns3::NetDevice> EmulatedLinkChannel::GetDevice(std::size_t i) const {
  return devices_.at(i);
}

void EmulatedLinkChannel::DoDispose() {
  devices_.clear();
  ns3::Channel::DoDispose();
}

ns3::TypeId EmulatedLinkDevice::GetTypeId() {
  static const ns3::TypeId type =
      ns3::TypeId("sennit::EmulatedLinkDevice")
          .SetParent<ns3::NetDevice>()
          .AddConstructor<EmulatedLinkDevice>()
          .AddTraceSource("MacTx", "An IP packet is offered to the link.",
                          ns3::MakeTraceSourceAccessor(&EmulatedLinkDevice::mac_tx_),
                          "ns3::Packet::TracedCallback")
          .AddTraceSource("MacTxDrop", "The link refused a packet: queue full, too big, or down.",
                          ns3::MakeTraceSourceAccessor(&EmulatedLinkDevice::mac_tx_drop_),
                          "ns3::Packet::TracedCallback")
          .AddTraceSource("MacRx", "An IP packet arrived over the link.",
                          ns3::MakeTraceSourceAccessor(&EmulatedLinkDevice::mac_rx_),
                          "ns3::Packet::TracedCallback")
          .AddTraceSource("Sniffer", "What a packet capture on this device sees, both directions.",
                          ns3::MakeTraceSourceAccessor(&EmulatedLinkDevice::sniffer_),
                          "ns3::Packet::TracedCallback");
  return type;
}

EmulatedLinkDevice::EmulatedLinkDevice() : address_(ns3::Mac48Address::Allocate()) {}

void EmulatedLinkDevice::attach(LinkModel transmitter, ns3::Ptr<EmulatedLinkChannel> channel) {
  transmitter_.emplace(std::move(transmitter));
  channel_ = channel;
  channel->attach(this);
}

void EmulatedLinkDevice::configure(Instant now, const LinkConfig& config) {
  transmitter_->configure(now, config);
  refresh();
}

void EmulatedLinkDevice::set_carrier(bool up) {
  if (carrier_ == up) return;
  carrier_ = up;
  link_change_();
}

void EmulatedLinkDevice::SetAddress(ns3::Address address) {
  address_ = ns3::Mac48Address::ConvertFrom(address);
}

bool EmulatedLinkDevice::SetMtu(std::uint16_t mtu) {
  mtu_ = mtu;
  return true;
}

void EmulatedLinkDevice::AddLinkChangeCallback(ns3::Callback<void> callback) {
  link_change_.ConnectWithoutContext(callback);
}

bool EmulatedLinkDevice::Send(ns3::Ptr<ns3::Packet> packet, const ns3::Address&,
                              std::uint16_t protocol) {
  mac_tx_(packet);
  sniffer_(packet);
  const Bytes size = bytes_of(packet->GetSize());
  const std::uint64_t token = keep(packet, protocol);
  if (transmitter_->handle_packet(simulated_now(), size, token) != Offer::queued) {
    mac_tx_drop_(take(token).packet);
    return false;
  }
  // Not poll() here: what has just arrived would climb the peer's stack while ours is still in the
  // middle of sending.
  refresh();
  return true;
}

bool EmulatedLinkDevice::SendFrom(ns3::Ptr<ns3::Packet> packet, const ns3::Address&,
                                  const ns3::Address& destination, std::uint16_t protocol) {
  return Send(packet, destination, protocol);
}

void EmulatedLinkDevice::poll() {
  const Instant now = simulated_now();
  if (!peer_) peer_ = channel_->peer_of(this);
  while (const std::optional<Exit> exit = transmitter_->poll_exit(now)) {
    Carried carried = take(exit->token);
    if (exit_hook_) exit_hook_(now, *exit, bytes_of(carried.packet->GetSize()));
    if (!exit->lost) peer_->receive(carried.packet, carried.protocol, address_);
  }
  refresh();
}

void EmulatedLinkDevice::receive(ns3::Ptr<ns3::Packet> packet, std::uint16_t protocol,
                                 const ns3::Address& source) {
  mac_rx_(packet);
  sniffer_(packet);
  if (!promiscuous_.IsNull()) {
    promiscuous_(this, packet, protocol, source, address_, ns3::NetDevice::PACKET_HOST);
  }
  receive_(this, packet, protocol, source);
}

std::uint64_t EmulatedLinkDevice::keep(ns3::Ptr<ns3::Packet> packet, std::uint16_t protocol) {
  if (free_tokens_.empty()) {
    carried_.emplace_back();
    free_tokens_.push_back(carried_.size() - 1);
  }
  const std::uint64_t token = free_tokens_.back();
  free_tokens_.pop_back();
  carried_[token] = {packet, protocol};
  return token;
}

EmulatedLinkDevice::Carried EmulatedLinkDevice::take(std::uint64_t token) {
  free_tokens_.push_back(token);
  return std::exchange(carried_[token], {});
}

void EmulatedLinkDevice::DoDispose() {
  wake_.cancel();
  carried_.clear();
  free_tokens_.clear();
  exit_hook_ = nullptr;
  channel_ = nullptr;
  peer_ = nullptr;
  node_ = nullptr;
  receive_ = {};
  promiscuous_ = {};
  ns3::NetDevice::DoDispose();
}

}  // namespace sennit
