// What was sent on one path and what became of it: acknowledgement, loss, round trip, delivery
// rate.
//
// Every datagram has a record in a ring until its number wraps. REPORTs acknowledge ranges; a
// number is lost when three later ones have arrived, or, once the path has been seen to reorder,
// when one sent so much later has arrived that reordering cannot explain it (RFC 9002 section 6.1,
// RFC 8985). The round trip is what feedback takes: out on this path, back on whichever path the
// report chose.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/bounds.h"
#include "core/path_monitor.h"
#include "core/units.h"
#include "core/wire.h"

namespace sennit {

/// Names one retained inner packet; stale once that packet was released (see retention.h).
struct RetainedRef {
  std::uint32_t value = 0;
  bool operator==(const RetainedRef&) const = default;
};

struct SentRecord {
  enum class State : std::uint8_t { vacant, in_flight, acknowledged, lost, forgotten };
  Instant at{};
  std::uint64_t limited_bytes = 0;  // sent up to here while the path was the limit
  std::uint64_t sent_bytes = 0;     // sent up to here
  std::uint32_t size = 0;
  State state = State::vacant;
  bool ack_eliciting = false;
  bool lost_by_time = false;  // meaningful when lost; else it was by order
  std::uint8_t refs = 0;
  std::uint32_t idle_us;  // that the path had been idle until then, since it began, wrapping
  std::array<RetainedRef, bundle_max> retained{};
};

class LossDetector {
 public:
  LossDetector();

  /// Before the first datagram: its number is this.
  void begin_at(PathSeq first) { first_ = next_ = oldest_in_flight_ = first; }

  /// What a REPORT changed. `acknowledged` and `lost` are numbers; their records stay readable.
  struct Outcome {
    std::vector<PathSeq> acknowledged, lost;  // reused storage, reserved once
    bool newest_advanced = false;
    std::uint32_t spurious = 0;              // acknowledged although given up before
    std::uint16_t ce_marked = 0;             // newly
    std::optional<BitRate> delivery_rate{};  // over about one round trip
    bool app_limited = true;                 // of that rate sample
    double stretch = 1;  // of that rate sample: time of arriving over time of sending
    std::optional<std::uint32_t> one_way_us{};  // of the newest datagram: their clock minus ours
  };

  /// A datagram left now; returns its number. Must not be called when full().
  PathSeq on_sent(Instant now, std::size_t size, bool ack_eliciting, bool path_limited,
                  std::span<const RetainedRef> refs, Duration idle = {});
  PathSeq next_number() const { return next_; }
  /// The ring would overwrite a datagram in flight.
  bool full() const;

  /// `report_sent_us`: the timestamp of the datagram that carried the report.
  const Outcome& on_report(Instant now, const wire::PathReport& report,
                           std::uint32_t report_sent_us);

  const SentRecord& record(PathSeq number) const { return records_[number.value % sent_max]; }
  Bytes in_flight() const { return in_flight_; }
  /// Bytes of all datagrams that left no later than `at`, or that are no longer on record.
  std::uint64_t sent_bytes_until(Instant at) const;
  PathSeq largest_acknowledged() const { return largest_acknowledged_; }
  bool ever_acknowledged() const { return acknowledged_any_; }
  /// When the first ack-eliciting datagram after the newest acknowledged one left; nothing when all
  /// news is in. Its silence is what makes a path suspect.
  std::optional<Instant> oldest_unanswered() const;
  /// The first number from `from` on that is in flight; next_number() when there is none.
  PathSeq first_in_flight(PathSeq from) const;
  std::optional<Instant> last_eliciting_sent() const { return last_eliciting_; }

  bool has_rtt() const { return has_rtt_; }
  Duration srtt() const { return srtt_; }
  Duration rttvar() const { return rttvar_; }
  /// Least of the last 10 s.
  Duration rtt_min() const;
  /// How often the peer reports on this path: clamp(srtt/4, 5 ms, 25 ms).
  Duration report_interval() const;
  /// The longest that an answer usually takes: srtt + max(srtt/4, 4 rttvar) + report interval.
  Duration probe_timeout() const;

  double loss() const { return loss_; }              // smoothed over about 500 datagrams
  double mean_burst() const { return mean_burst_; }  // length of runs of losses, smoothed
  std::uint64_t lost_total() const { return lost_total_; }
  std::uint64_t spurious_total() const { return spurious_total_; }
  std::uint64_t bursts_total() const { return bursts_total_; }
  /// Datagrams whose fate is known: the sample size behind loss().
  std::uint64_t decided_total() const { return decided_total_; }

  /// Everything in flight is taken as gone (the path is down): nothing counts as loss.
  void forget_in_flight();
  /// All datagrams still in flight, oldest first, by number.
  template <class Visitor>
  void for_each_in_flight(Visitor visit) const {
    for (PathSeq n = oldest_in_flight_; n < next_; n = n.next()) {
      if (record(n).state == SentRecord::State::in_flight) visit(n, record(n));
    }
  }

 private:
  SentRecord& at(PathSeq number) { return records_[number.value % sent_max]; }
  /// Numbers below have lost their records to later ones, or never had one.
  PathSeq ring_floor() const {
    return {next_.value - std::min<std::uint64_t>(next_.value - first_.value, sent_max)};
  }
  void acknowledge(PathSeq number);
  void detect_losses();
  void note_reordering(PathSeq number);
  void count_fate(bool lost);
  void count_burst(PathSeq number);
  void measure_rtt(Instant now, const wire::PathReport& report, std::uint32_t report_sent_us);
  void measure_delivery(const wire::PathReport& report);

  std::vector<SentRecord> records_;
  PathSeq first_{}, next_{}, oldest_in_flight_{}, largest_acknowledged_{}, previous_largest_{};
  bool acknowledged_any_ = false;
  bool gave_up_any_ = false;  // what was given up may still be acknowledged
  Bytes in_flight_{};
  std::optional<Instant> last_eliciting_;
  std::uint64_t sent_bytes_ = 0, limited_bytes_ = 0;
  Duration idle_{};

  bool has_rtt_ = false;
  Duration srtt_{}, rttvar_{};
  struct Least {
    Instant at{};
    Duration value = Duration::max();
  };
  std::array<Least, 10> rtt_slots_{};  // one second each
  Instant rtt_newest_{};

  Duration reordering_{};  // largest distance in time by which order was seen broken; decays
  double loss_ = 0, mean_burst_ = 1;
  std::uint32_t burst_length_ = 0;  // of the newest run of losses, which ends at last_lost_
  PathSeq last_lost_{};
  std::uint64_t lost_total_ = 0, spurious_total_ = 0, bursts_total_ = 0, decided_total_ = 0;

  struct DeliveryPoint {
    std::uint64_t received_bytes = 0;
    std::uint32_t arrival_us = 0;
    Instant sent{};
    std::uint64_t sent_bytes = 0, limited_bytes = 0;
    std::uint32_t idle_us = 0;
  };
  std::array<DeliveryPoint, 64> points_{};  // a ring of the last reports that brought news
  std::size_t points_size_ = 0, points_next_ = 0;
  std::uint16_t ce_count_ = 0;
  Outcome outcome_;
};

}  // namespace sennit
