#include "sim/results/flow_statistics.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "sim/results/summary.h"

namespace sennit {
namespace {

std::optional<double> ratio(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

bool is_numbered(TrafficKind kind) {
  return kind == TrafficKind::cbr || kind == TrafficKind::voip || kind == TrafficKind::video;
}

}  // namespace

std::string_view to_string(TrafficKind kind) {
  constexpr std::array<std::string_view, 5> names{"tcp", "cbr", "voip", "video", "web"};
  return names.at(static_cast<std::size_t>(kind));
}

FlowStatistics::FlowStatistics(const Traffic& traffic, Duration warmup)
    : traffic_(traffic),
      warm_(Instant{} + warmup),
      fates_([this](Instant sent, std::optional<Duration> delay) { decide(sent, delay); }) {}

void FlowStatistics::packet_received(std::uint64_t number, Instant sent, Instant now, Bytes size) {
  if (!fates_.arrived(number, sent, now)) return;
  follow_order(number, sent >= warm_);
  add_delay(sent, now - sent);
  add_arrival(now, size);
}

void FlowStatistics::bytes_received(Instant now, Bytes size) { add_arrival(now, size); }

void FlowStatistics::transit(Instant entered, Instant now) {
  if (!is_numbered(traffic_.kind)) add_delay(entered, now - entered);
}

void FlowStatistics::completed(Instant now, Duration took) {
  const bool measured = traffic_.kind == TrafficKind::tcp || now - took >= warm_;
  if (measured) completions_.add(took);
  last_completion_ = now;
  ++completed_;
  if (traffic_.kind == TrafficKind::web || done()) last_arrival_.reset();
}

void FlowStatistics::frame(Instant now, bool on_time) {
  if (now < warm_) return;
  ++frames_;
  if (on_time) ++frames_on_time_;
}

FlowInterval FlowStatistics::take_interval() { return std::exchange(interval_, {}); }

void FlowStatistics::finish(Instant end) {
  const Duration grace = std::min<Duration>(delays_.max().value_or(1s) + 100ms, 1s);
  fates_.finish(end, grace);
  const Instant begin = std::max(warm_, Instant{} + traffic_.start);
  Instant stop = traffic_.stop ? std::min(end, Instant{} + *traffic_.stop) : end;
  if (done()) stop = *last_completion_;
  active_ = {begin, std::max(begin, stop)};
  if (last_arrival_) add_gap(*last_arrival_, stop);
  if (!heard_) add_gap(begin, stop);
}

nlohmann::ordered_json FlowStatistics::summary() const {
  const double seconds = active_.seconds();
  nlohmann::ordered_json flow;
  flow["kind"] = to_string(traffic_.kind);
  flow["goodput_mbps"] =
      seconds > 0 ? json_number(static_cast<double>(received_.count) * 8e-6 / seconds) : nullptr;
  flow["completion_s"] = json_number(completion_seconds());
  flow["owd_ms"] = json_quantiles_ms(delays_);
  flow["jitter_ms"] = jitter_samples_ == 0
                          ? nullptr
                          : json_number(jitter_sum_s_ * 1e3 / static_cast<double>(jitter_samples_));
  flow["loss_ratio"] = json_number(ratio(lost_, decided_));
  flow["reordered_ratio"] =
      is_numbered(traffic_.kind) ? json_number(ratio(reordered_, arrived_)) : nullptr;
  flow["longest_gap_ms"] = seconds > 0 ? json_ms(longest_gap_) : nullptr;
  flow["mos"] = traffic_.kind == TrafficKind::voip ? json_number(voice_.mos()) : nullptr;
  flow["frames_on_time_ratio"] = json_number(ratio(frames_on_time_, frames_));
  if (traffic_.kind == TrafficKind::web) {
    flow["pages"] = {{"count", completions_.count()}, {"ms", json_quantiles_ms(completions_)}};
  }
  return flow;
}

void FlowStatistics::add_delay(Instant sent, Duration delay) {
  ++interval_.delays;
  interval_.delay_sum += delay;
  interval_.delay_max = std::max(interval_.delay_max, delay);
  if (sent < warm_) return;
  delays_.add(delay);
  if (last_delay_) {
    jitter_sum_s_ += to_seconds(std::chrono::abs(delay - *last_delay_));
    ++jitter_samples_;
  }
  last_delay_ = delay;
}

void FlowStatistics::add_arrival(Instant now, Bytes size) {
  interval_.received += size;
  if (now >= warm_) received_ += size;
  if (last_arrival_) add_gap(*last_arrival_, now);
  last_arrival_ = now;
  heard_ = true;
}

void FlowStatistics::add_gap(Instant from, Instant to) {
  longest_gap_ = std::max(longest_gap_, to - std::max(from, warm_));
}

void FlowStatistics::decide(Instant sent, std::optional<Duration> delay) {
  if (sent < warm_) return;
  ++decided_;
  if (!delay) ++lost_;
  if (traffic_.kind == TrafficKind::voip) voice_.add(delay);
}

void FlowStatistics::follow_order(std::uint64_t number, bool measured) {
  const bool late = number < next_expected_;
  if (late) {
    --interval_.lost;
  } else {
    interval_.lost += static_cast<std::int64_t>(number - next_expected_);
    next_expected_ = number + 1;
  }
  if (!measured) return;
  ++arrived_;
  if (late) ++reordered_;
}

std::optional<double> FlowStatistics::completion_seconds() const {
  if (completions_.count() == 0) return std::nullopt;
  if (traffic_.kind == TrafficKind::web) return to_seconds(*completions_.quantile(0.5));
  return done() ? std::optional{to_seconds(*completions_.max())} : std::nullopt;
}

/// A download of limited size that has ended with all its flows.
bool FlowStatistics::done() const {
  return traffic_.kind == TrafficKind::tcp && traffic_.bytes &&
         completed_ >= static_cast<std::uint64_t>(traffic_.flows);
}

}  // namespace sennit
