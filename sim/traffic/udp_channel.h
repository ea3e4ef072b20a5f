// Numbered datagrams in one direction. Each carries its number and the time it was sent, so that
// the receiver knows what is missing and how long the rest took.
#pragma once

#include <functional>

#include "sim/traffic/traffic_source.h"

namespace sennit {

/// What a datagram says of itself; the first bytes of its payload.
struct UdpStamp {
  std::uint64_t number = 0;
  std::int64_t sent_ns = 0;
  std::uint64_t frame = 0;  // video: the frame that it is a piece of
};
inline constexpr std::int64_t ip_udp_header_bytes = 20 + 8;

class UdpChannel {
 public:
  using OnPacket = std::function<void(const UdpStamp&)>;
  /// Records what is sent and received; `on_packet` may be empty.
  UdpChannel(const TrafficContext& context, ns3::Ptr<ns3::Socket> sender,
             ns3::Ptr<ns3::Socket> receiver, std::uint8_t tos, OnPacket on_packet);
  UdpChannel(const UdpChannel&) = delete;
  UdpChannel& operator=(const UdpChannel&) = delete;

  /// `size` of the IP packet; never smaller than the headers and the stamp.
  void send(Bytes size, std::uint64_t frame = 0);

 private:
  void receive(ns3::Ptr<ns3::Socket> socket);

  Recorder& recorder_;
  std::size_t flow_;
  ns3::Ptr<ns3::Socket> sender_;
  OnPacket on_packet_;
  std::uint64_t next_number_ = 0;
};

ns3::Ptr<ns3::Socket> make_udp_socket(ns3::Ptr<ns3::Node> node);

}  // namespace sennit
