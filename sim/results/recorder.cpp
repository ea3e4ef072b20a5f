#include "sim/results/recorder.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/results/aggregate.h"
#include "sim/results/expectations.h"
#include "sim/results/flow_statistics.h"
#include "sim/results/link_statistics.h"
#include "sim/results/summary.h"
#include "sim/results/time_series.h"
#include "sim/results/trace_file.h"
#include "sim/results/tunnel_statistics.h"

namespace sennit {
namespace {

using Json = nlohmann::ordered_json;

Json run_of(const RunOutcome& outcome) {
  const double simulated = to_seconds(outcome.end - Instant{});
  Json run;
  run["wall_s"] = json_number(outcome.wall_s);
  run["speed"] = outcome.wall_s > 0 ? json_number(simulated / outcome.wall_s) : nullptr;
  run["events"] = outcome.events;
  run["digest"] = fmt::format("{:016x}", outcome.digest);
  run["version"] = sennit_version();
  run["simulated_s"] = json_number(simulated);
  run["partial"] = outcome.interrupted;
  run["inner_mtu"] = outcome.inner_mtu;
  run["outer_overhead"] = outcome.outer_overhead;
  return run;
}

}  // namespace

struct Recorder::State {
  State(RunIdentity who, std::optional<std::filesystem::path> trace_file);

  Json links_summary(double seconds) const;
  Json flows_summary() const;
  std::optional<double> goodput(Direction direction) const;
  std::optional<double> bound(Direction direction, double seconds, const RunOutcome& outcome) const;
  bool uses(const Link& link) const {
    const auto& names = identity.variant.links;
    return std::find(names.begin(), names.end(), link.name) != names.end();
  }

