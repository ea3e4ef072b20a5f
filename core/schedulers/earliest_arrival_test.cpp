#include <gtest/gtest.h>

#include "core/schedulers/sample_paths.h"

namespace sennit {
namespace {

using samples::Desk;
using samples::full;

Desk desk(std::initializer_list<samples::Link> links) { return {"earliest-arrival", links}; }

/// Bytes that each path takes while more waits than all can carry.
std::vector<double> carried(Desk& d, Duration length) {
  std::vector<double> bytes(d.paths.size());
  for (Duration t{}; t < length; t += 1ms) {
    for (int i = d.send(); i >= 0; i = d.send()) bytes[static_cast<std::size_t>(i)] += 1400;
    d.drain(1ms);
  }
  return bytes;
}

TEST(EarliestArrival, splits_by_rate_when_delays_are_equal) {
  Desk d = desk({{0, 40, 30ms}, {1, 10, 30ms}});
  const auto bytes = carried(d, 10s);
  EXPECT_NEAR(bytes[0] / bytes[1], 4.0, 0.05);
}

TEST(EarliestArrival, fills_all_links_whatever_their_delays) {
  Desk d = desk({{0, 40, 10ms}, {1, 10, 60ms}, {2, 25, 100ms}});
  const auto bytes = carried(d, 10s);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const double wire = bytes[i] * (1467.0 / 1400.0) * 8 / 10;  // with overhead, bit/s
    EXPECT_NEAR(wire / static_cast<double>(d.paths[i].rate_bps), 1.0, 0.02) << i;
  }
}

TEST(EarliestArrival, queues_the_difference_of_delays_on_the_fast_path_first) {
  Desk d = desk({{0, 50, 20ms}, {1, 50, 70ms}});
  while (d.send() == 0) {
  }
  EXPECT_NEAR(d.wait_ms(0), 50, 0.3);
  EXPECT_GT(d.wait_ms(1), 0);
}

TEST(EarliestArrival, holds_beyond_the_horizon) {
  Desk d = desk({{0, 50, 20ms}, {1, 50, 70ms}});
  while (d.send() >= 0) {
  }
  EXPECT_NEAR(d.wait_ms(0), 55, 0.5);  // the lead and 5 ms of slack
  EXPECT_NEAR(d.wait_ms(1), 5, 0.5);
  d.drain(1ms);
  EXPECT_GE(d.send(), 0);
}

TEST(EarliestArrival, a_single_path_commits_no_more_than_the_slack) {
  Desk d = desk({{0, 50, 20ms}});
  while (d.send() >= 0) {
  }
  EXPECT_NEAR(d.wait_ms(0), 5, 0.3);
}

TEST(EarliestArrival, a_thin_link_is_used_although_one_packet_takes_it_longer_than_the_slack) {
  Desk d = desk({{0, 40, 20ms}, {1, 1, 20ms}});  // 11 ms a packet
  const auto bytes = carried(d, 10s);
  EXPECT_GT(bytes[1], 0.9 * 1e6 / 8 * 10 * 1400 / 1467);
}

TEST(EarliestArrival, a_path_beyond_spread_max_carries_nothing) {
  Desk d = desk({{0, 10, 20ms}, {1, 50, 175ms}});
  const auto bytes = carried(d, 2s);
  EXPECT_EQ(bytes[1], 0);
  EXPECT_LT(d.wait_ms(0), 7);  // and does not make the fast path queue for it
}

TEST(EarliestArrival, a_costly_path_is_used_only_when_the_cheap_ones_are_full) {
  Desk d = desk({{0, 20, 40ms}, {.id = 1, .mbps = 50, .one_way = 20ms, .cost = 1}});
  int cheap = 0;
  while (d.send() == 0) ++cheap;
  EXPECT_NEAR(d.wait_ms(0), 5, 0.7);
  EXPECT_GT(cheap, 5);
  EXPECT_GT(d.paths[1].queued_bytes, 0);
}

TEST(EarliestArrival, a_costly_path_idles_while_the_cheap_one_suffices) {
  Desk d = desk({{0, 20, 40ms}, {.id = 1, .mbps = 50, .one_way = 20ms, .cost = 1}});
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(d.send(), 0);
    d.drain(1ms);
  }
}

TEST(EarliestArrival, jitter_counts_twice_for_realtime) {
  const auto links = {samples::Link{.one_way = 20ms, .deviation = 10ms},
                      samples::Link{.id = 1, .one_way = 31ms, .deviation = 1ms}};
  EXPECT_EQ(Desk("earliest-arrival", links).send(), 0);
  EXPECT_EQ(Desk("earliest-arrival", links).send(full(PacketView::realtime)), 1);
}

TEST(EarliestArrival, a_sparse_packet_overtakes_the_deliberate_queue) {
  Desk d = desk({{0, 50, 20ms, 1 << 30, 300000}, {1, 50, 60ms}});  // 48 ms of queue
  EXPECT_EQ(d.send(full(PacketView::sparse)), 0);
  EXPECT_EQ(d.send(), 1);
}

TEST(EarliestArrival, many_sparse_packets_are_bounded_too) {
  Desk d = desk({{0, 50, 20ms}});
  while (d.send(full(PacketView::sparse)) >= 0) {
  }
  EXPECT_NEAR(d.wait_ms(0), 10, 0.3);  // twice the slack
}

TEST(EarliestArrival, bytes_beyond_the_window_count_as_waiting) {
  Desk d = desk({{.id = 0, .one_way = 20ms, .window = -200000}, {1, 50, 40ms}});  // 32 ms
  EXPECT_EQ(d.send(), 1);
  d.paths[0].window_bytes = -50000;  // 8 ms
  EXPECT_EQ(d.send(), 0);
}

TEST(EarliestArrival, a_closed_window_holds_a_lone_path) {
  Desk d = desk({{.id = 0, .window = -50000}});
  EXPECT_EQ(d.send(), -1);
}

TEST(EarliestArrival, a_packet_goes_where_it_fits) {
  Desk d = desk({{.id = 0, .one_way = 10ms, .mtu = 1233}, {1, 50, 60ms}});
  EXPECT_EQ(d.send(), 1);
  EXPECT_EQ(d.send({0, 1, 1233, 2, 0}), 0);
}

}  // namespace
}  // namespace sennit
