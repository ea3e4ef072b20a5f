// Datagrams of one size at a steady pace: cbr, and voip as G.711 sends it.
#pragma once

#include "sim/traffic/udp_channel.h"

namespace sennit {

class UdpTraffic : public TrafficSource {
 public:
  /// cbr: IP packets of `traffic.packet_size` that make `traffic.rate` (of IP packets). voip: 160
  /// bytes of sound and 12 of RTP every 20 ms, IP packets of 200 bytes.
  UdpTraffic(const Traffic& traffic, const TrafficContext& context);

 private:
  void send();

  Bytes size_;
  Duration interval_;
  Instant next_;
  Instant stop_;
  UdpChannel channel_;
};

}  // namespace sennit
