// The detector and the real monitor of the other end, without a network between them: each test
// says itself what arrives and when.
#include "core/loss_detector.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "core/path_monitor.h"
#include "core/rng.h"

namespace sennit {
namespace {

constexpr Instant start{100s};
using Outcome = LossDetector::Outcome;

struct Line {
  LossDetector flight;
  PathMonitor peer;

  PathSeq send(Instant at, std::size_t size = 1000, bool eliciting = true, bool limited = true) {
    return flight.on_sent(at, size, eliciting, limited, {});
  }
  void arrive(PathSeq number, Instant at, Ecn ecn = Ecn::not_ect) {
    const SentRecord& record = flight.record(number);
    peer.on_arrival({at, number, wire_us(record.at), at - record.at, Bytes{record.size}, ecn,
                     record.ack_eliciting});
  }
  /// Sends `n` at once, all of which arrive but those in `lost`.
  void burst(Instant at, std::uint64_t n, std::vector<std::uint64_t> lost = {}) {
    for (std::uint64_t i = 0; i < n; ++i) {
      const PathSeq number = send(at);
      if (std::ranges::find(lost, number.value) == lost.end()) arrive(number, at + 20ms);
    }
  }
  /// A report made at `made` that arrives at `at`.
  const Outcome& report(Instant made, Instant at) {
    return flight.on_report(at, peer.make_report(PathId{0}, made), wire_us(made));
  }
  const Outcome& report(Instant made) { return report(made, made + 20ms); }
};

std::vector<std::uint64_t> values(const std::vector<PathSeq>& numbers) {
  std::vector<std::uint64_t> out;
  for (const PathSeq n : numbers) out.push_back(n.value);
  return out;
}
using Numbers = std::vector<std::uint64_t>;

TEST(LossDetector, knows_what_had_left_at_an_instant) {
  Line line;
  EXPECT_EQ(line.flight.sent_bytes_until(start), 0u);
  for (int i = 0; i < 3; ++i) line.send(start + i * Duration{10ms}, 500, i != 1);
  EXPECT_EQ(line.flight.sent_bytes_until(start - 1ns), 0u);
  EXPECT_EQ(line.flight.sent_bytes_until(start), 500u);
  EXPECT_EQ(line.flight.sent_bytes_until(start + 19ms), 1000u);
  EXPECT_EQ(line.flight.sent_bytes_until(start + 1s), 1500u);
}

TEST(LossDetector, counts_what_is_no_longer_on_record_as_having_left) {
  Line line;
  std::uint64_t before = 0;
  for (int i = 0; i < 2 * static_cast<int>(sent_max); ++i) {
    line.send(start + i * Duration{1ms}, 100, false);
    const std::uint64_t left = line.flight.sent_bytes_until(start + 10ms);
    ASSERT_GE(left, before) << i;  // a difference of two answers is never negative
    before = left;
  }
  EXPECT_GT(before, 100u * (sent_max - 1));
}

// --- acknowledgement and loss ---

TEST(LossDetector, what_arrived_is_acknowledged_once) {
  Line line;
  line.burst(start, 3);
  EXPECT_EQ(line.flight.in_flight(), Bytes{3000});
  EXPECT_EQ(values(line.report(start + 30ms).acknowledged), (Numbers{0, 1, 2}));
  EXPECT_EQ(line.flight.in_flight(), Bytes{0});
  EXPECT_EQ(line.flight.largest_acknowledged(), PathSeq{2});
  const Outcome& again = line.report(start + 40ms);
  EXPECT_TRUE(again.acknowledged.empty());
  EXPECT_FALSE(again.newest_advanced);
}

TEST(LossDetector, three_later_arrivals_prove_a_loss_and_two_do_not) {
  Line line;
  line.burst(start, 3, {0});
  EXPECT_TRUE(line.report(start + 30ms).lost.empty());
  line.burst(start, 1);
  EXPECT_EQ(values(line.report(start + 40ms).lost), Numbers{0});
  EXPECT_EQ(line.flight.in_flight(), Bytes{0});
  EXPECT_EQ(line.flight.lost_total(), 1u);
  EXPECT_EQ(line.flight.record(PathSeq{0}).state, SentRecord::State::lost);
}

TEST(LossDetector, one_arrival_that_left_much_later_proves_a_loss_by_time) {
  Line line;
  line.burst(start, 1);
  (void)line.report(start + 30ms);  // a round trip of 40 ms is known
  line.burst(start + 100ms, 1, {1});
  line.burst(start + 200ms, 1);
  EXPECT_EQ(values(line.report(start + 230ms).lost), Numbers{1});
}

TEST(LossDetector, nothing_is_lost_while_nothing_later_arrived) {
  Line line;
  line.burst(start, 10, {5, 6, 7, 8, 9});
  EXPECT_TRUE(line.report(start + 30ms).lost.empty());
  EXPECT_TRUE(line.report(start + 60s).lost.empty());
  EXPECT_EQ(line.flight.in_flight(), Bytes{5000});
}

TEST(LossDetector, a_late_arrival_makes_its_loss_spurious_and_widens_the_patience) {
  Line line;
  line.burst(start, 5, {0});
  ASSERT_EQ(values(line.report(start + 30ms).lost), Numbers{0});
  line.arrive(PathSeq{0}, start + 31ms);  // it had only been overtaken
  const Outcome& late = line.report(start + 40ms);
  EXPECT_EQ(late.spurious, 1u);
  EXPECT_EQ(values(late.acknowledged), Numbers{0});
  EXPECT_EQ(line.flight.spurious_total(), 1u);
}

/// One round of eight datagrams 1 ms apart, the first of which arrives last, after a report.
std::size_t lost_in_a_reordered_round(Line& line, Instant at) {
  std::vector<PathSeq> sent;
  for (int i = 0; i < 8; ++i) sent.push_back(line.send(at + i * 1ms));
  for (std::size_t i = 1; i < 8; ++i) {
    line.arrive(sent[i], at + static_cast<int>(i) * 1ms + 20ms);
  }
  const std::size_t lost = line.report(at + 28ms).lost.size();
  line.arrive(sent[0], at + 28500us);
  (void)line.report(at + 29ms);
  return lost;
}

TEST(LossDetector, once_seen_to_reorder_a_path_is_not_accused_of_loss_for_it_again) {
  Line line;
  EXPECT_EQ(lost_in_a_reordered_round(line, start), 1u);
  for (int round = 1; round < 20; ++round) {
    EXPECT_EQ(lost_in_a_reordered_round(line, start + round * 50ms), 0u) << round;
  }
}

TEST(LossDetector, a_path_that_reorders_still_loses_what_time_proves_lost) {
  Line line;
  (void)lost_in_a_reordered_round(line, start);
  const std::uint64_t next = line.flight.next_number().value;
  line.burst(start + 1s, 1, {next});
  line.burst(start + 2s, 1);
  EXPECT_EQ(values(line.report(start + 2030ms).lost), Numbers{next});
}

TEST(LossDetector, a_report_that_was_overtaken_still_acknowledges_but_is_no_news) {
  Line line;
  line.burst(start, 2, {1});
  const wire::PathReport early = line.peer.make_report(PathId{0}, start + 25ms);
  line.send(start);
  line.arrive(PathSeq{2}, start + 26ms);
  (void)line.report(start + 30ms);
  const Duration srtt = line.flight.srtt();
  const Outcome& outcome = line.flight.on_report(start + 500ms, early, wire_us(start + 25ms));
  EXPECT_FALSE(outcome.newest_advanced);
  EXPECT_EQ(line.flight.srtt(), srtt);
  EXPECT_EQ(line.flight.largest_acknowledged(), PathSeq{2});
}

TEST(LossDetector, what_elicits_no_report_is_neither_in_flight_nor_lost) {
  Line line;
  line.send(start, 1000, false);
  line.burst(start, 8, {});
  EXPECT_EQ(line.flight.in_flight(), Bytes{8000});
  EXPECT_EQ(line.report(start + 30ms).lost.size(), 0u);
  EXPECT_EQ(line.flight.decided_total(), 8u);
}

TEST(LossDetector, losses_are_counted_with_their_bursts) {
  Line line;
  line.burst(start, 40, {3, 10, 11, 12, 20, 21, 22, 23, 24});
  (void)line.report(start + 30ms);
  EXPECT_EQ(line.flight.lost_total(), 9u);
  EXPECT_EQ(line.flight.bursts_total(), 3u);
  EXPECT_EQ(line.flight.decided_total(), 40u);
}

TEST(LossDetector, a_burst_that_two_reports_decide_is_one_burst) {
  Line line;
  line.burst(start, 9, {2, 3, 4, 5, 8});
  ASSERT_EQ(values(line.report(start + 30ms).lost), (Numbers{2, 3, 4}));
  line.burst(start, 8, {9});
  ASSERT_EQ(values(line.report(start + 40ms).lost), (Numbers{5, 8, 9}));
  EXPECT_EQ(line.flight.bursts_total(), 2u);
}

TEST(LossDetector, the_loss_ratio_and_burst_length_converge_to_what_happens) {
  Line line;
  for (int round = 0; round < 500; ++round) {  // bursts of three in a hundred
    const std::uint64_t next = line.flight.next_number().value;
    line.burst(start + round * 50ms, 100, {next + 40, next + 41, next + 42});
    (void)line.report(start + round * 50ms + 30ms);
  }
  EXPECT_NEAR(line.flight.loss(), 0.03, 0.004);
  EXPECT_NEAR(line.flight.mean_burst(), 3, 0.1);
}

TEST(LossDetector, congestion_marks_are_counted_once) {
  Line line;
  for (int i = 0; i < 10; ++i) {
    line.arrive(line.send(start), start + 20ms, i < 4 ? Ecn::ce : Ecn::ect0);
  }
  EXPECT_EQ(line.report(start + 30ms).ce_marked, 4);
  line.burst(start + 50ms, 1);
  EXPECT_EQ(line.report(start + 80ms).ce_marked, 0);
}

TEST(LossDetector, the_oldest_unanswered_is_the_first_after_the_newest_acknowledged) {
  Line line;
  EXPECT_FALSE(line.flight.oldest_unanswered());
  line.burst(start, 2, {0});
  EXPECT_EQ(line.flight.oldest_unanswered(), start);
  (void)line.report(start + 30ms);
  EXPECT_FALSE(line.flight.oldest_unanswered()) << "the path works, though 0 may be lost";
  line.send(start + 40ms, 1000, false);
  line.send(start + 50ms);
  line.send(start + 60ms);
  EXPECT_EQ(line.flight.oldest_unanswered(), start + 50ms);
}

TEST(LossDetector, forgetting_counts_no_loss_and_leaves_nothing_in_flight) {
  Line line;
  line.burst(start, 5, {2, 3, 4});
  (void)line.report(start + 30ms);
  const double loss = line.flight.loss();
  line.flight.forget_in_flight();
  EXPECT_EQ(line.flight.in_flight(), Bytes{0});
  EXPECT_FALSE(line.flight.oldest_unanswered());
  EXPECT_FALSE(line.flight.last_eliciting_sent());
  line.burst(start + 1s, 8);
  EXPECT_TRUE(line.report(start + 1030ms).lost.empty());
  EXPECT_EQ(line.flight.lost_total(), 0u);
  EXPECT_LE(line.flight.loss(), loss);
}

TEST(LossDetector, what_was_forgotten_and_arrives_all_the_same_is_no_spurious_loss) {
  Line line;
  line.burst(start, 5);
  const wire::PathReport late = line.peer.make_report(PathId{0}, start + 30ms);
  line.flight.forget_in_flight();
  const auto& outcome = line.flight.on_report(start + 500ms, late, wire_us(start + 30ms));
  EXPECT_EQ(outcome.acknowledged.size(), 5u);
  EXPECT_EQ(outcome.spurious, 0u);
  EXPECT_EQ(line.flight.spurious_total(), 0u);
  EXPECT_EQ(line.flight.in_flight(), Bytes{0});
}

// --- hostile reports ---

TEST(LossDetector, a_report_about_what_was_never_sent_changes_nothing) {
  Line line;
  line.burst(start, 3);
  wire::PathReport lie = line.peer.make_report(PathId{0}, start + 30ms);
  for (const std::uint64_t largest : {std::uint64_t{3}, std::uint64_t{100}, ~std::uint64_t{0}}) {
    lie.largest = PathSeq{largest};
    lie.ranges[0] = {PathSeq{0}, lie.largest};
    const Outcome& outcome = line.flight.on_report(start + 50ms, lie, wire_us(start));
    EXPECT_TRUE(outcome.acknowledged.empty() && outcome.lost.empty());
    EXPECT_FALSE(outcome.newest_advanced);
  }
  EXPECT_EQ(line.flight.in_flight(), Bytes{3000});
  EXPECT_FALSE(line.flight.has_rtt());
}

TEST(LossDetector, numbers_that_have_left_the_ring_acknowledge_nothing_that_took_their_place) {
  Line line;
  line.burst(start, 8, {2});
  (void)line.report(start + 30ms);  // 2 is lost, so that reports about old numbers are looked at
  const wire::PathReport old = line.peer.make_report(PathId{0}, start + 31ms);
  while (line.flight.next_number().value < sent_max) line.send(start + 1s, 100, false);
  line.burst(start + 2s, 8,
             {sent_max + 0, sent_max + 1, sent_max + 2, sent_max + 3, sent_max + 4, sent_max + 5,
              sent_max + 6, sent_max + 7});
  const Outcome& outcome = line.flight.on_report(start + 3s, old, wire_us(start + 31ms));
  EXPECT_TRUE(outcome.acknowledged.empty());
  EXPECT_EQ(line.flight.in_flight(), Bytes{8000});
}

TEST(LossDetector, a_report_about_what_has_left_the_ring_measures_nothing) {
  Line line;
  line.burst(start, 1);
  const wire::PathReport old = line.peer.make_report(PathId{0}, start + 30ms);
  for (std::size_t i = 0; i < sent_max + 5; ++i) {
    line.send(start + 1s, 100, false);
    if (i == 10) line.flight.forget_in_flight();
  }
  EXPECT_FALSE(line.flight.on_report(start + 2s, old, wire_us(start)).newest_advanced);
  EXPECT_FALSE(line.flight.has_rtt());
}

TEST(LossDetector, lying_reports_never_break_the_books) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Rng rng{seed};
    Line line;
    for (int i = 0; i < 400; ++i) {
      const Instant now = start + i * 10ms;
      for (std::uint64_t n = rng.below(20); n > 0 && !line.flight.full(); --n) {
        line.send(now, 1 + rng.below(1500), rng.chance(0.8), rng.chance(0.5));
      }
      wire::PathReport lie;
      std::uint64_t at = rng.below(line.flight.next_number().value + 3);
      lie.largest = PathSeq{at};
      lie.largest_arrival_us = static_cast<std::uint32_t>(rng.next());
      lie.received_bytes = static_cast<std::uint32_t>(rng.next());
      while (lie.range_count < report_ranges_max) {
        const std::uint64_t first = at - std::min(at, rng.below(30));
        lie.ranges[lie.range_count++] = {PathSeq{first}, PathSeq{at}};
        const std::uint64_t gap = 2 + rng.below(5);
        if (first < gap) break;
        at = first - gap;
      }
      (void)line.flight.on_report(now, lie, static_cast<std::uint32_t>(rng.next()));
      Bytes in_flight{};
      line.flight.for_each_in_flight(
          [&](PathSeq, const SentRecord& record) { in_flight += Bytes{record.size}; });
      ASSERT_EQ(line.flight.in_flight(), in_flight) << "seed " << seed << " step " << i;
    }
  }
}

