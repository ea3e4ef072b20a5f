#include "sim/results/time_series.h"

#include <algorithm>

#include "sim/results/tunnel_statistics.h"

namespace sennit {
namespace {

float mbps(std::uint64_t before, std::uint64_t now, double seconds) {
  return static_cast<float>(static_cast<double>(now - before) * 8e-6 / seconds);
}
float to_mbps(std::int64_t bits_per_second) {
  return static_cast<float>(static_cast<double>(bits_per_second) * 1e-6);
}
float to_ms(std::int64_t ns) { return static_cast<float>(static_cast<double>(ns) * 1e-6); }
float to_ms(Duration d) { return to_ms(d.count()); }

std::uint64_t repair_bytes(const Metrics& metrics) {
  std::uint64_t sum = 0;
  for (const PathMetrics& path : metrics.paths) sum += path.repair_bytes;
  return sum;
}

std::uint64_t sent_on_wire(const PathMetrics& path) {
  return path.sent_bytes + udp_ipv4_overhead * path.sent_packets;
}

}  // namespace

TimeSeries::TimeSeries(const RunIdentity& identity, Flows& flows, TraceFile& file)
    : scenario_(identity.scenario),
      flows_(flows),
      file_(file),
      intervals_(flows.size()),
      links_(identity.scenario.links.size()) {
  for (const Link& link : scenario_.links) {
    capacities_.push_back({Capacity{LinkModel(link.up, Rng{0}, Instant{})},
                           Capacity{LinkModel(link.down, Rng{0}, Instant{})}});
  }
  const auto& all = identity.scenario.links;
  for (const std::string& name : identity.variant.links) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Link& link) { return link.name == name; });
    used_links_.push_back(static_cast<std::size_t>(found - all.begin()));
  }
}

void TimeSeries::link_sample(std::size_t link, Direction direction, Instant now,
                             const LinkStats& stats, Duration queueing) {
  begin_instant(now);
  LinkView& view = links_.at(link)[static_cast<std::size_t>(direction)];
  view.carried_now = stats.carried_bytes;
  view.queue_ms = to_ms(queueing);
}

void TimeSeries::tunnel_sample(End end, const Metrics& metrics) {
  begin_instant(metrics.now);
  TunnelView& view = tunnels_[static_cast<std::size_t>(end)];
  view.now = metrics;
  view.sampled = true;
}

void TimeSeries::finish() {
  if (current_ > previous_) write_rows();
}

void TimeSeries::begin_instant(Instant now) {
  if (now <= current_) return;
  if (current_ > previous_) write_rows();
  current_ = now;
  for (std::size_t i = 0; i < flows_.size(); ++i) intervals_[i] = flows_[i]->take_interval();
}

void TimeSeries::write_rows() {
  const double seconds = to_seconds(current_ - previous_);
  for (const End end : {End::a, End::b}) {
    TunnelView& view = tunnels_[static_cast<std::size_t>(end)];
    for (std::size_t i = 0; i < used_links_.size(); ++i) {
      file_.add_path(end, i, path_row(end, i, seconds));
    }
    if (view.sampled) file_.add_tunnel(end, tunnel_row(view, seconds));
    view.before = view.now;
  }
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    file_.add_flow(i, flow_row(intervals_[i], seconds));
  }
  for (auto& link : links_) {
    for (LinkView& view : link) view.carried_before = view.carried_now;
  }
  previous_ = current_;
  if (current_ - flushed_ < 1s) return;
  file_.flush();
  flushed_ = current_;
}

/// From previous_ to current_, split where an event changes the link.
float TimeSeries::capacity_mbps(std::size_t link, Direction direction) {
  Capacity& capacity = capacities_[link][static_cast<std::size_t>(direction)];
  Bytes bytes{};
  Instant from = previous_;
  for (; capacity.next_event < scenario_.events.size(); ++capacity.next_event) {
    const LinkEvent& event = scenario_.events[capacity.next_event];
    const Instant at = Instant{} + event.at;
    if (at >= current_) break;
    if (event.link != scenario_.links[link].name) continue;
    bytes += capacity.model.capacity_between(from, at);
    capacity.model.configure(at, direction == Direction::up ? event.up : event.down);
    from = at;
  }
  bytes += capacity.model.capacity_between(from, current_);
  return mbps(0, static_cast<std::uint64_t>(bytes.count), to_seconds(current_ - previous_));
}

PathRow TimeSeries::path_row(End end, std::size_t link_of_variant, double seconds) {
  const Direction direction = end == End::a ? Direction::up : Direction::down;
  const std::size_t used = used_links_[link_of_variant];
  const LinkView& link = links_[used][static_cast<std::size_t>(direction)];
  PathRow row{};
  row.time_s = seconds_of(current_ - Instant{});
  row.carried_mbps = mbps(link.carried_before, link.carried_now, seconds);
  row.link_queue_ms = link.queue_ms;
  row.capacity_mbps = capacity_mbps(used, direction);
  row.state = row.group = 255;
  const TunnelView& tunnel = tunnels_[static_cast<std::size_t>(end)];
  if (link_of_variant >= paths_max || (tunnel.now.path_mask >> link_of_variant & 1) == 0)
    return row;
  const PathMetrics& path = tunnel.now.paths[link_of_variant];
  row.state = static_cast<std::uint8_t>(path.state);
  row.group = path.group;
  row.inflight_bytes = static_cast<double>(path.inflight_bytes);
  row.inflight_limit_bytes = static_cast<double>(path.inflight_limit_bytes);
  row.queued_bytes = static_cast<double>(path.queued_bytes);
  row.rate_mbps = to_mbps(path.rate_bps);
  row.delivery_rate_mbps = to_mbps(path.delivery_rate_bps);
  row.sent_mbps =
      mbps(sent_on_wire(tunnel.before.paths[link_of_variant]), sent_on_wire(path), seconds);
  row.srtt_ms = to_ms(path.srtt_ns);
  row.one_way_ms = to_ms(path.one_way_ns);
  row.standing_queue_ms = to_ms(path.standing_queue_ns);
  row.loss = static_cast<float>(path.loss);
  return row;
}

TunnelRow TimeSeries::tunnel_row(const TunnelView& view, double seconds) const {
  const auto hold = hold_quantile(view.before, view.now, 0.99);
  return {seconds_of(current_ - Instant{}),
          static_cast<std::uint32_t>(view.now.ingress_packets),
          static_cast<std::uint32_t>(view.now.held_packets),
          mbps(view.before.accepted_bytes, view.now.accepted_bytes, seconds),
          mbps(view.before.delivered_bytes, view.now.delivered_bytes, seconds),
          mbps(outer_bytes(view.before), outer_bytes(view.now), seconds),
          mbps(repair_bytes(view.before), repair_bytes(view.now), seconds),
          hold ? to_ms(*hold) : unknown};
}

FlowRow TimeSeries::flow_row(const FlowInterval& interval, double seconds) const {
  FlowRow row{seconds_of(current_ - Instant{}),
              mbps(0, static_cast<std::uint64_t>(interval.received.count), seconds), unknown,
              unknown, static_cast<std::int32_t>(interval.lost)};
  if (interval.delays == 0) return row;
  row.owd_ms_mean = to_ms(interval.delay_sum) / static_cast<float>(interval.delays);
  row.owd_ms_max = to_ms(interval.delay_max);
  return row;
}

}  // namespace sennit
