// Somebody reads: asks for a page over one TCP connection, gets it, thinks, asks for the next.
#pragma once

#include <memory>

#include "sim/traffic/tcp_writer.h"
#include "sim/traffic/traffic_source.h"

namespace sennit {

class WebTraffic : public TrafficSource {
 public:
  /// The server is `traffic.from`, since it sends the data; the reader is `traffic.to`. The first
  /// page's time includes the connection's set-up.
  WebTraffic(const Traffic& traffic, const TrafficContext& context);

 private:
  void listen();
  void serve(ns3::Ptr<ns3::Socket> socket);
  void open();
  void ask();
  void read();
  void think();

  Traffic traffic_;
  TrafficContext context_;
  ns3::Ptr<ns3::Socket> reader_;
  std::unique_ptr<TcpWriter> server_;
  std::int64_t request_left_;
  std::int64_t page_left_ = 0;
  Instant asked_{};
};

}  // namespace sennit