  RunIdentity identity;
  TimeSeries::Flows flows;
  std::vector<std::array<LinkStatistics, 2>> links;  // by Direction
  std::array<TunnelStatistics, 2> tunnels;           // by End
  std::optional<TraceFile> trace;
  std::optional<TimeSeries> series;
};

Recorder::State::State(RunIdentity who, std::optional<std::filesystem::path> trace_file)
    : identity(std::move(who)),
      tunnels{TunnelStatistics{identity.scenario.warmup},
              TunnelStatistics{identity.scenario.warmup}} {
  const Scenario& scenario = identity.scenario;
  for (const Traffic& traffic : scenario.traffic) {
    flows.push_back(std::make_unique<FlowStatistics>(traffic, scenario.warmup));
  }
  for (std::size_t i = 0; i < scenario.links.size(); ++i) {
    links.push_back({LinkStatistics{scenario.warmup}, LinkStatistics{scenario.warmup}});
  }
  if (!trace_file) return;
  trace.emplace(identity, *trace_file);
  series.emplace(identity, flows, *trace);
}

Json Recorder::State::links_summary(double seconds) const {
  Json all = Json::object();
  for (std::size_t i = 0; i < links.size(); ++i) {
    const Link& link = identity.scenario.links[i];
    if (!uses(link)) continue;
    all[link.name] = {{"up", links[i][0].summary(seconds)}, {"down", links[i][1].summary(seconds)}};
  }
  return all;
}

Json Recorder::State::flows_summary() const {
  Json all = Json::object();
  for (std::size_t i = 0; i < flows.size(); ++i) {
    all[identity.scenario.traffic[i].name] = flows[i]->summary();
  }
  return all;
}

std::optional<double> Recorder::State::goodput(Direction direction) const {
  Bytes received{};
  Span active{never, Instant{}};
  for (std::size_t i = 0; i < flows.size(); ++i) {
    const bool up = identity.scenario.traffic[i].from == 'a';
    if (up != (direction == Direction::up) || flows[i]->active().seconds() <= 0) continue;
    received += flows[i]->received();
    active.begin = std::min(active.begin, flows[i]->active().begin);
    active.end = std::max(active.end, flows[i]->active().end);
  }
  if (active.seconds() <= 0) return std::nullopt;
  return static_cast<double>(received.count) * 8e-6 / active.seconds();
}

std::optional<double> Recorder::State::bound(Direction direction, double seconds,
                                             const RunOutcome& outcome) const {
  const auto efficiency = payload_efficiency(outcome.inner_mtu, outcome.outer_overhead);
  if (!efficiency || seconds <= 0) return std::nullopt;
  std::vector<LinkBound> bounds;
  for (std::size_t i = 0; i < links.size(); ++i) {
    const Link& link = identity.scenario.links[i];
    if (!uses(link)) continue;
    const auto bytes = links[i][static_cast<std::size_t>(direction)].deliverable_bytes();
    if (!bytes) return std::nullopt;
    bounds.push_back({*bytes * 8e-6 / seconds, link.shared_bottleneck});
  }
  return bound_mbps(bounds, *efficiency);
}

Recorder::Recorder(RunIdentity identity, std::optional<std::filesystem::path> trace_file)
    : state_(std::make_unique<State>(std::move(identity), std::move(trace_file))) {}

Recorder::~Recorder() = default;

void Recorder::flow_packet_sent(std::size_t flow, Instant now) {
  state_->flows.at(flow)->packet_sent(now);
}

void Recorder::flow_packet_received(std::size_t flow, std::uint64_t number, Instant sent,
                                    Instant now, Bytes size) {
  state_->flows.at(flow)->packet_received(number, sent, now, size);
}

void Recorder::flow_bytes_received(std::size_t flow, Instant now, Bytes size) {
  state_->flows.at(flow)->bytes_received(now, size);
}

void Recorder::flow_transit(std::size_t flow, Instant entered, Instant now) {
  state_->flows.at(flow)->transit(entered, now);
}

void Recorder::flow_completed(std::size_t flow, Instant now, Duration took) {
  state_->flows.at(flow)->completed(now, took);
}

void Recorder::flow_frame(std::size_t flow, Instant now, bool on_time) {
  state_->flows.at(flow)->frame(now, on_time);
}

void Recorder::link_exit(std::size_t link, Direction direction, Instant, const Exit& packet,
                         Bytes size) {
  state_->links.at(link)[static_cast<std::size_t>(direction)].exit(packet, size);
}

void Recorder::link_sample(std::size_t link, Direction direction, Instant now,
                           const LinkStats& stats, Duration queueing) {
  state_->links.at(link)[static_cast<std::size_t>(direction)].sample(now, stats);
  if (state_->series) state_->series->link_sample(link, direction, now, stats, queueing);
}

void Recorder::link_capacity(std::size_t link, Direction direction, Bytes capacity,
                             double mean_loss) {
  state_->links.at(link)[static_cast<std::size_t>(direction)].capacity(capacity, mean_loss);
}

void Recorder::tunnel_trace(End end, std::span<const TraceRecord> records) {
  if (state_->trace) state_->trace->add_packets(end, records);
}

void Recorder::tunnel_sample(End end, const Metrics& metrics) {
  state_->tunnels[static_cast<std::size_t>(end)].sample(metrics);
  if (state_->series) state_->series->tunnel_sample(end, metrics);
}

void Recorder::note(Instant now, const std::string& text) {
  if (state_->trace) state_->trace->add_event(now, text);
}

Json Recorder::finish(const RunOutcome& outcome) {
  const Scenario& scenario = state_->identity.scenario;
  if (state_->series) state_->series->finish();
  for (const auto& flow : state_->flows) flow->finish(outcome.end);
  const double seconds = Span{Instant{} + scenario.warmup, outcome.end}.seconds();
  const auto direction = bulk_direction(scenario.traffic);

  Json summary;
  summary["schema"] = 1;
  summary["scenario"] = scenario.name;
  summary["variant"] = state_->identity.variant.name;
  summary["seed"] = state_->identity.seed;
  summary["backend"] = state_->identity.backend;
  summary["duration_s"] = json_number(to_seconds(scenario.duration));
  summary["warmup_s"] = json_number(to_seconds(scenario.warmup));
  summary["links"] = state_->links_summary(seconds);
  summary["flows"] = state_->flows_summary();
  summary["tunnel"] = {{"a", state_->tunnels[0].summary()}, {"b", state_->tunnels[1].summary()}};
  summary["aggregate"] =
      make_aggregate(direction, direction ? state_->goodput(*direction) : std::nullopt,
                     direction ? state_->bound(*direction, seconds, outcome) : std::nullopt);
  summary["expect"] = Json::array();  // its place in the file; what it says needs "run" too
  summary["run"] = run_of(outcome);
  summary["expect"] = judge_all(scenario.expectations, summary);
  if (state_->trace) state_->trace->finish(outcome.digest, !outcome.interrupted);
  return summary;
}

}  // namespace sennit
