#include "core/path_monitor.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "core/rng.h"

namespace sennit {
namespace {

constexpr Duration interval = 20ms;

/// A monitor that is told of datagrams which took `delay`.
struct Arriving {
  PathMonitor monitor;
  Arriving() { monitor.set_report_interval(interval); }

  void arrive(Instant sent, std::uint64_t number, Duration delay, bool eliciting = true,
              Ecn ecn = Ecn::not_ect, std::size_t size = 1000) {
    monitor.on_arrival(
        {sent + delay, PathSeq{number}, wire_us(sent), delay, bytes_of(size), ecn, eliciting});
  }
  wire::PathReport report(Instant now) { return monitor.make_report(PathId{2}, now); }
};

TEST(PathMonitor, before_anything_arrives_there_is_nothing_to_tell) {
  const Arriving path;
  EXPECT_FALSE(path.monitor.heard());
  EXPECT_FALSE(path.monitor.unreported());
  EXPECT_EQ(path.monitor.report_due(), never);
  EXPECT_EQ(path.monitor.expand(7), PathSeq{7});
}

TEST(PathMonitor, a_report_tells_what_arrived) {
  Arriving path;
  path.arrive(Instant{1s}, 0, 30ms);
  path.arrive(Instant{1s} + 1ms, 1, 31ms, true, Ecn::ce);
  path.arrive(Instant{1s} + 4ms, 4, 30ms, true, Ecn::ect0, 500);
  const wire::PathReport report = path.report(Instant{1s} + 40ms);
  EXPECT_EQ(report.path, 2);
  EXPECT_EQ(report.largest, PathSeq{4});
  EXPECT_EQ(report.largest_arrival_us, wire_us(Instant{1s} + 34ms));
  EXPECT_EQ(report.received_bytes, 2500u);
  EXPECT_EQ(report.ce_count, 1);
  EXPECT_EQ(report.one_way_min_us, 30'000u);
  ASSERT_EQ(report.range_count, 2);
  EXPECT_EQ(report.ranges[0].first, PathSeq{4});
  EXPECT_EQ(report.ranges[0].last, PathSeq{4});
  EXPECT_EQ(report.ranges[1].first, PathSeq{0});
  EXPECT_EQ(report.ranges[1].last, PathSeq{1});
}

TEST(PathMonitor, the_arrival_time_is_that_of_the_largest_though_smaller_ones_came_later) {
  Arriving path;
  path.arrive(Instant{1s}, 5, 30ms);
  path.arrive(Instant{1s} - 1ms, 4, 50ms);
  const wire::PathReport report = path.report(Instant{2s});
  EXPECT_EQ(report.largest, PathSeq{5});
  EXPECT_EQ(report.largest_arrival_us, wire_us(Instant{1s} + 30ms));
  EXPECT_EQ(path.monitor.last_arrival(), Instant{1s} + 30ms);
}

TEST(PathMonitor, counters_are_cumulative_and_the_least_delay_is_of_the_interval) {
  Arriving path;
  path.arrive(Instant{1s}, 0, 10ms, true, Ecn::ce);
  (void)path.report(Instant{1s} + 20ms);  // this one is lost
  path.arrive(Instant{2s}, 1, 25ms, true, Ecn::ce);
  const wire::PathReport report = path.report(Instant{2s} + 40ms);
  EXPECT_EQ(report.received_bytes, 2000u);
  EXPECT_EQ(report.ce_count, 2);
  EXPECT_EQ(report.ranges[0].first, PathSeq{0});
  EXPECT_EQ(report.one_way_min_us, 25'000u);
}

// Receiver's clock minus sender's, in 32 bits: a little ahead or behind, or across the wrap.
TEST(PathMonitor, the_least_delay_is_right_whatever_the_clocks_say) {
  for (const std::int32_t ahead_us : {0, 20'000, -20'000, 2'000'000'000, -2'000'000'000}) {
    Arriving path;
    std::uint64_t number = 0;
    for (const int ms : {30, 10, 20, 40}) {
      const Instant sent = Instant{1s} + number * Duration{100ms};
      path.monitor.on_arrival({sent + Duration{1ms} * ms, PathSeq{number++},
                               wire_us(sent) + static_cast<std::uint32_t>(ahead_us),
                               Duration{1ms} * ms, Bytes{100}, Ecn::not_ect, true});
    }
    EXPECT_EQ(static_cast<std::int32_t>(path.report(Instant{2s}).one_way_min_us),
              10'000 - ahead_us);
  }
}

TEST(PathMonitor, news_is_reported_within_the_interval_and_reporting_ends_it) {
  Arriving path;
  path.arrive(Instant{1s}, 0, 10ms);
  EXPECT_TRUE(path.monitor.unreported());
  EXPECT_LE(path.monitor.report_due(), Instant{1s} + 10ms + interval);
  EXPECT_GT(path.monitor.report_due(), Instant{1s} + 10ms);
  const Instant due = path.monitor.report_due();
  path.arrive(Instant{1s} + 5ms, 1, 10ms);
  EXPECT_EQ(path.monitor.report_due(), due) << "later news must not put off earlier news";
  (void)path.report(due);
  EXPECT_FALSE(path.monitor.unreported());
  EXPECT_EQ(path.monitor.report_due(), never);
}

TEST(PathMonitor, a_gap_is_reported_sooner) {
  Arriving steady, gap;
  for (Arriving* path : {&steady, &gap}) path->arrive(Instant{1s}, 0, 10ms);
  for (Arriving* path : {&steady, &gap}) (void)path->report(Instant{1s} + 30ms);
  steady.arrive(Instant{1s} + 50ms, 1, 10ms);
  gap.arrive(Instant{1s} + 50ms, 2, 10ms);
  EXPECT_LT(gap.monitor.report_due(), steady.monitor.report_due());
}

TEST(PathMonitor, many_gaps_do_not_make_a_storm_of_reports) {
  Arriving path;
  int reports = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {  // every other datagram is lost for a second
    const Instant sent = Instant{1s} + i * Duration{1ms};
    path.arrive(sent, 2 * i, 10ms);
    if (path.monitor.report_due() <= sent + 10ms) {
      (void)path.report(sent + 10ms);
      ++reports;
    }
  }
  EXPECT_LE(reports, 4 * (1s / interval));
  EXPECT_GE(reports, 1s / interval);
}

TEST(PathMonitor, what_needs_no_answer_makes_no_report_due) {
  Arriving path;
  path.arrive(Instant{1s}, 0, 10ms, false);
  path.arrive(Instant{1s}, 5, 10ms, false);
  EXPECT_TRUE(path.monitor.heard());
  EXPECT_FALSE(path.monitor.unreported());
  EXPECT_EQ(path.monitor.report_due(), never);
}

TEST(PathMonitor, a_replayed_or_ancient_number_is_not_fresh) {
  Arriving path;
  using Verdict = PathMonitor::Window::Verdict;
  for (std::uint64_t n = 0; n < 10'000; ++n) path.arrive(Instant{1s}, n, 10ms);
  EXPECT_EQ(path.monitor.check(PathSeq{9'999}), Verdict::seen);
  EXPECT_EQ(path.monitor.check(PathSeq{5'000}), Verdict::seen);
  EXPECT_EQ(path.monitor.check(PathSeq{0}), Verdict::too_old);
  EXPECT_EQ(path.monitor.check(PathSeq{10'000}), Verdict::fresh);
}

TEST(PathMonitor, numbers_expand_around_the_largest_across_a_wrap) {
  Arriving path;
  path.arrive(Instant{1s}, 0xfffffff0, 10ms);
  EXPECT_EQ(path.monitor.expand(0x00000004).value, 0x1'0000'0004u);
  path.arrive(Instant{2s}, 0x1'0000'0004, 10ms);
  EXPECT_EQ(path.monitor.expand(0xffffffff).value, 0xffffffffu);
}

TEST(PathMonitor, delay_and_deviation_follow_the_arrivals) {
  Arriving path;
  for (std::uint64_t n = 0; n < 500; ++n) {
    path.arrive(Instant{1s} + n * Duration{1ms}, n, n % 2 == 0 ? 30ms : 40ms);
  }
  EXPECT_NEAR(to_seconds(path.monitor.one_way()), 0.035, 0.002);
  EXPECT_NEAR(to_seconds(path.monitor.deviation()), 0.005, 0.001);
}

TEST(PathMonitor, a_steady_path_does_not_reorder_and_needs_little_slack) {
  Arriving path;
  for (std::uint64_t n = 0; n < 500; ++n) path.arrive(Instant{1s} + n * Duration{1ms}, n, 30ms);
  EXPECT_FALSE(path.monitor.reorders());
  EXPECT_EQ(path.monitor.reordering_slack(), 2ms);
}

TEST(PathMonitor, slack_covers_the_reordering_that_was_seen_and_shrinks_again) {
  Arriving path;
  for (std::uint64_t n = 0; n < 100; ++n) path.arrive(Instant{1s} + n * Duration{1ms}, n, 30ms);
  path.arrive(Instant{1s} + 101ms, 101, 30ms);
  path.arrive(Instant{1s} + 100ms, 100, 43ms);  // 12 ms after its successor
  EXPECT_TRUE(path.monitor.reorders());
  EXPECT_GE(path.monitor.reordering_slack(), 12ms);
  for (std::uint64_t n = 102; n < 12'000; ++n) {
    path.arrive(Instant{1s} + n * Duration{1ms}, n, 30ms);
  }
  EXPECT_FALSE(path.monitor.reorders());
  EXPECT_EQ(path.monitor.reordering_slack(), 2ms);
}

// Losses and reordering of all kinds: a report always tells exactly what arrived (of what the
// window and the ranges can hold).
TEST(PathMonitor, reports_tell_exactly_what_arrived) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng{seed};
    Arriving path;
    std::set<std::uint64_t> arrived;
    std::uint64_t next = 0;
    for (int i = 0; i < 3000; ++i) {
      std::uint64_t number = next++;
      if (rng.chance(0.02)) number -= std::min<std::uint64_t>(number, rng.below(30));
      if (rng.chance(0.02)) next += rng.below(20);
      if (arrived.contains(number)) continue;
      arrived.insert(number);
      path.arrive(Instant{1s} + i * 1ms, number, 20ms);
      if (!rng.chance(0.1)) continue;
      const wire::PathReport report = path.report(Instant{1s} + i * 1ms);
      ASSERT_EQ(report.largest.value, *arrived.rbegin()) << "seed " << seed;
      std::uint64_t above = report.largest.value + 1;
      for (std::size_t r = 0; r < report.range_count; ++r) {
        for (std::uint64_t n = report.ranges[r].last.value + 1; n < above; ++n) {
          ASSERT_FALSE(arrived.contains(n)) << "seed " << seed << " number " << n;
        }
        above = report.ranges[r].first.value;
        for (std::uint64_t n = above; n <= report.ranges[r].last.value; ++n) {
          ASSERT_TRUE(arrived.contains(n)) << "seed " << seed << " number " << n;
        }
      }
    }
  }
}

}  // namespace
}  // namespace sennit
