#include "core/fq_codel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/inner_packet_samples.h"

namespace sennit {
namespace {

// --- CoDel alone: a queue that always holds plenty and whose packets waited `sojourn` ---

constexpr CodelParameters rfc{5ms, 100ms, Bytes{1514}};
constexpr Bytes plenty{100000};

/// Times (since `start`) of the drops while one packet a millisecond is taken for `length`.
std::vector<Duration> drops(Codel& codel, Instant start, Duration length, Duration sojourn) {
  std::vector<Duration> times;
  for (Instant now = start; now < start + length; now += 1ms) {
    if (codel.must_drop(now, sojourn, plenty, rfc)) times.push_back(now - start);
  }
  return times;
}

TEST(Codel, nothing_is_dropped_below_the_target) {
  Codel codel;
  EXPECT_TRUE(drops(codel, Instant{1s}, 10s, 4999us).empty());
}

TEST(Codel, nothing_is_dropped_within_the_first_interval) {
  Codel codel;
  EXPECT_TRUE(drops(codel, Instant{1s}, 100ms, 1s).empty());
}

TEST(Codel, drops_follow_interval_over_root_of_count_under_constant_overload) {
  Codel codel;
  const auto times = drops(codel, Instant{1s}, 3s, 50ms);
  ASSERT_GT(times.size(), 50u);
  Duration due = 100ms;  // the first interval above the target
  for (std::size_t n = 1; n <= times.size(); ++n) {
    EXPECT_GE(times[n - 1], due) << "drop " << n;
    EXPECT_LT(times[n - 1], due + 1ms) << "drop " << n;  // the next packet after it is due
    due += from_seconds(0.1 / std::sqrt(static_cast<double>(n)));
  }
}

TEST(Codel, one_good_packet_ends_dropping) {
  Codel codel;
  (void)drops(codel, Instant{1s}, 1s, 50ms);
  EXPECT_TRUE(codel.dropping());
  EXPECT_FALSE(codel.must_drop(Instant{2s}, 1ms, plenty, rfc));
  EXPECT_FALSE(codel.dropping());
  EXPECT_TRUE(drops(codel, Instant{2001ms}, 100ms, 50ms).empty());
}

TEST(Codel, a_queue_of_less_than_one_packet_is_never_cut) {
  Codel codel;
  for (Instant now{1s}; now < Instant{5s}; now += 1ms) {
    EXPECT_FALSE(codel.must_drop(now, 1s, Bytes{1514}, rfc));
  }
}

TEST(Codel, soon_after_a_dropping_state_the_rate_starts_where_it_was) {
  Codel codel;
  const auto first = drops(codel, Instant{1s}, 2s, 50ms);
  codel.reset();
  (void)drops(codel, Instant{3050ms}, 101ms, 50ms);  // one drop
  EXPECT_EQ(codel.count(), first.size() - 1);        // the drops since that state's first count
}

TEST(Codel, long_after_a_dropping_state_the_rate_starts_anew) {
  Codel codel;
  (void)drops(codel, Instant{1s}, 2s, 50ms);
  codel.reset();
  (void)drops(codel, Instant{3s} + 16 * rfc.interval, 101ms, 50ms);
  EXPECT_EQ(codel.count(), 1u);
}

// --- queues ---

struct Queues {
  Observer observer{false};
  PacketPool pool{4096};
  FqCodel fq{observer};

