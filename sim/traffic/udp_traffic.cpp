#include "sim/traffic/udp_traffic.h"

#include "sim/model/ns3_time.h"

namespace sennit {

namespace {

constexpr Bytes voice_packet{20 + 8 + 12 + 160};  // IP, UDP, RTP, 20 ms of G.711
constexpr Duration voice_interval = 20ms;

}  // namespace

UdpTraffic::UdpTraffic(const Traffic& traffic, const TrafficContext& context)
    : size_(traffic.kind == TrafficKind::voip ? voice_packet : Bytes{traffic.packet_size}),
      interval_(traffic.kind == TrafficKind::voip ? voice_interval
                                                  : traffic.rate.time_to_send(size_)),
      stop_(context.stop),
      channel_(context, own(make_udp_socket(context.from)), own(make_udp_socket(context.to)),
               type_of_service(traffic), nullptr) {
  Rng rng = context.rng;
  next_ = Instant{} + traffic.start + start_jitter(rng);
  ns3::Simulator::Schedule(to_ns3(next_ - Instant{}), [this] { send(); });
}

void UdpTraffic::send() {
  if (next_ >= stop_) return;
  channel_.send(size_);
  next_ += interval_;
  ns3::Simulator::Schedule(to_ns3(next_ - simulated_now()), [this] { send(); });
}

}  // namespace sennit
