#include "sim/traffic/video_traffic.h"

#include <algorithm>

#include "sim/model/ns3_time.h"

namespace sennit {

namespace {

constexpr double key_frame_factor = 3;
constexpr std::int64_t packet_bytes = 1200;
constexpr std::int64_t payload_bytes = packet_bytes - ip_udp_header_bytes;

}  // namespace

FrameSizes::FrameSizes(BitRate rate, int fps, Rng rng)
    : frames_per_group_(static_cast<std::uint64_t>(2 * fps)), rng_(rng) {
  const double group = static_cast<double>(rate.sent_in(2s).count);
  ordinary_bytes_ = group / (static_cast<double>(frames_per_group_) - 1 + key_frame_factor);
}

Bytes FrameSizes::next() {
  const bool key = frame_++ % frames_per_group_ == 0;
  const double variation = std::clamp(1 + 0.1 * rng_.normal(), 0.5, 1.5);
  const double size = ordinary_bytes_ * variation * (key ? key_frame_factor : 1.0);
  return {std::max<std::int64_t>(1, static_cast<std::int64_t>(size))};
}

VideoTraffic::VideoTraffic(const Traffic& traffic, const TrafficContext& context)
    : recorder_(context.recorder),
      flow_(context.flow),
      interval_(Duration{1s} / traffic.fps),
      deadline_(traffic.deadline),
      stop_(context.stop),
      sizes_(traffic.rate, traffic.fps, context.rng.fork("frames")),
      channel_(context, own(make_udp_socket(context.from)), own(make_udp_socket(context.to)),
               type_of_service(traffic), [this](const UdpStamp& stamp) {
                 const auto frame = missing_.find(stamp.frame);
                 if (frame != missing_.end()) --frame->second;
               }) {
  Rng rng = context.rng;
  next_ = Instant{} + traffic.start + start_jitter(rng);
  ns3::Simulator::Schedule(to_ns3(next_ - Instant{}), [this] { send_frame(); });
}

void VideoTraffic::send_frame() {
  if (next_ >= stop_) return;
  const std::uint64_t frame = next_frame_++;
  std::int64_t left = sizes_.next().count;
  std::int64_t& packets = missing_[frame] = 0;
  for (; left > 0; left -= payload_bytes, ++packets) {
    channel_.send({std::min(left, payload_bytes) + ip_udp_header_bytes}, frame);
  }
  ns3::Simulator::Schedule(to_ns3(deadline_), [this, frame] { judge(frame); });
  next_ += interval_;
  ns3::Simulator::Schedule(to_ns3(next_ - simulated_now()), [this] { send_frame(); });
}

void VideoTraffic::judge(std::uint64_t frame) {
  recorder_.flow_frame(flow_, simulated_now(), missing_.at(frame) == 0);
  missing_.erase(frame);
}

}  // namespace sennit
