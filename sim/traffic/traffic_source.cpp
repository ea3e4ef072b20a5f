#include "sim/traffic/traffic_source.h"

#include "sim/traffic/tcp_traffic.h"
#include "sim/traffic/udp_traffic.h"
#include "sim/traffic/video_traffic.h"
#include "sim/traffic/web_traffic.h"

namespace sennit {

TrafficSource::~TrafficSource() {
  for (const ns3::Ptr<ns3::Socket>& socket : sockets_) {
    socket->SetConnectCallback({}, {});
    socket->SetAcceptCallback({}, {});
    socket->SetSendCallback({});
    socket->SetRecvCallback({});
  }
}

ns3::Ptr<ns3::Socket> TrafficSource::own(ns3::Ptr<ns3::Socket> socket) {
  sockets_.push_back(socket);
  return socket;
}

std::unique_ptr<TrafficSource> make_traffic(const Traffic& traffic, const TrafficContext& context) {
  switch (traffic.kind) {
    case TrafficKind::tcp:
      return std::make_unique<TcpTraffic>(traffic, context);
    case TrafficKind::cbr:
    case TrafficKind::voip:
      return std::make_unique<UdpTraffic>(traffic, context);
    case TrafficKind::video:
      return std::make_unique<VideoTraffic>(traffic, context);
    case TrafficKind::web:
      break;
  }
  return std::make_unique<WebTraffic>(traffic, context);
}

std::uint8_t type_of_service(const Traffic& traffic) {
  constexpr int ef = 46, af41 = 34;  // RFC 3246, RFC 2597
  const int by_kind = traffic.kind == TrafficKind::voip    ? ef
                      : traffic.kind == TrafficKind::video ? af41
                                                           : 0;
  return static_cast<std::uint8_t>(traffic.dscp.value_or(by_kind) << 2);
}

Duration start_jitter(Rng& rng) { return scaled(5ms, rng.uniform()); }

}  // namespace sennit
