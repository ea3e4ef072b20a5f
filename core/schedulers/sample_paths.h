// Rows and packets for the tests of schedulers.
#pragma once

#include <bit>
#include <initializer_list>
#include <memory>
#include <vector>

#include "core/scheduler.h"

namespace sennit::samples {

struct Link {
  std::uint8_t id = 0;
  double mbps = 50;
  Duration one_way = 20ms;
  std::int64_t window = 1 << 30;  // bytes
  std::int64_t queued = 0;
  Duration deviation = 0ms;
  std::uint8_t cost = 0;
  std::uint16_t mtu = 1433;
};

inline PathView row(const Link& link) {
  PathView p{};
  p.srtt_ns = 2 * link.one_way.count();
  p.base_one_way_ns = link.one_way.count();
  p.one_way_ns = link.one_way.count();
  p.deviation_ns = link.deviation.count();
  p.rate_bps = BitRate::from_mbps(link.mbps).bits_per_second();
  p.window_bytes = link.window;
  p.queued_bytes = link.queued;
  p.path = link.id;
  p.cost = link.cost;
  p.mtu = link.mtu;
  return p;
}

inline PacketView full(std::uint8_t flags = 0, std::uint32_t flow = 1) {
  return {0, flow, 1400, 2, flags};
}

/// A scheduler with paths in front of it, charged from call to call.
struct Desk {
  Desk(std::string_view algorithm, std::initializer_list<Link> links,
       SchedulerConfig config = SchedulerConfig{}) {
    config.algorithm = algorithm;
    scheduler = make_scheduler(config);
    for (const Link& link : links) paths.push_back(row(link));
  }
  /// The row that takes one more packet; -1 when it is held, -2 when several do.
  int send(PacketView packet = full(), std::int64_t backlog = 0) {
    const PathMask mask = choose(packet, backlog);
    if (mask == 0) return -1;
    if ((mask & (mask - 1)) != 0) return -2;
    return std::countr_zero(mask);
  }
  PathMask choose(PacketView packet = full(), std::int64_t backlog = 0) {
    PathMask mask = 0;
    scheduler->assign({now, paths, {&packet, 1}, rng, backlog, log.get()}, {&mask, 1});
    return mask;
  }
  /// The pacers send for so long.
  void drain(Duration d) {
    now += d;
    for (PathView& p : paths) {
      const auto sent = BitRate::from_bits_per_second(p.rate_bps).sent_in(d).count;
      p.queued_bytes = std::max<std::int64_t>(0, p.queued_bytes - sent);
    }
  }
  double wait_ms(std::size_t i) const {
    return static_cast<double>(paths[i].queued_bytes) * 8e3 /
           static_cast<double>(paths[i].rate_bps);
  }

  /// From now on every decision is explained in `log`.
  void explain() { log = std::make_unique<DecisionLog>(); }

  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<DecisionLog> log;
  std::vector<PathView> paths;
  Instant now{1s};
  Rng rng{1};
};

}  // namespace sennit::samples
