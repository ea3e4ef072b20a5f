// What the loss detector measures: round trips and the rate of delivery.
#include <gtest/gtest.h>

#include <vector>

#include "core/loss_detector.h"
#include "core/path_monitor.h"
#include "core/rng.h"

namespace sennit {
namespace {

constexpr Instant start{100s};

struct Line {
  LossDetector flight;
  PathMonitor peer;

  void send_and_arrive(Instant at, Duration one_way, std::size_t size = 1000, bool limited = true) {
    const PathSeq number = flight.on_sent(at, size, true, limited, {});
    peer.on_arrival(
        {at + one_way, number, wire_us(at), one_way, bytes_of(size), Ecn::not_ect, true});
  }
  const LossDetector::Outcome& report(Instant made, Instant at) {
    return flight.on_report(at, peer.make_report(PathId{0}, made), wire_us(made));
  }
  /// One datagram whose answer comes back at once, `rtt` after it left.
  void round_trip(Instant at, Duration rtt, Duration held = 0ms) {
    send_and_arrive(at, rtt / 2);
    (void)report(at + rtt / 2 + held, at + rtt + held);
  }
};

// --- round trips ---

TEST(LossDetectorRtt, before_the_first_answer_the_round_trip_is_unknown) {
  const LossDetector flight;
  EXPECT_FALSE(flight.has_rtt());
  EXPECT_GT(flight.probe_timeout(), Duration::zero());
}

// By hand: RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|, then SRTT = 7/8 SRTT + 1/8 R.
TEST(LossDetectorRtt, smoothing_follows_rfc_6298) {
  Line line;
  line.round_trip(start, 100ms);
  EXPECT_EQ(line.flight.srtt(), 100ms);
  EXPECT_EQ(line.flight.rttvar(), 50ms);
  line.round_trip(start + 1s, 140ms);
  EXPECT_EQ(line.flight.rttvar(), 47500us);
  EXPECT_EQ(line.flight.srtt(), 105ms);
  line.round_trip(start + 2s, 65ms);
  EXPECT_EQ(line.flight.rttvar(), 45625us);
  EXPECT_EQ(line.flight.srtt(), 100ms);
}

TEST(LossDetectorRtt, the_time_that_the_receiver_held_its_report_does_not_count) {
  Line line;
  line.round_trip(start, 100ms, 25ms);
  EXPECT_EQ(line.flight.srtt(), 100ms);
}

TEST(LossDetectorRtt, a_lying_hold_time_never_makes_it_negative) {
  Line line;
  line.send_and_arrive(start, 10ms);
  wire::PathReport lie = line.peer.make_report(PathId{0}, start + 10ms);
  lie.largest_arrival_us -= 5'000'000;
  (void)line.flight.on_report(start + 20ms, lie, wire_us(start + 10ms));
  EXPECT_GE(line.flight.srtt(), Duration::zero());
  EXPECT_GE(line.flight.rtt_min(), Duration::zero());
}

TEST(LossDetectorRtt, the_least_is_of_the_last_ten_seconds) {
  Line line;
  line.round_trip(start, 20ms);
  for (int i = 1; i <= 9; ++i) line.round_trip(start + i * 1s, 50ms);
  EXPECT_EQ(line.flight.rtt_min(), 20ms);
  for (int i = 10; i <= 13; ++i) line.round_trip(start + i * 1s, 50ms);
  EXPECT_EQ(line.flight.rtt_min(), 50ms);
}

TEST(LossDetectorRtt, after_a_long_silence_the_least_is_what_is_measured_now) {
  Line line;
  line.round_trip(start, 20ms);
  line.round_trip(start + 1h + 5s, 80ms);
  EXPECT_EQ(line.flight.rtt_min(), 80ms);
}

TEST(LossDetectorRtt, reports_come_at_a_quarter_of_it_within_bounds) {
  Line near_path, middle, far_path;
  near_path.round_trip(start, 2ms);
  middle.round_trip(start, 60ms);
  far_path.round_trip(start, 600ms);
  EXPECT_EQ(near_path.flight.report_interval(), 5ms);
  EXPECT_EQ(middle.flight.report_interval(), 15ms);
  EXPECT_EQ(far_path.flight.report_interval(), 25ms);
  EXPECT_GT(middle.flight.probe_timeout(), 60ms);
}

TEST(LossDetectorRtt, one_way_delay_of_the_newest_is_told_across_a_wrap_of_the_clock) {
  Line line;
  const Instant near_wrap{std::chrono::microseconds{(std::int64_t{1} << 32) - 5'000}};
  line.send_and_arrive(near_wrap, 30ms);
  const auto& outcome = line.report(near_wrap + 30ms, near_wrap + 60ms);
  ASSERT_TRUE(outcome.one_way_us);
  EXPECT_EQ(*outcome.one_way_us, 30'000u);
  EXPECT_EQ(line.flight.srtt(), 60ms);
}

// --- delivery rate ---

struct Stream {
  Duration gap = 1ms;  // 1,000 bytes every gap: 8 Mbit/s
  Duration one_way = 20ms;
  bool limited = true;
  Instant first = start;
};

/// Sends the stream for `length`; reports every 10 ms take `way_back(time)`.
template <class WayBack>
std::vector<LossDetector::Outcome> run(Line& line, const Stream& stream, Duration length,
                                       WayBack way_back) {
  struct Back {
    Instant at, made;
    wire::PathReport report;
  };
  std::vector<Back> back;
  std::vector<LossDetector::Outcome> outcomes;
  Instant send_at = stream.first, report_at = stream.first + stream.one_way;
  for (Instant now = stream.first; now < stream.first + length; now += 100us) {
    if (now >= send_at) {
      line.send_and_arrive(now, stream.one_way, 1000, stream.limited);
      send_at += stream.gap;
    }
    if (now >= report_at) {
      back.push_back({now + way_back(now), now, line.peer.make_report(PathId{0}, now)});
      report_at += 10ms;
    }
    for (auto b = back.begin(); b != back.end();) {
      if (b->at > now) {
        ++b;
        continue;
      }
      outcomes.push_back(line.flight.on_report(now, b->report, wire_us(b->made)));
      b = back.erase(b);
    }
  }
  return outcomes;
}

Duration prompt(Instant) { return 20ms; }

TEST(LossDetectorRate, a_steady_stream_is_measured_exactly) {
  Line line;
  const auto outcomes = run(line, {}, 2s, prompt);
  std::size_t measured = 0;
  for (const auto& outcome : outcomes) {
    if (!outcome.delivery_rate) continue;
    ++measured;
    EXPECT_NEAR(outcome.delivery_rate->mbps(), 8, 0.2);
    EXPECT_FALSE(outcome.app_limited);
  }
  EXPECT_GT(measured, outcomes.size() * 3 / 4);
}

TEST(LossDetectorRate, reports_that_were_delayed_and_come_together_change_nothing) {
  Line line;
  // From 1.0 s to 1.3 s everything on the way back waits, and then comes at once.
  const auto outcomes = run(line, {}, 2s, [](Instant made) {
    const bool stalled = made >= start + 1s && made < start + 1300ms;
    return stalled ? start + 1320ms - made : Duration{20ms};
  });
  for (const auto& outcome : outcomes) {
    if (outcome.delivery_rate) {
      EXPECT_NEAR(outcome.delivery_rate->mbps(), 8, 0.2);
    }
  }
}

/// Sends a datagram every `gap`; each arrives when `arrives` says. Reports every 5 ms of arrivals;
/// returns the largest rate that was measured.
template <class Arrives>
double fastest_measured(Duration gap, int datagrams, Arrives arrives) {
  Line line;
  double most = 0;
  Instant report_at = start;
  for (int i = 0; i < datagrams; ++i) {
    const Instant at = start + i * gap;
    const Instant arrival = arrives(at, i);
    line.send_and_arrive(at, arrival - at);
    if (arrival < report_at) continue;
    report_at = arrival + 5ms;
    const auto& outcome = line.report(arrival, arrival + 20ms);
    if (outcome.delivery_rate) most = std::max(most, outcome.delivery_rate->mbps());
  }
  return most;
}

// A radio holds 200 ms of 8 Mbit/s and lets them go at 32 Mbit/s: it was never given more than 8.
TEST(LossDetectorRate, a_link_that_stalls_and_catches_up_does_not_look_fast) {
  Instant last{};
  const double most = fastest_measured(1ms, 3000, [&](Instant at, int) {
    const Duration since = at - start;
    const bool stalled = since % 1s >= 800ms;
    const Instant earliest = stalled ? at - since % 1s + 1s : at;
    return last = std::max(earliest + 20ms, last + 250us);
  });
  EXPECT_GT(most, 7.5);
  EXPECT_LT(most, 11);
}

// 32 Mbit/s are sent, 8 arrive, and the queue grows.
TEST(LossDetectorRate, a_queue_that_builds_is_not_taken_for_speed) {
  const double most =
      fastest_measured(250us, 1000, [](Instant, int i) { return start + 20ms + i * 1ms; });
  EXPECT_NEAR(most, 8, 0.3);
}

TEST(LossDetectorRate, counters_that_wrap_do_not_disturb_it) {
  Line line;
  // 4.3 GB at 1,000 bytes each would take long: begin just before the wrap instead.
  for (int i = 0; i < 400; ++i) line.send_and_arrive(start + i * 1ms, 20ms);
  wire::PathReport report = line.peer.make_report(PathId{0}, start + 500ms);
  report.received_bytes = 0xffffff00;
  (void)line.flight.on_report(start + 520ms, report, wire_us(start + 500ms));
  for (int i = 0; i < 100; ++i) line.send_and_arrive(start + 600ms + i * 1ms, 20ms);
  report = line.peer.make_report(PathId{0}, start + 720ms);
  report.received_bytes = 0xffffff00 + 100'000;  // wraps
  const auto& outcome = line.flight.on_report(start + 740ms, report, wire_us(start + 720ms));
  ASSERT_TRUE(outcome.delivery_rate);
  EXPECT_NEAR(outcome.delivery_rate->mbps(), 100'000 * 8 / 0.3 / 1e6, 0.2);
}

TEST(LossDetectorRate, what_the_application_limited_is_marked_so) {
  Line line;
  const auto limited = run(line, {.gap = 5ms, .limited = false}, 1s, prompt);
  for (const auto& outcome : limited) EXPECT_TRUE(outcome.app_limited);
  const auto busy = run(line, {.gap = 1ms, .limited = true, .first = start + 2s}, 1s, prompt);
  EXPECT_FALSE(busy.back().app_limited);
  const auto idle = run(line, {.gap = 10ms, .limited = false, .first = start + 4s}, 1s, prompt);
  EXPECT_TRUE(idle.back().app_limited);
}

TEST(LossDetectorRate, a_path_that_was_the_limit_half_of_the_time_was_not_the_limit) {
  Line line;
  line.round_trip(start, 40ms);
  for (int i = 0; i < 400; ++i) {
    line.send_and_arrive(start + 50ms + i * 1ms, 20ms, 1000, i % 2 == 0);
  }
  const auto& outcome = line.report(start + 470ms, start + 490ms);
  ASSERT_TRUE(outcome.delivery_rate);
  EXPECT_TRUE(outcome.app_limited);
}

TEST(LossDetectorRate, bursts_with_pauses_between_them_say_nothing_however_long_each_waited) {
  Line line;
  line.round_trip(start, 10ms);
  Instant now = start + 50ms;
  for (int burst = 0; burst < 20; ++burst, now += 80ms) {
    for (int i = 0; i < 20; ++i) {
      const Duration idle = i == 0 ? 76ms : 0ms;
      const Instant at = now + i * 200us;
      const PathSeq number = line.flight.on_sent(at, 1000, true, i > 0, {}, idle);
      line.peer.on_arrival(
          {at + 5ms, number, wire_us(at), 5ms, bytes_of(1000), Ecn::not_ect, true});
    }
    const auto& outcome = line.report(now + 10ms, now + 15ms);
    EXPECT_TRUE(burst == 0 || outcome.app_limited) << "burst " << burst;
  }
}

TEST(LossDetectorRate, says_how_much_longer_packets_arrived_than_were_sent) {
  Line line;
  line.round_trip(start, 20ms);
  for (int i = 0; i < 100; ++i) line.send_and_arrive(start + 50ms + i * 1ms, 10ms + i * 1ms);
  const auto& outcome = line.report(start + 300ms, start + 310ms);
  ASSERT_TRUE(outcome.delivery_rate);
  EXPECT_NEAR(outcome.stretch, 2.0, 0.4);
}

}  // namespace
}  // namespace sennit
