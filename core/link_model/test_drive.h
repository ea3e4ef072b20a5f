// How the tests drive links on a virtual clock that starts at 0.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "core/link_model/link_model.h"

namespace sennit {

constexpr Instant at(Duration since_start) { return Instant{since_start}; }

inline LinkConfig link_of(const LinkCapacity& capacity, Duration delay = {}) {
  LinkConfig config;
  config.capacity = capacity;
  config.delay = delay;
  return config;
}
inline LinkConfig link_of_mbps(double mbps, Duration delay = {}) {
  return link_of(BitRate::from_mbps(mbps), delay);
}
inline std::shared_ptr<const LinkTrace> trace_of(std::vector<std::uint32_t> opportunity_ms) {
  return std::make_shared<const LinkTrace>(LinkTrace{std::move(opportunity_ms)});
}

/// All that has left by `now`, in one go.
inline void drain(LinkModel& link, Instant now, std::vector<Exit>& exits) {
  while (const auto exit = link.poll_exit(now)) exits.push_back(*exit);
}
/// Whatever is still to come, looked at only when all is over.
inline std::vector<Exit> drain_all(LinkModel& link) {
  std::vector<Exit> exits;
  drain(link, at(1000s), exits);
  return exits;
}
/// As the contract asks: wakes when the link says so, up to and including `end`.
inline void run_until(LinkModel& link, Instant end, std::vector<Exit>& exits) {
  while (link.next_wake() <= end) drain(link, link.next_wake(), exits);
}
inline std::vector<Exit> run_until(LinkModel& link, Instant end) {
  std::vector<Exit> exits;
  run_until(link, end, exits);
  return exits;
}

/// Offers `count` packets at one instant, with tokens from 0; returns how many were queued.
inline int offer_burst(LinkModel& link, Instant now, int count, Bytes size) {
  int queued = 0;
  for (int i = 0; i < count; ++i) {
    queued += link.handle_packet(now, size, static_cast<std::uint64_t>(i)) == Offer::queued;
  }
  return queued;
}
/// Offers packet i at i * interval, up to `count`, and runs until all have left.
inline std::vector<Exit> send_evenly(LinkModel& link, int count, Duration interval, Bytes size) {
  std::vector<Exit> exits;
  for (int i = 0; i < count; ++i) {
    const Instant now = at(interval * i);
    run_until(link, now, exits);
    EXPECT_EQ(link.handle_packet(now, size, static_cast<std::uint64_t>(i)), Offer::queued);
  }
  run_until(link, never - 1ns, exits);
  return exits;
}

inline bool operator==(const Exit& a, const Exit& b) {
  return a.token == b.token && a.at == b.at && a.lost == b.lost && a.queueing == b.queueing;
}
inline std::ostream& operator<<(std::ostream& out, const Exit& exit) {
  return out << "{token " << exit.token << ", at " << exit.at.time_since_epoch().count() << " ns"
             << (exit.lost ? ", lost" : "") << ", queueing " << exit.queueing.count() << " ns}";
}

}  // namespace sennit
