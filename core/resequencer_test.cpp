#include "core/resequencer.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "core/rng.h"
#include "core/wire.h"

namespace sennit {
namespace {

constexpr ClassId bulk{0}, realtime{1}, unordered{2};
constexpr Duration one_way = 30ms;
constexpr Instant start{10s};

std::vector<ClassConfig> three_classes() {
  std::vector<ClassConfig> classes(3);
  classes[0].hold_max = 150ms;
  classes[1].hold_max = 20ms;
  classes[1].realtime = true;
  classes[2].ordered = false;
  return classes;
}

struct Arrival {
  std::uint32_t flow = 1;
  std::uint64_t number = 0;  // in its flow
  ClassId class_id = bulk;
  DataSeq sequence{};  // in its class
  bool operator==(const Arrival&) const = default;
};

struct Receiving {
  std::vector<ClassConfig> classes = three_classes();
  Observer observer{false};
  PacketPool pool{resequence_max + 64, 64};
  Resequencer resequencer{classes, observer};
  std::vector<ArrivalHorizon> horizons{3};

  Receiving() {
    for (ArrivalHorizon& horizon : horizons) horizon.one_way_max = one_way;
  }
  /// Number `number` of a flow; its data sequence is the same unless it is given.
  void push(Instant now, std::uint64_t number, std::uint32_t flow = 1, ClassId class_id = bulk) {
    push(now, {flow, number, class_id, DataSeq{number}});
  }
  void push(Instant now, const Arrival& arrival) {
    Packet packet = pool.allocate();
    ASSERT_TRUE(packet);
    packet.append(20);
    PacketInfo& info = packet.info();
    info.since = now;
    info.sequence = arrival.sequence;
    info.flow_hash = arrival.flow;
    info.flow_sequence =
        static_cast<std::uint32_t>(arrival.number % (1u << wire::flow_sequence_bits));
    info.class_id = arrival.class_id;
    resequencer.push(now, std::move(packet), one_way);
  }
  void advance(Instant now) { resequencer.advance(now, horizons); }
  /// The flow sequences of what is ready, in order.
  std::vector<std::uint32_t> pop_all() {
    std::vector<std::uint32_t> out;
    while (const Packet packet = resequencer.pop()) out.push_back(packet.info().flow_sequence);
    return out;
  }
  std::uint64_t dropped(Drop reason) const {
    return observer.drops()[static_cast<std::size_t>(reason)];
  }
};
using Numbers = std::vector<std::uint32_t>;

// --- order ---

TEST(Resequencer, what_comes_in_order_passes_at_once) {
  Receiving r;
  for (std::uint64_t n = 0; n < 5; ++n) r.push(start, n);
  EXPECT_EQ(r.pop_all(), (Numbers{0, 1, 2, 3, 4}));
  EXPECT_EQ(r.resequencer.held(), 0u);
  EXPECT_EQ(r.resequencer.delivered_packets(), 5u);
  EXPECT_EQ(r.resequencer.delivered_bytes(), 100u);
}

TEST(Resequencer, what_overtook_waits_for_its_predecessors) {
  Receiving r;
  for (const std::uint64_t n : {3u, 1u, 2u}) r.push(start, n);
  EXPECT_TRUE(r.pop_all().empty());
  EXPECT_TRUE(r.resequencer.holds(bulk));
  r.push(start + 1ms, 0);
  EXPECT_EQ(r.pop_all(), (Numbers{0, 1, 2, 3}));
  EXPECT_FALSE(r.resequencer.holds(bulk));
  EXPECT_EQ(r.resequencer.delivered_late(), 0u);
}

TEST(Resequencer, a_filled_gap_releases_up_to_the_next_gap) {
  Receiving r;
  for (const std::uint64_t n : {1u, 2u, 4u, 5u, 7u}) r.push(start, n);
  r.push(start, 0);
  EXPECT_EQ(r.pop_all(), (Numbers{0, 1, 2}));
  r.push(start, 3);
  EXPECT_EQ(r.pop_all(), (Numbers{3, 4, 5}));
  EXPECT_EQ(r.resequencer.held(), 1u);
}

TEST(Resequencer, a_gap_in_one_flow_holds_no_other_flow) {
  Receiving r;
  r.push(start, 1, 1);
  r.push(start, 0, 2);
  r.push(start, 1, 2);
  EXPECT_EQ(r.pop_all(), (Numbers{0, 1}));
  EXPECT_EQ(r.resequencer.held(), 1u);
}

TEST(Resequencer, a_gap_in_one_class_holds_no_other_class_of_the_same_flow) {
  Receiving r;
  r.push(start, 1, 1, bulk);
  r.push(start, 0, 1, realtime);
  EXPECT_EQ(r.pop_all(), Numbers{0});
  EXPECT_TRUE(r.resequencer.holds(bulk));
  EXPECT_FALSE(r.resequencer.holds(realtime));
}

TEST(Resequencer, unordered_classes_pass_through_in_order_of_arrival) {
  Receiving r;
  for (const std::uint64_t n : {5u, 1u, 900'000u, 0u}) r.push(start, n, 1, unordered);
  EXPECT_EQ(r.pop_all(), (Numbers{5, 1, 900'000, 0}));
}

/// Brings the flow from expecting `from` to expecting `to`, mostly in jumps that are followed.
void go_to(Receiving& r, std::uint64_t from, std::uint64_t to) {
  for (; to - from > 200'000; from += 131'072) r.push(start, from + 131'071);
  for (; from < to; ++from) {
    r.push(start, from);
    (void)r.pop_all();
  }
  ASSERT_EQ(r.resequencer.held(), 0u);
}

TEST(Resequencer, order_survives_every_wrap_of_the_flow_sequence) {
  Receiving r;
  constexpr std::uint64_t wrap = 1u << wire::flow_sequence_bits;
  constexpr auto last = static_cast<std::uint32_t>(wrap - 1);
  std::uint64_t expected = 0;
  for (std::uint64_t lap = wrap; lap <= 3 * wrap; lap += wrap) {
    go_to(r, expected, lap - 3);
    for (const std::uint64_t n : {lap + 2, lap - 1, lap, lap - 2, lap + 1, lap - 3})
      r.push(start, n);
    EXPECT_EQ(r.pop_all(), (Numbers{last - 2, last - 1, last, 0, 1, 2}));
    expected = lap + 3;
    r.push(start, lap - 1);
    EXPECT_EQ(r.pop_all(), Numbers{last}) << "late, not far ahead";
  }
  EXPECT_EQ(r.resequencer.delivered_late(), 3u);
}

// --- how gaps end ---

TEST(Resequencer, proof_of_loss_ends_a_gap_at_once_when_no_repair_will_come) {
  Receiving r;
  r.push(start, {1, 1, bulk, DataSeq{10}});
  r.horizons[0].settled = DataSeq{9};
  r.advance(start + 1ms);
  EXPECT_TRUE(r.pop_all().empty()) << "what is missing may be just before sequence 10";
  r.horizons[0].settled = DataSeq{10};
  r.advance(start + 2ms);
  EXPECT_EQ(r.pop_all(), Numbers{1});
}

TEST(Resequencer, proof_for_one_class_says_nothing_about_another) {
  Receiving r;
  r.push(start, 1, 1, bulk);
  r.horizons[1].settled = DataSeq{1000};
  r.advance(start + 1ms);
  EXPECT_TRUE(r.pop_all().empty());
}

TEST(Resequencer, a_proven_gap_stays_open_while_repair_may_come) {
  Receiving r;
  r.push(start, 1);
  r.horizons[0].settled = DataSeq{100};
  r.horizons[0].repair_wait = 60ms;
  r.advance(start + 55ms);
  EXPECT_TRUE(r.pop_all().empty());
  r.push(start + 58ms, 0);  // the repair
  EXPECT_EQ(r.pop_all(), (Numbers{0, 1}));
}

TEST(Resequencer, without_proof_a_deadline_ends_the_gap_when_the_slowest_path_is_due) {
  Receiving r;
  r.horizons[0].one_way_max = one_way + 40ms;
  r.push(start, 1);
  r.advance(start + 40ms);
  EXPECT_TRUE(r.pop_all().empty());
  const Instant due = r.resequencer.next_wake();
  EXPECT_GE(due, start + 40ms);
  EXPECT_LE(due, start + 60ms);
  r.advance(due);
  EXPECT_EQ(r.pop_all(), Numbers{1});
  EXPECT_EQ(r.resequencer.next_wake(), never);
}

TEST(Resequencer, arrivals_that_go_on_do_not_put_off_the_deadline) {
  Receiving r;
  std::size_t delivered = 0;
  for (std::uint64_t n = 1; n <= 400; ++n) {  // 0 never comes
    const Instant now = start + n * Duration{1ms};
    r.push(now, n);
    r.advance(now);
    delivered += r.pop_all().size();
    ASSERT_LE(r.resequencer.held(), 150u);
  }
  EXPECT_EQ(delivered, 400u) << "after the gap ended, nothing is held";
}

TEST(Resequencer, no_gap_is_held_longer_than_its_class_allows) {
  Receiving r;
  for (ArrivalHorizon& horizon : r.horizons) {
    horizon.one_way_max = 10s;
    horizon.repair_wait = 10s;
  }
  r.push(start, 1, 1, bulk);
  r.push(start, 1, 1, realtime);
  r.advance(start);
  EXPECT_EQ(r.resequencer.next_wake(), start + 20ms);
  r.advance(start + 20ms);
  EXPECT_EQ(r.pop_all().size(), 1u);
  r.advance(start + 150ms - 1ns);
  EXPECT_TRUE(r.pop_all().empty());
  r.advance(start + 150ms);
  EXPECT_EQ(r.pop_all().size(), 1u);
}

// A stream that arrives backwards makes a new first packet with every arrival.
TEST(Resequencer, predecessors_that_trickle_in_do_not_prolong_the_hold_of_those_that_wait) {
  Receiving r;
  r.horizons[0].one_way_max = 10s;
  r.push(start, 5);
  r.push(start + 100ms, 3);
  r.advance(start + 100ms);
  EXPECT_LE(r.resequencer.next_wake(), start + 150ms);
  r.advance(start + 150ms);
  const Numbers out = r.pop_all();
  EXPECT_TRUE(std::ranges::find(out, 5u) != out.end()) << "5 has waited for 150 ms";
}

TEST(Resequencer, the_next_wake_is_no_later_than_when_proof_comes_without_news) {
  Receiving r;
  r.horizons[0].one_way_max = 10s;
  r.horizons[0].settles_at = start + 7ms;
  r.push(start, 1);
  r.advance(start + 1ms);
  EXPECT_EQ(r.resequencer.next_wake(), start + 7ms);
}

TEST(Resequencer, ending_a_gap_leaves_the_next_one_to_its_own_proof) {
  Receiving r;
  r.push(start, {1, 1, bulk, DataSeq{10}});
  r.push(start, {1, 3, bulk, DataSeq{20}});
  r.horizons[0].settled = DataSeq{15};
  r.advance(start + 1ms);
  EXPECT_EQ(r.pop_all(), Numbers{1});
  r.horizons[0].settled = DataSeq{20};
  r.advance(start + 2ms);
  EXPECT_EQ(r.pop_all(), Numbers{3});
}

// --- late packets, jumps, bounds ---

/// 1 was delivered without 0.
void give_up_zero(Receiving& r, ClassId class_id) {
  r.push(start, 1, 1, class_id);
  r.advance(start + 1s);
  ASSERT_EQ(r.pop_all(), Numbers{1});
}

TEST(Resequencer, a_late_packet_is_delivered_and_counted) {
  Receiving r;
  give_up_zero(r, bulk);
  r.push(start + 2s, 0);
  EXPECT_EQ(r.pop_all(), Numbers{0});
  EXPECT_EQ(r.resequencer.delivered_late(), 1u);
  r.push(start + 2s, 2);
  EXPECT_EQ(r.pop_all(), Numbers{2}) << "it does not set the order back";
}

TEST(Resequencer, a_late_realtime_packet_is_dropped_and_counted) {
  Receiving r;
  give_up_zero(r, realtime);
  r.push(start + 2s, 0, 1, realtime);
  EXPECT_TRUE(r.pop_all().empty());
  EXPECT_EQ(r.dropped(Drop::late), 1u);
  EXPECT_EQ(r.pool.available(), r.pool.slots());
}

TEST(Resequencer, a_jump_too_far_to_wait_for_is_followed) {
  Receiving r;
  r.push(start, 0);
  r.push(start, 2);
  r.push(start, 1'000'000);
  r.push(start, 1'000'001);
  EXPECT_EQ(r.pop_all(), (Numbers{0, 2, 1'000'000, 1'000'001}));
  EXPECT_EQ(r.resequencer.held(), 0u);
}

TEST(Resequencer, a_full_table_gives_up_a_gap_and_loses_nothing) {
  Receiving r;
  const std::size_t flows = 8;
  std::size_t pushed = 0, delivered = 0;
  for (std::uint64_t n = 1; pushed < resequence_max + 5000; ++n) {
    for (std::uint32_t flow = 0; flow < flows; ++flow, ++pushed) r.push(start, n, flow);
    delivered += r.pop_all().size();
    ASSERT_LE(r.resequencer.held(), resequence_max);
    ASSERT_EQ(delivered + r.resequencer.held(), pushed);
  }
  EXPECT_GT(delivered, 0u);
  r.advance(start + 1h);
  delivered += r.pop_all().size();
  EXPECT_EQ(delivered, pushed);
  EXPECT_EQ(r.pool.available(), r.pool.slots());
}

// The peer gave two packets of a flow the same number: its fault, and not a reason to stop.
TEST(Resequencer, a_number_that_comes_twice_is_dropped_and_counted) {
  Receiving r;
  r.push(start, {1, 5, bulk, DataSeq{10}});
  r.push(start, {1, 5, bulk, DataSeq{11}});
  EXPECT_EQ(r.resequencer.held(), 1u);
  EXPECT_EQ(r.dropped(Drop::duplicate), 1u);
  r.advance(start + 1h);
  EXPECT_EQ(r.pop_all(), Numbers{5});
}

TEST(Resequencer, hold_times_are_counted_by_the_histograms_edges) {
  Receiving r;
  r.push(start, 0);
  r.push(start, 2);
  r.push(start + 3ms, 1);
  const auto histogram = r.resequencer.hold_histogram();
  EXPECT_EQ(histogram.front(), 2u) << "held for less than 1 us";
  for (std::size_t i = 0; i < histogram.size(); ++i) {
    EXPECT_EQ(histogram[i], hold_edges_us[i] > 3000 ? 3u : 2u) << i;
  }
  EXPECT_EQ(histogram.back(), r.resequencer.delivered_packets());
}

}  // namespace
}  // namespace sennit
