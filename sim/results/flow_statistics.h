// The KPIs of one traffic source. What happened during the warm-up is left out: a packet counts if
// it was sent after it, bytes if they were received after it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sim/results/histogram.h"
#include "sim/results/packet_fates.h"
#include "sim/results/voice.h"
#include "sim/scenario/scenario.h"

namespace sennit {

std::string_view to_string(TrafficKind);

/// From `begin` to `end` of a run's clock; empty when end <= begin.
struct Span {
  Instant begin{}, end{};
  double seconds() const { return end > begin ? to_seconds(end - begin) : 0; }
};

/// What the time series shows of a flow since it was last asked.
struct FlowInterval {
  Bytes received{};
  std::uint64_t delays = 0;  // of packets that arrived
  Duration delay_sum{}, delay_max{};
  std::int64_t lost = 0;  // numbers skipped, minus skipped ones that came after all
};

/// Definitions:
///   goodput     bytes of the application, from the flow's start (or the warm-up's end) to its stop
///               (completion, end of the run)
///   delay       one way: of application packets; of a tcp or web flow's packets through the tunnel
///   jitter      mean |D|, D the change of one-way delay between packets that arrived one after the
///               other (RFC 3550, section 6.4.1, without its smoothing)
///   loss        see PacketFates
///   reordered   arrived with a number below the next expected one (RFC 4737), over all arrived
///   longest gap between arrivals of data while the flow is active: a web page's thinking time and
///               the time after a completed download are not gaps; silence until the end is
///   completion  tcp with `bytes:` - when the last of its flows was done; web - median of its pages
class FlowStatistics {
 public:
  FlowStatistics(const Traffic& traffic, Duration warmup);
  FlowStatistics(const FlowStatistics&) = delete;
  FlowStatistics& operator=(const FlowStatistics&) = delete;

  void packet_sent(Instant now) { fates_.sent(now); }
  void packet_received(std::uint64_t number, Instant sent, Instant now, Bytes size);
  void bytes_received(Instant now, Bytes size);
  void transit(Instant entered, Instant now);
  void completed(Instant now, Duration took);
  void frame(Instant now, bool on_time);

  FlowInterval take_interval();
  /// No more calls than these three after finish().
  void finish(Instant end);
  Bytes received() const { return received_; }
  /// When it was active after the warm-up.
  Span active() const { return active_; }
  nlohmann::ordered_json summary() const;

 private:
  void add_delay(Instant sent, Duration delay);
  void add_arrival(Instant now, Bytes size);
  void add_gap(Instant from, Instant to);
  void decide(Instant sent, std::optional<Duration> delay);
  void follow_order(std::uint64_t number, bool measured);
  std::optional<double> completion_seconds() const;
  bool done() const;

  const Traffic& traffic_;
  const Instant warm_;  // end of the warm-up
  PacketFates fates_;
  VoiceQuality voice_;
  FlowInterval interval_{};
  Span active_{};

  Bytes received_{};
  DurationHistogram delays_;
  std::optional<Duration> last_delay_;
  double jitter_sum_s_ = 0;
  std::uint64_t jitter_samples_ = 0;
  std::uint64_t next_expected_ = 0;
  std::uint64_t arrived_ = 0, reordered_ = 0;
  std::uint64_t decided_ = 0, lost_ = 0;
  std::optional<Instant> last_arrival_;
  bool heard_ = false;
  Duration longest_gap_{};
  DurationHistogram completions_;
  std::optional<Instant> last_completion_;
  std::uint64_t completed_ = 0;
  std::uint64_t frames_ = 0, frames_on_time_ = 0;
};

}  // namespace sennit