  void push(Instant now, std::uint32_t flow, std::size_t size = 1500, Ecn ecn = Ecn::not_ect) {
    Packet p = samples::packet(pool, samples::ipv4({.ecn = ecn, .size = size}));
    p.info().flow_hash = flow;
    p.info().since = now;
    p.info().ecn = ecn;
    p.info().sent_us = serial++;  // a label to recognise it by
    fq.push(std::move(p));
  }
  std::uint64_t dropped(Drop reason) const {
    return observer.drops()[static_cast<std::size_t>(reason)];
  }
  std::uint32_t serial = 0;
};

TEST(FqCodel, a_flow_keeps_its_order) {
  Queues q;
  for (int i = 0; i < 10; ++i) q.push(Instant{}, 7);
  for (std::uint32_t i = 0; i < 10; ++i) EXPECT_EQ(q.fq.pop(Instant{}).info().sent_us, i);
  EXPECT_FALSE(q.fq.pop(Instant{}));
  EXPECT_TRUE(q.fq.empty());
  EXPECT_EQ(q.fq.bytes(), Bytes{0});
}

TEST(FqCodel, flows_whose_hash_shares_the_low_ten_bits_share_a_queue) {
  Queues q;
  for (const std::uint32_t flow : {5u, 5u + 1024u, 5u, 5u + 1024u}) q.push(Instant{}, flow);
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_EQ(q.fq.pop(Instant{}).info().sent_us, i);
}

TEST(FqCodel, a_sparse_flow_overtakes_a_bulk_flow) {
  Queues q;
  for (int i = 0; i < 100; ++i) q.push(Instant{}, 1);
  for (int i = 0; i < 5; ++i) (void)q.fq.pop(Instant{});  // flow 1 is old now
  q.push(Instant{}, 2, 64);
  const Packet next = q.fq.pop(Instant{});
  EXPECT_EQ(next.info().flow_hash, 2u);
  EXPECT_TRUE(next.info().flags & PacketFlag::sparse);
  EXPECT_FALSE(q.fq.pop(Instant{}).info().flags & PacketFlag::sparse);
}

TEST(FqCodel, a_flow_is_sparse_for_one_quantum_only) {
  Queues q;
  for (int i = 0; i < 30; ++i) q.push(Instant{}, 1, 100);
  int sparse = 0;
  while (const Packet p = q.fq.pop(Instant{})) sparse += p.info().flags & PacketFlag::sparse;
  EXPECT_EQ(sparse, 16);  // the 16th begins within 1,514 bytes
}

TEST(FqCodel, flows_that_send_one_packet_at_a_time_do_not_starve_others) {
  Queues q;
  for (int i = 0; i < 100; ++i) q.push(Instant{}, 1);
  for (int i = 0; i < 5; ++i) (void)q.fq.pop(Instant{});  // flow 1 is old now
  std::map<std::uint32_t, int> served;
  for (std::uint32_t i = 0; i < 60; ++i) {
    q.push(Instant{}, 2 + i % 2);  // each is empty when it is asked again
    ++served[q.fq.pop(Instant{}).info().flow_hash];
  }
  EXPECT_GE(served[1], 18);  // about its third of 60
}

TEST(FqCodel, flows_share_bytes_not_packets) {
  Queues q;
  for (int i = 0; i < 300; ++i) q.push(Instant{}, 1, 1500);
  for (int i = 0; i < 3000; ++i) q.push(Instant{}, 2, 150);
  for (int i = 0; i < 300; ++i) q.push(Instant{}, 3, 700);
  std::map<std::uint32_t, std::size_t> bytes;
  for (int i = 0; i < 1000; ++i) {
    const Packet p = q.fq.pop(Instant{});
    bytes[p.info().flow_hash] += p.size();
  }
  for (const std::uint32_t flow : {1u, 2u, 3u}) {
    EXPECT_NEAR(static_cast<double>(bytes[flow]), static_cast<double>(bytes[1]), 2 * 1514) << flow;
  }
}

/// Pushes two packets a millisecond for each of `flows` and pops one a millisecond.
void overload(Queues& q, Duration length, Ecn ecn) {
  for (Instant now{1s}; now < Instant{1s} + length; now += 1ms) {
    q.push(now, 1, 1500, ecn);
    q.push(now, 1, 1500, ecn);
    (void)q.fq.pop(now);
  }
}

TEST(FqCodel, an_overloaded_flow_is_dropped_by_age) {
  Queues q;
  overload(q, 500ms, Ecn::not_ect);
  EXPECT_GE(q.dropped(Drop::queue_aged), 5u);
  EXPECT_EQ(q.fq.ce_marked(), 0u);
}

TEST(FqCodel, ecn_marks_before_it_drops) {
  Queues q;
  overload(q, 500ms, Ecn::ect0);
  EXPECT_EQ(q.dropped(Drop::queue_aged), 0u);
  EXPECT_GE(q.fq.ce_marked(), 5u);
}

TEST(FqCodel, a_marked_packet_says_so_in_its_header) {
  Queues q;
  for (int i = 0; i < 10; ++i) q.push(Instant{1s}, 1, 1500, Ecn::ect1);
  (void)q.fq.pop(Instant{2s});
  const Packet marked = q.fq.pop(Instant{2100ms});
  EXPECT_EQ(marked.info().ecn, Ecn::ce);
  EXPECT_EQ(static_cast<int>(marked.bytes()[1]) & 3, 3);
  EXPECT_EQ(samples::ipv4_checksum(marked.bytes()), 0);
}

TEST(FqCodel, another_flows_standing_queue_costs_a_sparse_flow_nothing) {
  Queues q;
  for (Instant now{1s}; now < Instant{2s}; now += 1ms) {
    q.push(now, 1);
    q.push(now, 1);
    if (now.time_since_epoch() % 20ms == 0ms) q.push(now, 2, 200);
    const Packet p = q.fq.pop(now);
    if (p && p.info().flow_hash == 2) {
      EXPECT_LE(now - p.info().since, 2ms);  // one quantum of the other: two packets
    }
  }
  EXPECT_GT(q.dropped(Drop::queue_aged), 0u);
}

TEST(FqCodel, overflow_takes_from_the_head_of_the_fattest_flow) {
  Queues q;
  for (int i = 0; i < 20; ++i) q.push(Instant{}, 1, 1500);  // 30,000 bytes: labels 0..19
  for (int i = 0; i < 50; ++i) q.push(Instant{}, 2, 100);   // more packets, fewer bytes
  q.fq.drop_from_fattest(Instant{});
  EXPECT_EQ(q.dropped(Drop::queue_full), 10u);  // half of its packets
  EXPECT_EQ(q.fq.packets(), 60u);
  EXPECT_EQ(q.fq.pop(Instant{}).info().sent_us, 10u);  // the oldest are gone
}

TEST(FqCodel, overflow_never_takes_more_than_a_few_at_once) {
  Queues q;
  for (int i = 0; i < 1000; ++i) q.push(Instant{}, 1, 1500);
  q.fq.drop_from_fattest(Instant{});
  EXPECT_EQ(q.dropped(Drop::queue_full), 16u);
  q.push(Instant{}, 2);
  EXPECT_EQ(q.fq.packets(), 985u);
}

TEST(FqCodel, overflow_of_a_single_packet_takes_it) {
  Queues q;
  q.push(Instant{}, 1);
  q.fq.drop_from_fattest(Instant{});
  EXPECT_TRUE(q.fq.empty());
  EXPECT_FALSE(q.fq.pop(Instant{}));
  q.push(Instant{}, 1);
  EXPECT_TRUE(q.fq.pop(Instant{}));
}

}  // namespace
}  // namespace sennit
