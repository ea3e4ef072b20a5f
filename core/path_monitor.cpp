#include "core/path_monitor.h"

#include <cstdlib>

namespace sennit {

PathSeq PathMonitor::expand(std::uint32_t wire) const {
  return PathSeq::expand(wire, 32, window_.empty() ? first_ : window_.largest());
}

void PathMonitor::on_arrival(const Arrival& arrival) {
  const bool newest = window_.empty() || arrival.number > window_.largest();
  const bool gap = !window_.empty() && arrival.number > window_.largest().next();
  reordering_ -= reordering_ / 1024;
  if (!newest) measure_reordering(arrival);
  window_.commit(arrival.number);
  if (newest) {
    largest_at_ = arrival.at;
    largest_arrival_us_ = wire_us(arrival.at);
  }
  received_bytes_ += static_cast<std::uint64_t>(arrival.size.count);
  if (arrival.ecn == Ecn::ce) ++ce_count_;

  const std::uint32_t raw = wire_us(arrival.at) - arrival.sent_us;
  one_way_last_us_ = raw;
  const bool least = !one_way_min_us_ || static_cast<std::int32_t>(raw - *one_way_min_us_) < 0;
  if (least) one_way_min_us_ = raw;
  if (!measured_) {
    one_way_ = arrival.one_way;
    measured_ = true;
  } else {  // gains of RFC 6298
    const Duration error = arrival.one_way - one_way_;
    deviation_ += (Duration{std::llabs(error.count())} - deviation_) / 4;
    one_way_ += error / 8;
  }

  if (!arrival.ack_eliciting) return;
  // A gap is news that repair waits for: tell within a quarter of the interval.
  const Duration wait = gap ? report_interval_ / 4 : report_interval_;
  const Instant due = std::max(arrival.at + wait, last_report_ + report_interval_ / 4);
  report_due_ = std::min(report_due_, due);
  unreported_ = true;
}

// Lateness against the newest packet over-estimates a little (the first later one came before it),
// which is the safe side: a gap is proven lost a little later.
void PathMonitor::measure_reordering(const Arrival& arrival) {
  const Duration late = arrival.at - largest_at_ + Duration{1us};
  const Duration sent_apart = arrival.one_way - one_way_;  // how much slower than usual it was
  reordering_ = std::max({reordering_, late, sent_apart});
}

Duration PathMonitor::reordering_slack() const {
  return std::max({Duration{2ms}, 2 * deviation_, reordering_ + reordering_ / 4});
}

wire::PathReport PathMonitor::make_report(PathId path, Instant now) {
  wire::PathReport report;
  report.path = static_cast<std::uint8_t>(path);
  report.largest = window_.largest();
  report.largest_arrival_us = largest_arrival_us_;
  report.received_bytes = static_cast<std::uint32_t>(received_bytes_);
  report.ce_count = ce_count_;
  report.one_way_min_us = one_way_min_us_.value_or(one_way_last_us_);
  std::array<Window::Range, report_ranges_max> ranges;
  const std::size_t count = window_.ranges(ranges);
  for (std::size_t i = 0; i < count; ++i) report.ranges[i] = {ranges[i].first, ranges[i].last};
  report.range_count = static_cast<std::uint8_t>(count);
  one_way_min_us_.reset();
  unreported_ = false;
  last_report_ = now;
  report_due_ = never;
  return report;
}

}  // namespace sennit