// --- any history ---

struct Fate {
  bool acknowledged = false, lost = false;
};

/// Books kept beside the detector: every outcome must be possible, and happen once.
void keep_books(const Outcome& outcome, std::map<std::uint64_t, Fate>& fates, const Line& line) {
  std::uint32_t spurious = 0;
  for (const PathSeq n : outcome.acknowledged) {
    Fate& fate = fates[n.value];
    ASSERT_FALSE(fate.acknowledged) << n.value << " twice";
    ASSERT_EQ(line.peer.check(n), PathMonitor::Window::Verdict::seen) << n.value;
    fate.acknowledged = true;
    spurious += fate.lost ? 1 : 0;
  }
  for (const PathSeq n : outcome.lost) {
    Fate& fate = fates[n.value];
    ASSERT_FALSE(fate.acknowledged || fate.lost) << n.value;
    ASSERT_LT(n, line.flight.largest_acknowledged());
    fate.lost = true;
  }
  ASSERT_EQ(outcome.spurious, spurious);
}

// Losses, reordering, lost reports and several laps of the ring.
TEST(LossDetector, every_datagram_has_one_fate_in_any_history) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng{seed};
    Line line;
    std::map<std::uint64_t, Fate> fates;
    std::multimap<Instant, PathSeq> under_way;
    std::uint64_t really_lost = 0;
    for (int i = 0; i < 40'000; ++i) {
      const Instant now = start + i * 1ms;
      const PathSeq number = line.send(now, 1 + rng.below(1500));
      const Duration extra = rng.chance(0.01) ? 1ms * static_cast<int>(rng.below(30)) : 0ms;
      // The end of the run arrives whole, or the last losses could not be proven.
      if (i < 39'900 && rng.chance(0.03)) {
        ++really_lost;
      } else {
        under_way.emplace(now + 20ms + extra, number);
      }
      while (!under_way.empty() && under_way.begin()->first <= now) {
        line.arrive(under_way.begin()->second, under_way.begin()->first);
        under_way.erase(under_way.begin());
      }
      if (i % 10 != 0 || !line.peer.heard()) continue;
      const wire::PathReport report = line.peer.make_report(PathId{0}, now);
      if (rng.chance(0.2)) continue;
      keep_books(line.flight.on_report(now + 20ms, report, wire_us(now)), fates, line);
      if (HasFatalFailure()) return;
    }
    std::uint64_t lost = 0, spurious = 0;
    for (const auto& [number, fate] : fates) {
      lost += fate.lost ? 1 : 0;
      spurious += fate.lost && fate.acknowledged ? 1 : 0;
    }
    EXPECT_EQ(line.flight.lost_total(), lost);
    EXPECT_EQ(line.flight.spurious_total(), spurious);
    EXPECT_EQ(lost - spurious, really_lost);
    EXPECT_LE(line.flight.in_flight().count, 60 * 1500) << "only the last round trip is open";
  }
}

TEST(LossDetector, a_full_ring_says_so_before_anything_is_overwritten) {
  Line line;
  std::uint64_t sent = 0;
  while (!line.flight.full()) line.send(start), ++sent;
  EXPECT_LE(sent, sent_max);
  EXPECT_GE(sent, sent_max - 2);
  EXPECT_EQ(line.flight.in_flight().count, static_cast<std::int64_t>(sent) * 1000);
  line.flight.forget_in_flight();
  EXPECT_FALSE(line.flight.full());
}

}  // namespace
}  // namespace sennit
