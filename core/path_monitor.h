// What arrives on one path: replay protection, one-way delay and its variation, reordering, and the
// report that tells the sender. Updated by authenticated datagrams only.
//
// One-way delays here are receiver's clock minus sender's timestamp: an unknown constant too large,
// but the same constant on every path, so differences between paths and over time are exact without
// any clock synchronisation.
#pragma once

#include <cstdint>
#include <optional>

#include "core/sequence_window.h"
#include "core/units.h"
#include "core/wire.h"

namespace sennit {

/// Microseconds of an instant as the wire carries them: 32 bits, wrapping after 71 minutes.
constexpr std::uint32_t wire_us(Instant t) {
  return static_cast<std::uint32_t>(t.time_since_epoch().count() / 1000);
}

/// Makes raw 32-bit differences between two hosts' clocks comparable: relative to the first one.
class ClockOffset {
 public:
  Duration relative(std::uint32_t raw_us) {
    if (!base_) base_ = raw_us;
    return std::chrono::microseconds{static_cast<std::int32_t>(raw_us - *base_)};
  }

 private:
  std::optional<std::uint32_t> base_;
};

class PathMonitor {
 public:
  using Window = SequenceWindow<PathSeq, replay_window>;

  struct Arrival {
    Instant at;
    PathSeq number;
    std::uint32_t sent_us;
    Duration one_way;  // relative, see ClockOffset
    Bytes size;        // on the link, with outer headers
    Ecn ecn;
    bool ack_eliciting;
  };

  /// Before the first arrival: the peer's numbers begin here.
  void begin_at(PathSeq first) { first_ = first; }
  Window::Verdict check(PathSeq number) const { return window_.check(number); }
  /// The number that the header's low 32 bits mean.
  PathSeq expand(std::uint32_t wire) const;
  void on_arrival(const Arrival& arrival);

  bool heard() const { return !window_.empty(); }
  Instant last_arrival() const { return largest_at_; }
  Duration one_way() const { return one_way_; }      // smoothed
  Duration deviation() const { return deviation_; }  // mean deviation
  /// Within this time of a later packet, an earlier one may still come on this path: at least 2 ms,
  /// twice the deviation, or what reordering was seen lately.
  Duration reordering_slack() const;
  /// Packets have overtaken each other on this path lately.
  bool reorders() const { return reordering_ > 100us; }

  /// When a report about this path should be sent; never when there is nothing to tell.
  Instant report_due() const { return report_due_; }
  bool unreported() const { return unreported_; }
  /// `interval` is how long news may wait (the sender's feedback clock).
  void set_report_interval(Duration interval) { report_interval_ = interval; }
  /// Fills the report and starts the next interval.
  wire::PathReport make_report(PathId path, Instant now);

 private:
  void measure_reordering(const Arrival& arrival);

  Window window_;
  PathSeq first_{};
  Instant largest_at_{};
  std::uint32_t largest_arrival_us_ = 0;
  Duration one_way_{}, deviation_{};
  bool measured_ = false;
  Duration reordering_{};  // decaying maximum of how much later than its successor a packet came
  std::uint64_t received_bytes_ = 0;
  std::uint16_t ce_count_ = 0;
  std::optional<std::uint32_t> one_way_min_us_;  // of the interval, raw
  std::uint32_t one_way_last_us_ = 0;
  bool unreported_ = false;
  Instant report_due_ = never;
  Instant last_report_{};
  Duration report_interval_ = 10ms;
};

}  // namespace sennit
