#include "sim/traffic/udp_channel.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "ns3/inet-socket-address.h"
#include "ns3/packet.h"
#include "ns3/udp-socket-factory.h"
#include "sim/model/ns3_time.h"

namespace sennit {

ns3::Ptr<ns3::Socket> make_udp_socket(ns3::Ptr<ns3::Node> node) {
  return ns3::Socket::CreateSocket(node, ns3::UdpSocketFactory::GetTypeId());
}

UdpChannel::UdpChannel(const TrafficContext& context, ns3::Ptr<ns3::Socket> sender,
                       ns3::Ptr<ns3::Socket> receiver, std::uint8_t tos, OnPacket on_packet)
    : recorder_(context.recorder),
      flow_(context.flow),
      sender_(sender),
      on_packet_(std::move(on_packet)) {
  ns3::InetSocketAddress peer(context.to_address, context.port);
  peer.SetTos(tos);
  sender_->Bind();
  sender_->Connect(peer);
  receiver->Bind(ns3::InetSocketAddress(context.to_address, context.port));
  receiver->SetRecvCallback(ns3::Callback<void, ns3::Ptr<ns3::Socket>>(
      [this](ns3::Ptr<ns3::Socket> socket) { receive(socket); }));
}

void UdpChannel::send(Bytes size, std::uint64_t frame) {
  const Instant now = simulated_now();
  const UdpStamp stamp{next_number_++, (now - Instant{}).count(), frame};
  std::array<std::uint8_t, sizeof stamp> bytes;
  std::memcpy(bytes.data(), &stamp, sizeof stamp);
  const auto packet = ns3::Create<ns3::Packet>(bytes.data(), bytes.size());
  const std::int64_t padding = size.count - ip_udp_header_bytes - std::ssize(bytes);
  packet->AddPaddingAtEnd(static_cast<std::uint32_t>(std::max<std::int64_t>(padding, 0)));
  recorder_.flow_packet_sent(flow_, now);
  sender_->Send(packet);
}

void UdpChannel::receive(ns3::Ptr<ns3::Socket> socket) {
  while (const ns3::Ptr<ns3::Packet> packet = socket->Recv()) {
    UdpStamp stamp;
    std::array<std::uint8_t, sizeof stamp> bytes;
    if (packet->CopyData(bytes.data(), bytes.size()) < bytes.size()) continue;
    std::memcpy(&stamp, bytes.data(), sizeof stamp);
    recorder_.flow_packet_received(flow_, stamp.number, Instant{Duration{stamp.sent_ns}},
                                   simulated_now(), bytes_of(packet->GetSize()));
    if (on_packet_) on_packet_(stamp);
  }
}

}  // namespace sennit
