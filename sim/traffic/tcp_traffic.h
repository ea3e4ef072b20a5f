// Bulk TCP: a number of connections that send all they can, for ever or so many bytes each.
#pragma once

#include <memory>
#include <vector>

#include "sim/traffic/tcp_writer.h"
#include "sim/traffic/traffic_source.h"

namespace sennit {

class TcpTraffic : public TrafficSource {
 public:
  /// `traffic.bytes` is what each of its flows sends; each records its completion, counted from the
  /// start of the traffic.
  TcpTraffic(const Traffic& traffic, const TrafficContext& context);

 private:
  void listen();
  void accept(ns3::Ptr<ns3::Socket> socket);
  /// `left`: bytes until this flow is complete.
  void receive(ns3::Socket& socket, Bytes& left);
  void open();
  void begin(ns3::Ptr<ns3::Socket> socket);
  void stop();

  Traffic traffic_;
  TrafficContext context_;
  std::vector<std::unique_ptr<TcpWriter>> writers_;
  bool stopped_ = false;
};

/// Reads all that the socket has, and returns how much it was. In pieces: ns-3 joins what it
/// returns at the cost of copying it again for each packet.
Bytes read_all(ns3::Socket& socket);

}  // namespace sennit
