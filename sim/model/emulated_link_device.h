// A WAN link in ns-3: two devices with a core LinkModel behind each, so that ns-3, the core's tests
// and the testbed's emulator all see the very same link. ns-3's own point-to-point device has no
// traces, no loss bursts, no jitter and no black holes.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/link_model/link_model.h"
#include "ns3/channel.h"
#include "ns3/mac48-address.h"
#include "ns3/net-device.h"
#include "ns3/packet.h"
#include "ns3/traced-callback.h"
#include "sim/model/wake_event.h"

namespace sennit {

class EmulatedLinkDevice;

/// Knows the two ends of a link. The delay and the rate belong to the ends' models.
class EmulatedLinkChannel : public ns3::Channel {
 public:
  static ns3::TypeId GetTypeId();
  void attach(ns3::Ptr<EmulatedLinkDevice> device);
  ns3::Ptr<EmulatedLinkDevice> peer_of(const EmulatedLinkDevice* device) const;

  std::size_t GetNDevices() const override;
  ns3::Ptr<ns3::NetDevice> GetDevice(std::size_t i) const override;

 private:
  void DoDispose() override;
  std::vector<ns3::Ptr<EmulatedLinkDevice>> devices_;
};

/// One end of a link: transmits through its own LinkModel into its peer. Packets are bare IP (no
/// link header, no ARP), so the model gets bytes of the IP packet.
///
/// The MTU that ns-3 sees is the largest there is, and what exceeds the link's own MTU is dropped
/// by the model: ns-3's IPv4 would otherwise fragment silently what a real tunnel sends with "don't
/// fragment".
class EmulatedLinkDevice : public ns3::NetDevice {
 public:
  /// A packet left the link (or was lost on it).
  using ExitHook = std::function<void(Instant now, const Exit&, Bytes size)>;

  static ns3::TypeId GetTypeId();
  EmulatedLinkDevice();

  /// Called once, before the first packet.
  void attach(LinkModel transmitter, ns3::Ptr<EmulatedLinkChannel> channel);
  void on_exit(ExitHook hook) { exit_hook_ = std::move(hook); }
  /// Changes the transmitter. Links that share its bottleneck must refresh() after it.
  void configure(Instant now, const LinkConfig& config);
  /// Looks again when the transmitter wants to be polled.
  void refresh() { wake_.wake_at(transmitter_->next_wake()); }
  /// What the device tells the stack; tells it (link change callbacks) when it changes.
  void set_carrier(bool up);
  const LinkModel& transmitter() const { return *transmitter_; }

  void SetIfIndex(std::uint32_t index) override { if_index_ = index; }
  std::uint32_t GetIfIndex() const override { return if_index_; }
  ns3::Ptr<ns3::Channel> GetChannel() const override { return channel_; }
  void SetAddress(ns3::Address address) override;
  ns3::Address GetAddress() const override { return address_; }
  bool SetMtu(std::uint16_t mtu) override;
  std::uint16_t GetMtu() const override { return mtu_; }
  bool IsLinkUp() const override { return carrier_; }
  void AddLinkChangeCallback(ns3::Callback<void> callback) override;
  bool IsBroadcast() const override { return true; }
  ns3::Address GetBroadcast() const override { return ns3::Mac48Address::GetBroadcast(); }
  bool IsMulticast() const override { return false; }
  ns3::Address GetMulticast(ns3::Ipv4Address) const override { return GetBroadcast(); }
  ns3::Address GetMulticast(ns3::Ipv6Address) const override { return GetBroadcast(); }
  bool IsBridge() const override { return false; }
  bool IsPointToPoint() const override { return true; }
  bool Send(ns3::Ptr<ns3::Packet> packet, const ns3::Address& destination,
            std::uint16_t protocol) override;
  bool SendFrom(ns3::Ptr<ns3::Packet> packet, const ns3::Address& source,
                const ns3::Address& destination, std::uint16_t protocol) override;
  ns3::Ptr<ns3::Node> GetNode() const override { return node_; }
  void SetNode(ns3::Ptr<ns3::Node> node) override { node_ = node; }
  bool NeedsArp() const override { return false; }
  void SetReceiveCallback(ReceiveCallback callback) override { receive_ = callback; }
  void SetPromiscReceiveCallback(PromiscReceiveCallback callback) override {
    promiscuous_ = callback;
  }
  bool SupportsSendFrom() const override { return false; }

 private:
  /// A packet on the link; its index in the table is the model's token.
  struct Carried {
    ns3::Ptr<ns3::Packet> packet;
    std::uint16_t protocol = 0;
  };
  void DoDispose() override;
  void poll();
  void receive(ns3::Ptr<ns3::Packet> packet, std::uint16_t protocol, const ns3::Address& source);
  std::uint64_t keep(ns3::Ptr<ns3::Packet> packet, std::uint16_t protocol);
  Carried take(std::uint64_t token);

  std::optional<LinkModel> transmitter_;
  ns3::Ptr<EmulatedLinkChannel> channel_;
  ns3::Ptr<EmulatedLinkDevice> peer_;
  WakeEvent wake_{[this] { poll(); }};
  std::vector<Carried> carried_;
  std::vector<std::uint64_t> free_tokens_;
  ExitHook exit_hook_;

  ns3::Ptr<ns3::Node> node_;
  ns3::Mac48Address address_;
  std::uint32_t if_index_ = 0;
  std::uint16_t mtu_ = 65535;
  bool carrier_ = true;
  ReceiveCallback receive_;
  PromiscReceiveCallback promiscuous_;
  ns3::TracedCallback<> link_change_;
  ns3::TracedCallback<ns3::Ptr<const ns3::Packet>> mac_tx_;
  ns3::TracedCallback<ns3::Ptr<const ns3::Packet>> mac_tx_drop_;
  ns3::TracedCallback<ns3::Ptr<const ns3::Packet>> mac_rx_;
  ns3::TracedCallback<ns3::Ptr<const ns3::Packet>> sniffer_;
};

}  // namespace sennit
