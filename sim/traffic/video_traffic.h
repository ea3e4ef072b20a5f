// A video call: frames of varying size, each sent as a burst of packets, of use only when complete
// before the deadline.
#pragma once

#include <map>

#include "sim/traffic/udp_channel.h"

namespace sennit {

/// Sizes of coded frames: every two seconds a key frame of three times the size of the others,
/// which vary by about a tenth, with `rate` as their mean.
class FrameSizes {
 public:
  FrameSizes(BitRate rate, int fps, Rng rng);
  Bytes next();

 private:
  std::uint64_t frames_per_group_;
  double ordinary_bytes_;
  std::uint64_t frame_ = 0;
  Rng rng_;
};

class VideoTraffic : public TrafficSource {
 public:
  /// `traffic.rate` counts the bytes of the frames; packets are of at most 1,200 bytes with their
  /// headers.
  VideoTraffic(const Traffic& traffic, const TrafficContext& context);

 private:
  void send_frame();
  void judge(std::uint64_t frame);

  Recorder& recorder_;
  std::size_t flow_;
  Duration interval_;
  Duration deadline_;
  Instant next_;
  Instant stop_;
  FrameSizes sizes_;
  std::map<std::uint64_t, std::int64_t> missing_;  // frame before its deadline -> its packets
  std::uint64_t next_frame_ = 0;
  UdpChannel channel_;
};

}  // namespace sennit
