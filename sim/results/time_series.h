// Makes rows of 100 ms out of cumulative counters. Links and both tunnels are sampled at the same
// instants but one after the other, so an instant's rows are written when the next one begins.
#pragma once

#include <array>
#include <limits>
#include <memory>
#include <vector>

#include "sim/results/flow_statistics.h"
#include "sim/results/trace_file.h"

namespace sennit {

class TimeSeries {
 public:
  using Flows = std::vector<std::unique_ptr<FlowStatistics>>;
  TimeSeries(const RunIdentity& identity, Flows& flows, TraceFile& file);

  void link_sample(std::size_t link, Direction direction, Instant now, const LinkStats& stats,
                   Duration queueing);
  void tunnel_sample(End end, const Metrics& metrics);
  /// Writes the last instant's rows.
  void finish();

 private:
  static constexpr float unknown = std::numeric_limits<float>::quiet_NaN();
  struct LinkView {
    std::uint64_t carried_before = 0, carried_now = 0;
    float queue_ms = unknown;
  };
  struct TunnelView {
    Metrics before{}, now{};
    bool sampled = false;
  };

  /// What a link could carry, by its configuration and the scenario's events.
  struct Capacity {
    LinkModel model;
    std::size_t next_event = 0;
  };

  void begin_instant(Instant now);
  void write_rows();
  float capacity_mbps(std::size_t link, Direction direction);
  PathRow path_row(End end, std::size_t link_of_variant, double seconds);
  TunnelRow tunnel_row(const TunnelView& view, double seconds) const;
  FlowRow flow_row(const FlowInterval& interval, double seconds) const;

  const Scenario& scenario_;
  Flows& flows_;
  TraceFile& file_;
  std::vector<FlowInterval> intervals_;         // of current_
  std::vector<std::array<LinkView, 2>> links_;  // of the scenario; by Direction
  std::vector<std::array<Capacity, 2>> capacities_;
  std::vector<std::size_t> used_links_;  // of the variant: index into links_
  std::array<TunnelView, 2> tunnels_{};  // by End
  Instant previous_{}, current_{}, flushed_{};
};

}  // namespace sennit
