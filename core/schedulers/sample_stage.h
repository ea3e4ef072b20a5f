// The world that the papers on MPTCP's schedulers speak of, for their tests: windows that are open
// or closed, bottlenecks with a queue, acknowledgements, and one send window that all paths share.
#pragma once

#include <algorithm>
#include <deque>
#include <initializer_list>
#include <vector>

#include "core/assert.h"
#include "core/bounds.h"
#include "core/schedulers/sample_paths.h"

namespace sennit::samples {

/// A way to the peer: its bottleneck, and the window of its sender, in bandwidth-delay products.
struct Road {
  double mbps = 10;
  Duration one_way = 20ms;  // each way, without a queue
  double windows = 1;
  std::uint8_t cost = 0;
};

class Stage {
 public:
  Stage(std::string_view algorithm, std::initializer_list<Road> roads) {
    SchedulerConfig config;
    config.algorithm = algorithm;
    scheduler_ = make_scheduler(config);
    for (const Road& road : roads) lanes_.emplace_back(road);
  }

  /// So many packets are there to be sent, now.
  void offer(std::size_t packets) { offered_ += packets; }
  /// New packets keep coming, beside what was offered.
  void offer_at(double mbps) { offered_mbps_ = mbps; }
  void run(Duration d) {
    for (const Instant end = now_ + d; now_ < end; now_ += tick) step();
  }

  Instant now() const { return now_; }
  /// Of all that was bound to a path, by number; may lie in the future.
  const std::vector<Instant>& arrival() const { return arrival_; }
  Instant completion() const { return *std::max_element(arrival_.begin(), arrival_.end()); }
  std::size_t packets_on(std::size_t lane) const { return lanes_[lane].packets; }
  Duration queue_of(std::size_t lane) const { return lanes_[lane].queue(now_); }
  /// How long the receiver holds a packet for its predecessors, at most, of those sent since
  /// `from`.
  Duration longest_hold(std::size_t from) const {
    Instant released{};
    Duration longest{};
    for (std::size_t i = from; i < arrival_.size(); ++i) {
      if (arrival_[i] == never) break;
      released = std::max(released, arrival_[i]);
      longest = std::max(longest, released - arrival_[i]);
    }
    return longest;
  }
  /// Arrived in order within [from, to), per second.
  double goodput_mbps(Instant from, Instant to) const {
    Instant released{};
    std::int64_t bits = 0;
    for (const Instant at : arrival_) {
      released = std::max(released, at);
      if (released >= from && released < to) bits += 8 * size;
    }
    return static_cast<double>(bits) / to_seconds(to - from) * 1e-6;
  }

 private:
  static constexpr Duration tick = 100us;
  static constexpr std::int64_t size = 1400, on_wire = size + overhead_bytes;

  struct Lane {
    explicit Lane(const Road& r)
        : road(r),
          window(
              static_cast<std::int64_t>(r.windows * r.mbps * 1e6 / 8 * 2 * to_seconds(r.one_way))),
          srtt(2 * r.one_way),
          forecast(r.one_way) {}
    Duration queue(Instant now) const { return std::max(Duration::zero(), free_at - now); }

    Road road;
    std::int64_t window;
    Duration srtt, forecast;
    std::deque<std::size_t> queued;  // bound, beyond the window
    struct Sent {
      std::size_t number;
      Instant at, arrives;
    };
    std::deque<Sent> in_flight;
    Instant free_at{};  // the bottleneck
    std::size_t packets = 0;
  };

  void step() {
    for (Lane& lane : lanes_) acknowledge(lane);
    offered_bits_ += offered_mbps_ * 1e6 * to_seconds(tick);
    for (; offered_bits_ >= 8 * size; offered_bits_ -= 8 * size) ++offered_;
    bind();
    for (Lane& lane : lanes_) transmit(lane);
  }
  void acknowledge(Lane& lane) {
    while (!lane.in_flight.empty() && lane.in_flight.front().arrives + lane.road.one_way <= now_) {
      const auto sent = lane.in_flight.front();
      lane.in_flight.pop_front();
      lane.srtt += (now_ - sent.at - lane.srtt) / 8;
      lane.forecast = sent.arrives - sent.at;
      acknowledged_[sent.number] = true;
    }
    while (oldest_ < acknowledged_.size() && acknowledged_[oldest_]) ++oldest_;
  }
  void bind() {
    std::vector<PathView> views;
    for (const Lane& lane : lanes_) views.push_back(view(lane, views.size()));
    while (offered_ > 0 && arrival_.size() - oldest_ < resequence_max) {
      PathMask mask = 0;
      const PacketView packet = full();
      const auto backlog = static_cast<std::int64_t>(offered_) * size;
      scheduler_->assign({now_, views, {&packet, 1}, rng_, backlog}, {&mask, 1});
      if (mask == 0) return;
      SENNIT_ASSERT(std::has_single_bit(mask));
      const auto chosen = static_cast<std::size_t>(std::countr_zero(mask));
      Lane& lane = lanes_[chosen];
      lane.queued.push_back(arrival_.size());
      ++lane.packets;
      arrival_.push_back(never);
      acknowledged_.push_back(false);
      --offered_;
      transmit(lane);
      views[chosen] = view(lane, chosen);
    }
  }
  PathView view(const Lane& lane, std::size_t id) const {
    PathView v = row({.id = static_cast<std::uint8_t>(id),
                      .one_way = lane.road.one_way,
                      .cost = lane.road.cost});
    v.srtt_ns = lane.srtt.count();
    v.one_way_ns = lane.forecast.count();
    v.rate_bps =
        static_cast<std::int64_t>(static_cast<double>(lane.window) * 8 / to_seconds(lane.srtt));
    v.queued_bytes = static_cast<std::int64_t>(lane.queued.size()) * on_wire;
    v.window_bytes =
        lane.window - static_cast<std::int64_t>(lane.in_flight.size()) * on_wire - v.queued_bytes;
    return v;
  }
  void transmit(Lane& lane) {
    const auto wire_time = from_seconds(static_cast<double>(on_wire) * 8e-6 / lane.road.mbps);
    while (!lane.queued.empty() &&
           static_cast<std::int64_t>(lane.in_flight.size()) * on_wire < lane.window) {
      const std::size_t number = lane.queued.front();
      lane.queued.pop_front();
      lane.free_at = std::max(lane.free_at, now_) + wire_time;
      arrival_[number] = lane.free_at + lane.road.one_way;
      lane.in_flight.push_back({number, now_, arrival_[number]});
    }
  }

  std::unique_ptr<Scheduler> scheduler_;
  Rng rng_{1};
  Instant now_{1s};
  std::vector<Lane> lanes_;
  std::size_t offered_ = 0, oldest_ = 0;
  double offered_mbps_ = 0, offered_bits_ = 0;
  std::vector<Instant> arrival_;
  std::vector<bool> acknowledged_;
};

}  // namespace sennit::samples
