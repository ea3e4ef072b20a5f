// Rates and traces: what leaves the link, and when, to the nanosecond.
#include "core/link_model/test_drive.h"

namespace sennit {
namespace {

LinkConfig endless_queue(const LinkCapacity& capacity, Duration delay = {}) {
  LinkConfig config = link_of(capacity, delay);
  config.queue = QueuePackets{1000000};
  return config;
}

std::vector<Instant> arrivals(const std::vector<Exit>& exits) {
  std::vector<Instant> instants;
  for (const Exit& exit : exits) instants.push_back(exit.at);
  return instants;
}

TEST(LinkRate, back_to_back_packets_take_bytes_over_rate_exactly) {
  for (const std::int64_t rate : {7'000'000, 333'333, 1'000'000'007}) {
    LinkModel link{endless_queue(BitRate::from_bits_per_second(rate)), Rng{1}, at(0s)};
    offer_burst(link, at(0s), 10000, Bytes{1499});
    const auto exits = run_until(link, never - 1ns);
    ASSERT_EQ(exits.size(), 10000u);
    for (std::int64_t i = 0; i < 10000; ++i) {
      const std::int64_t bits = (i + 1) * 1499 * 8;
      // Whole seconds apart from the rest, so that the reference does not overflow.
      const Duration expected =
          std::chrono::seconds{bits / rate} + Duration{bits % rate * 1'000'000'000 / rate};
      ASSERT_EQ(exits[static_cast<std::size_t>(i)].at, at(expected)) << rate << " bit/s, " << i;
    }
  }
}

TEST(LinkRate, idle_link_adds_transmission_and_propagation) {
  LinkModel link{link_of_mbps(12, 30ms), Rng{1}, at(0s)};
  EXPECT_EQ(link.next_wake(), never);
  link.handle_packet(at(5ms), Bytes{1500}, 42);
  EXPECT_EQ(link.next_wake(), at(36ms));
  EXPECT_FALSE(link.poll_exit(at(36ms - 1ns)));
  const auto exit = link.poll_exit(at(36ms));
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(*exit, (Exit{42, at(36ms), false, 0ns}));
  EXPECT_EQ(link.next_wake(), never);
}

TEST(LinkRate, queueing_delay_is_what_the_next_packet_waits) {
  const auto trace = trace_of({0, 1, 1, 4, 9, 9, 9, 10});
  for (const LinkCapacity& capacity : {LinkCapacity{BitRate::from_mbps(12)}, LinkCapacity{trace}}) {
    LinkModel link{endless_queue(capacity), Rng{1}, at(0s)};
    Rng rng{3};
    std::vector<Duration> expected;
    Instant now = at(0s);
    for (std::uint64_t token = 0; token < 2000; ++token) {
      now += Duration{static_cast<std::int64_t>(rng.below(1'000'000))};
      expected.push_back(link.queueing_delay(now));
      link.handle_packet(now, bytes_of(40 + rng.below(1461)), token);
    }
    for (const Exit& exit : drain_all(link)) {
      const Duration error = exit.queueing - expected[exit.token];
      EXPECT_LE(error, 1ns) << exit;
      EXPECT_GE(error, 0ns) << exit;
    }
  }
}

TEST(LinkRate, packet_in_transmission_finishes_at_the_old_rate) {
  LinkConfig config = link_of_mbps(12);
  LinkModel link{config, Rng{1}, at(0s)};
  offer_burst(link, at(0s), 3, Bytes{1500});
  config.capacity = BitRate::from_mbps(1.2);
  link.configure(at(500us), config);
  EXPECT_EQ(arrivals(run_until(link, at(1s))), (std::vector{at(1ms), at(11ms), at(21ms)}));
}

TEST(LinkRate, zero_rate_stops_the_queue_until_there_is_one_again) {
  LinkConfig config = link_of_mbps(0);
  LinkModel link{config, Rng{1}, at(0s)};
  offer_burst(link, at(0s), 2, Bytes{1500});
  EXPECT_EQ(link.next_wake(), never);
  EXPECT_FALSE(link.poll_exit(at(10s)));
  config.capacity = BitRate::from_mbps(12);
  link.configure(at(10s), config);
  EXPECT_EQ(arrivals(run_until(link, at(20s))), (std::vector{at(10s + 1ms), at(10s + 2ms)}));
}

TEST(LinkTraceModel, carries_what_the_file_says_and_repeats) {
  LinkModel link{endless_queue(trace_of({2, 3, 3, 10})), Rng{1}, at(0s)};
  offer_burst(link, at(0s), 9, Bytes{1500});
  EXPECT_EQ(arrivals(run_until(link, at(1s))),
            (std::vector{at(2ms), at(3ms), at(3ms), at(10ms), at(12ms), at(13ms), at(13ms),
                         at(20ms), at(22ms)}));
}

TEST(LinkTraceModel, end_and_start_of_the_loop_are_the_same_instant) {
  LinkModel link{endless_queue(trace_of({0, 10})), Rng{1}, at(0s)};
  offer_burst(link, at(0s), 5, Bytes{1500});
  EXPECT_EQ(arrivals(run_until(link, at(1s))),
            (std::vector{at(0ms), at(10ms), at(10ms), at(20ms), at(20ms)}));
}

TEST(LinkTraceModel, wastes_opportunities_that_nobody_waits_for) {
  LinkModel link{endless_queue(trace_of({5, 10})), Rng{1}, at(0s)};
  const std::vector offers{at(5ms + 1ns), at(95ms), at(1000ms), at(1000ms), at(1000ms + 1ns)};
  for (const Instant now : offers) link.handle_packet(now, Bytes{1500}, 0);
  EXPECT_EQ(arrivals(drain_all(link)),
            (std::vector{at(10ms), at(95ms), at(1000ms), at(1005ms), at(1010ms)}));
}

TEST(LinkTraceModel, small_packets_share_an_opportunity) {
  LinkModel link{endless_queue(trace_of({10})), Rng{1}, at(0s)};
  offer_burst(link, at(1ms), 4, Bytes{500});
  EXPECT_EQ(arrivals(run_until(link, at(1s))),
            (std::vector{at(10ms), at(10ms), at(10ms), at(20ms)}));
}

TEST(LinkTraceModel, room_left_serves_whoever_comes_at_that_instant_only) {
  LinkModel link{endless_queue(trace_of({10})), Rng{1}, at(0s)};
  for (const Instant now : {at(1ms), at(10ms), at(10ms + 1ns)}) {
    link.handle_packet(now, Bytes{500}, 0);
  }
  EXPECT_EQ(arrivals(drain_all(link)), (std::vector{at(10ms), at(10ms), at(20ms)}));
}

TEST(LinkTraceModel, rest_of_a_packet_goes_with_the_next_opportunity) {
  LinkConfig config = endless_queue(trace_of({10, 15, 30}));
  config.mtu = 9000;
  LinkModel link{config, Rng{1}, at(0s)};
  for (const std::int64_t size : {1000, 1000, 1000, 4000}) {
    link.handle_packet(at(0s), Bytes{size}, 0);
  }
  const auto exits = run_until(link, at(1s));
  EXPECT_EQ(arrivals(exits), (std::vector{at(10ms), at(15ms), at(15ms), at(45ms)}));
  EXPECT_EQ(exits[1].queueing, 10ms);  // its first byte went with the first opportunity
  EXPECT_EQ(exits[3].queueing, 30ms);
}

TEST(LinkTraceModel, packet_that_fills_two_opportunities_takes_no_third) {
  LinkConfig config = endless_queue(trace_of({10, 15, 30}));
  config.mtu = 9000;
  LinkModel link{config, Rng{1}, at(0s)};
  offer_burst(link, at(0s), 2, Bytes{3000});
  EXPECT_EQ(arrivals(run_until(link, at(1s))), (std::vector{at(15ms), at(40ms)}));
}

/// The definition of a trace link, an opportunity at a time.
std::vector<Instant> walk_opportunities(const LinkTrace& trace, std::vector<Instant> offers,
                                        std::vector<std::int64_t> sizes) {
  std::vector<Instant> ends;
  std::size_t head = 0;
  for (Duration loop{}; head < offers.size(); loop += trace.period()) {
    for (const std::uint32_t ms : trace.opportunity_ms) {
      const Instant now = at(loop + std::chrono::milliseconds{ms});
      std::int64_t room = 1500;
      while (head < offers.size() && offers[head] <= now && room > 0) {
        const std::int64_t part = std::min(room, sizes[head]);
        room -= part;
        sizes[head] -= part;
        if (sizes[head] > 0) break;
        ends.push_back(now);
        ++head;
      }
    }
  }
  return ends;
}

TEST(LinkTraceModel, agrees_with_walking_the_opportunities_one_by_one) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng{seed};
    std::vector<std::uint32_t> times;
    for (std::uint64_t i = 0, ms = 0; i < 1 + rng.below(20); ++i) {
      times.push_back(static_cast<std::uint32_t>(ms += rng.below(8)));
    }
    times.back() += times.back() == 0;
    LinkConfig config = endless_queue(trace_of(times));
    config.mtu = 6000;
    LinkModel link{config, Rng{1}, at(0s)};
    std::vector<Instant> offers;
    std::vector<std::int64_t> sizes;
    for (Instant now = at(0s); offers.size() < 100;) {
      offers.push_back(now);
      sizes.push_back(static_cast<std::int64_t>(1 + rng.below(rng.chance(0.1) ? 6000 : 1500)));
      link.handle_packet(now, Bytes{sizes.back()}, 0);
      const auto gap = std::chrono::milliseconds{rng.below(10)};
      now += rng.chance(0.5) ? Duration::zero() : rng.chance(0.1) ? gap * 100 : Duration{gap};
    }
    EXPECT_EQ(arrivals(drain_all(link)), walk_opportunities(LinkTrace{times}, offers, sizes));
  }
}

TEST(LinkTraceModel, trace_goes_on_unless_it_changes) {
  const auto trace = trace_of({7, 10});
  LinkConfig config = endless_queue(trace);
  LinkModel link{config, Rng{1}, at(0s)};
  config.delay = 1ms;
  config.capacity = trace_of({7, 10});  // an equal one, read again
  link.configure(at(5ms), config);
  link.handle_packet(at(5ms), Bytes{1500}, 0);
  EXPECT_EQ(arrivals(run_until(link, at(11ms))), (std::vector{at(8ms)}));
  config.capacity = trace_of({7, 11});  // another one starts when it comes
  link.configure(at(11ms), config);
  link.handle_packet(at(11ms), Bytes{1500}, 0);
  EXPECT_EQ(arrivals(run_until(link, at(1s))), (std::vector{at(11ms + 7ms + 1ms)}));
}

TEST(LinkTraceModel, packet_waiting_for_an_opportunity_takes_a_new_rate_at_once) {
  LinkConfig config = endless_queue(trace_of({1000}));
  LinkModel link{config, Rng{1}, at(0s)};
  link.handle_packet(at(0s), Bytes{1500}, 0);
  config.capacity = BitRate::from_mbps(12);
  link.configure(at(100ms), config);
  EXPECT_EQ(arrivals(run_until(link, at(1s))), (std::vector{at(101ms)}));
}

/// Keeps the link full for `duration` and counts the bytes that leave in [from, to).
Bytes carried_when_full(LinkModel& link, Duration duration, Instant from, Instant to) {
  std::vector<Exit> exits;
  for (Instant now = at(0s); now <= at(duration); now += 1ms) {
    drain(link, now, exits);
    while (link.queued_packets() < 60) link.handle_packet(now, Bytes{1500}, 0);
  }
  drain(link, at(duration), exits);
  const auto within = [&](const Exit& exit) { return exit.at >= from && exit.at < to; };
  return {1500 * std::count_if(exits.begin(), exits.end(), within)};
}

TEST(LinkCapacity, is_what_a_full_trace_link_carries) {
  const auto trace = trace_of({0, 2, 3, 3, 10, 47, 48, 48, 48});
  Rng rng{5};
  for (int i = 0; i < 200; ++i) {
    LinkModel link{endless_queue(trace), Rng{1}, at(0s)};
    const Instant from = at(std::chrono::milliseconds{rng.below(300)});
    const Instant to = from + Duration{static_cast<std::int64_t>(rng.below(500'000'000))};
    EXPECT_EQ(link.capacity_between(from, to), carried_when_full(link, 1s, from, to))
        << from.time_since_epoch().count() << " to " << to.time_since_epoch().count();
  }
}

TEST(LinkCapacity, is_what_a_full_constant_link_carries) {
  LinkModel link{endless_queue(BitRate::from_mbps(37.3)), Rng{1}, at(0s)};
  const Bytes capacity = link.capacity_between(at(100ms), at(900ms));
  EXPECT_EQ(capacity, Bytes{3'730'000});
  const Bytes carried = carried_when_full(link, 1s, at(100ms), at(900ms));
  EXPECT_NEAR(static_cast<double>(carried.count), static_cast<double>(capacity.count), 1500);
}

TEST(LinkCapacity, adds_up_over_adjacent_intervals_and_many_loops) {
  const auto trace = trace_of({0, 2, 3, 3, 10, 48, 48});
  LinkModel link{link_of(trace), Rng{1}, at(1s)};
  Rng rng{9};
  for (int i = 0; i < 1000; ++i) {
    const Instant a = at(std::chrono::milliseconds{rng.below(5000)});
    const Instant b = a + std::chrono::milliseconds{rng.below(200)};
    const Instant c = b + Duration{static_cast<std::int64_t>(rng.below(100'000'000))};
    EXPECT_EQ(link.capacity_between(a, b) + link.capacity_between(b, c),
              link.capacity_between(a, c));
  }
  EXPECT_EQ(link.capacity_between(at(0s), at(1s)), Bytes{0});  // before it started
  EXPECT_EQ(link.capacity_between(at(1s), at(1s + 48s)), Bytes{(7000 - 2) * 1500});
}

TEST(LinkCapacity, is_nothing_while_the_link_is_down) {
  LinkConfig config = link_of_mbps(10);
  for (const LinkState state : {LinkState::blackhole, LinkState::carrier_down}) {
    config.state = state;
    LinkModel link{config, Rng{1}, at(0s)};
    EXPECT_EQ(link.capacity_between(at(0s), at(1s)), Bytes{0});
  }
}

}  // namespace
}  // namespace sennit
