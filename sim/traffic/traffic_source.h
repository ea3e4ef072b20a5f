// The scenario's traffic in ns-3. A source owns both its ends, sender and receiver, and tells the
// recorder what the application sees.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/rng.h"
#include "ns3/ipv4-address.h"
#include "ns3/node.h"
#include "ns3/socket.h"
#include "sim/results/recorder.h"
#include "sim/scenario/scenario.h"

namespace sennit {

/// Where one flow runs and whom it tells. `from` sends the data, `to` receives it.
struct TrafficContext {
  ns3::Ptr<ns3::Node> from, to;
  ns3::Ipv4Address from_address, to_address;
  std::uint16_t port;  // of the listening end; each flow has its own
  std::size_t flow;    // index into scenario.traffic
  Instant stop;        // no data is offered from then on
  Recorder& recorder;
  Rng rng;
};

class TrafficSource {
 public:
  TrafficSource() = default;
  TrafficSource(const TrafficSource&) = delete;
  TrafficSource& operator=(const TrafficSource&) = delete;
  /// Sockets outlive their source in ns-3's hands, but they do not call it any more.
  virtual ~TrafficSource();

 protected:
  /// Silences the socket when this source goes.
  ns3::Ptr<ns3::Socket> own(ns3::Ptr<ns3::Socket> socket);

 private:
  std::vector<ns3::Ptr<ns3::Socket>> sockets_;
};

/// Sets up the source and schedules its start: up to 5 ms after `traffic.start`, by the seed, so
/// that flows of one scenario do not start in step.
std::unique_ptr<TrafficSource> make_traffic(const Traffic& traffic, const TrafficContext& context);

/// The type-of-service octet: traffic.dscp, or by kind EF for voip, AF41 for video, else 0.
std::uint8_t type_of_service(const Traffic& traffic);

/// The random part of a flow's start.
Duration start_jitter(Rng& rng);

}  // namespace sennit
