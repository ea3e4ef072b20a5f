#include "core/loss_detector.h"

#include <algorithm>
#include <cstdlib>

#include "core/assert.h"

namespace sennit {
namespace {

constexpr std::int64_t packet_threshold = 3;  // RFC 9002 section 6.1.1
constexpr std::uint64_t spurious_depth = 1024;
constexpr double loss_gain = 1.0 / 500;
constexpr double burst_gain = 1.0 / 16;
// Of the bytes behind a delivery sample, this share must have waited for the pacer or the window,
// or the sample says what the flows wanted, not what the path can do.
constexpr double limited_share = 0.85;
// Bursts with pauses between them say nothing either, however long each waited for its pacer.
constexpr double idle_share_max = 0.15;
constexpr auto delivery_span_min = std::chrono::milliseconds{20};

std::uint32_t idle_us(Duration idle) { return static_cast<std::uint32_t>(idle.count() / 1000); }

}  // namespace

LossDetector::LossDetector() : records_(sent_max) {
  outcome_.acknowledged.reserve(sent_max);
  outcome_.lost.reserve(sent_max);
}

bool LossDetector::full() const {
  return next_ - oldest_in_flight_ >= static_cast<std::int64_t>(sent_max - 1);
}

PathSeq LossDetector::on_sent(Instant now, std::size_t size, bool ack_eliciting, bool path_limited,
                              std::span<const RetainedRef> refs, Duration idle) {
  SENNIT_ASSERT(!full() && refs.size() <= bundle_max);
  const PathSeq number = next_;
  next_ = next_.next();
  sent_bytes_ += size;
  if (path_limited) limited_bytes_ += size;
  idle_ += idle;
  SentRecord& record = at(number);
  record = {now,
            limited_bytes_,
            sent_bytes_,
            static_cast<std::uint32_t>(size),
            ack_eliciting ? SentRecord::State::in_flight : SentRecord::State::vacant,
            ack_eliciting,
            false,
            static_cast<std::uint8_t>(refs.size()),
            idle_us(idle_),
            {}};
  std::copy(refs.begin(), refs.end(), record.retained.begin());
  if (ack_eliciting) {
    in_flight_ += bytes_of(size);
    last_eliciting_ = now;
  } else if (oldest_in_flight_ == number) {
    oldest_in_flight_ = next_;  // nothing to wait for
  }
  return number;
}

std::uint64_t LossDetector::sent_bytes_until(Instant at) const {
  std::uint64_t low = ring_floor().value, high = next_.value;  // the first that left later
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (record(PathSeq{middle}).at <= at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == next_.value) return sent_bytes_;
  const SentRecord& later = record(PathSeq{low});
  return later.sent_bytes - later.size;
}

PathSeq LossDetector::first_in_flight(PathSeq from) const {
  PathSeq n = std::max(from, oldest_in_flight_);
  while (n < next_ && record(n).state != SentRecord::State::in_flight) n = n.next();
  return std::min(n, next_);
}

std::optional<Instant> LossDetector::oldest_unanswered() const {
  const PathSeq n = first_in_flight(acknowledged_any_ ? largest_acknowledged_.next() : PathSeq{});
  if (n == next_) return std::nullopt;
  return record(n).at;
}

void LossDetector::acknowledge(PathSeq number) {
  SentRecord& record = at(number);
  if (record.state == SentRecord::State::lost) {
    ++spurious_total_;
    ++outcome_.spurious;
    note_reordering(number);
    record.state = SentRecord::State::acknowledged;
    outcome_.acknowledged.push_back(number);
    return;
  }
  if (record.state == SentRecord::State::forgotten) {  // it never counted as lost
    record.state = SentRecord::State::acknowledged;
    outcome_.acknowledged.push_back(number);
    return;
  }
  if (record.state != SentRecord::State::in_flight) return;
  if (acknowledged_any_ && number < previous_largest_) note_reordering(number);
  record.state = SentRecord::State::acknowledged;
  in_flight_ -= Bytes{record.size};
  outcome_.acknowledged.push_back(number);
  count_fate(false);
}

// Bounded as in RFC 8985 (section 6.2, step 4), or one datagram that somebody held back for seconds
// would hide as many seconds of losses. By two round trips: with 8 ms of jitter on 20 ms each way,
// one round trip took four times as many datagrams for lost that were not.
void LossDetector::note_reordering(PathSeq number) {
  const Duration distance = record(previous_largest_).at - record(number).at;
  reordering_ = std::max(reordering_, std::min(distance, 2 * srtt_));
}

void LossDetector::count_fate(bool lost) {
  ++decided_total_;
  loss_ += ((lost ? 1.0 : 0.0) - loss_) * loss_gain;
  if (lost) ++lost_total_;
  gave_up_any_ |= lost;
}

// By number, not by the order of detection: one report may decide several runs, and two reports
// parts of one.
void LossDetector::count_burst(PathSeq number) {
  bool goes_on = burst_length_ > 0;
  for (PathSeq n = last_lost_.next(); goes_on && n < number; n = n.next()) {
    goes_on = record(n).state == SentRecord::State::vacant;
  }
  last_lost_ = number;
  if (goes_on) {
    ++burst_length_;
    return;
  }
  if (burst_length_ > 0) mean_burst_ += (burst_length_ - mean_burst_) * burst_gain;
  burst_length_ = 1;
  ++bursts_total_;
}

const LossDetector::Outcome& LossDetector::on_report(Instant now, const wire::PathReport& report,
                                                     std::uint32_t report_sent_us) {
  outcome_.acknowledged.clear();
  outcome_.lost.clear();
  outcome_.newest_advanced = false;
  outcome_.spurious = 0;
  outcome_.delivery_rate.reset();
  outcome_.app_limited = true;
  outcome_.stretch = 1;
  outcome_.one_way_us.reset();
  outcome_.ce_marked = 0;
  // A peer that reports what was never sent, or so long ago that its record is another's now.
  if (report.largest >= next_ || report.largest < ring_floor()) return outcome_;

  previous_largest_ = acknowledged_any_ ? largest_acknowledged_ : PathSeq{};
  const bool newest = !acknowledged_any_ || report.largest > largest_acknowledged_;
  // Far behind the newest nothing changes any more; a little behind, a loss may turn out to have
  // been reordering.
  const PathSeq recent{previous_largest_.value - std::min(previous_largest_.value, spurious_depth)};
  for (std::size_t i = report.range_count; i > 0; --i) {
    const wire::AckRange& range = report.ranges[i - 1];
    const PathSeq from = gave_up_any_ ? std::min(recent, oldest_in_flight_) : oldest_in_flight_;
    PathSeq n = std::max({range.first, from, ring_floor()});
    for (; n <= range.last; n = n.next()) acknowledge(n);
  }
  if (newest) {
    largest_acknowledged_ = report.largest;
    acknowledged_any_ = true;
    outcome_.newest_advanced = true;
    measure_rtt(now, report, report_sent_us);
    measure_delivery(report);
    outcome_.ce_marked = static_cast<std::uint16_t>(report.ce_count - ce_count_);
    ce_count_ = report.ce_count;
  }
  detect_losses();
  while (oldest_in_flight_ < next_ &&
         record(oldest_in_flight_).state != SentRecord::State::in_flight) {
    oldest_in_flight_ = oldest_in_flight_.next();
  }
  return outcome_;
}

void LossDetector::detect_losses() {
  const Instant newest_sent = record(largest_acknowledged_).at;
  reordering_ -= reordering_ / 256;
  if (reordering_ < 100us) reordering_ = {};
  const bool reorders = reordering_ > Duration::zero();
  const Duration slack =
      std::max<Duration>(reorders ? reordering_ + reordering_ / 4 : srtt_ / 8, 1ms);
  for (PathSeq n = oldest_in_flight_; n < largest_acknowledged_; n = n.next()) {
    SentRecord& record = at(n);
    if (record.state != SentRecord::State::in_flight) continue;
    const bool by_order = !reorders && largest_acknowledged_ - n >= packet_threshold;
    if (!by_order && newest_sent - record.at < slack) continue;
    record.state = SentRecord::State::lost;
    record.lost_by_time = !by_order;
    in_flight_ -= Bytes{record.size};
    outcome_.lost.push_back(n);
    count_fate(true);
    count_burst(n);
  }
}

void LossDetector::measure_rtt(Instant now, const wire::PathReport& report,
                               std::uint32_t report_sent_us) {
  const SentRecord& newest = record(report.largest);
  const std::uint32_t held_us = report_sent_us - report.largest_arrival_us;
  const Duration held = std::chrono::microseconds{held_us};
  Duration rtt = now - newest.at;
  if (held < rtt) rtt -= held;
  outcome_.one_way_us = report.largest_arrival_us - wire_us(newest.at);
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  Least& slot = rtt_slots_[static_cast<std::size_t>(second.count()) % rtt_slots_.size()];
  if (now - slot.at >= 1s || slot.at > now) slot = {Instant{second}, rtt};
  slot.value = std::min(slot.value, rtt);
  rtt_newest_ = now;
  if (!has_rtt_) {  // RFC 6298 section 2
    srtt_ = rtt;
    rttvar_ = rtt / 2;
    has_rtt_ = true;
    return;
  }
  rttvar_ += (Duration{std::llabs((srtt_ - rtt).count())} - rttvar_) / 4;
  srtt_ += (rtt - srtt_) / 8;
}

// Bytes that arrived over the longer of the times in which they were sent and in which they arrived
// (BBR's rate sample): receiver timestamps make it immune to delayed feedback.
void LossDetector::measure_delivery(const wire::PathReport& report) {
  const SentRecord& newest = record(report.largest);
  DeliveryPoint point{report.received_bytes, report.largest_arrival_us, newest.at,
                      newest.sent_bytes,     newest.limited_bytes,      newest.idle_us};
  const std::size_t last = (points_next_ + points_.size() - 1) % points_.size();
  if (points_size_ > 0) {
    const auto grown = static_cast<std::uint32_t>(report.received_bytes) -
                       static_cast<std::uint32_t>(points_[last].received_bytes);
    point.received_bytes = points_[last].received_bytes + grown;
  }
  const Duration span = std::max<Duration>(rtt_min(), delivery_span_min);
  for (std::size_t i = 0; i < points_size_; ++i) {
    const DeliveryPoint& past = points_[(last + points_.size() - i) % points_.size()];
    const Duration arrived =
        std::chrono::microseconds{static_cast<std::int32_t>(point.arrival_us - past.arrival_us)};
    const Duration over = std::max(arrived, point.sent - past.sent);
    if (over < span) continue;
    outcome_.delivery_rate = BitRate::from(
        Bytes{static_cast<std::int64_t>(point.received_bytes - past.received_bytes)}, over);
    outcome_.stretch = to_seconds(arrived) / std::max(1e-6, to_seconds(point.sent - past.sent));
    const auto sent = static_cast<double>(point.sent_bytes - past.sent_bytes);
    const auto limited = static_cast<double>(point.limited_bytes - past.limited_bytes);
    const Duration idle = std::chrono::microseconds{point.idle_us - past.idle_us};  // wraps
    outcome_.app_limited = limited < limited_share * sent || idle > scaled(over, idle_share_max);
    break;
  }
  points_[points_next_] = point;
  points_next_ = (points_next_ + 1) % points_.size();
  points_size_ = std::min(points_size_ + 1, points_.size());
}

Duration LossDetector::rtt_min() const {
  Duration least = Duration::max();
  for (const Least& slot : rtt_slots_) {
    if (rtt_newest_ - slot.at <= 10s) least = std::min(least, slot.value);
  }
  return least == Duration::max() ? srtt_ : least;
}

Duration LossDetector::report_interval() const {
  return std::clamp<Duration>(srtt_ / 4, 5ms, 25ms);
}

Duration LossDetector::probe_timeout() const {
  if (!has_rtt_) return 300ms;  // before the first answer: twice a long path's round trip
  return srtt_ + std::max(srtt_ / 4, 4 * rttvar_) + report_interval();
}

void LossDetector::forget_in_flight() {
  for (PathSeq n = oldest_in_flight_; n < next_; n = n.next()) {
    SentRecord& record = at(n);
    if (record.state == SentRecord::State::in_flight) record.state = SentRecord::State::forgotten;
  }
  gave_up_any_ |= oldest_in_flight_ < next_;
  oldest_in_flight_ = next_;
  in_flight_ = {};
  last_eliciting_.reset();
}

}  // namespace sennit
