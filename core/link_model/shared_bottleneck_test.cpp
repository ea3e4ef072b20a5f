#include "core/link_model/test_drive.h"

namespace sennit {
namespace {

/// Two links of 12 Mbit/s together: a 1,500-byte packet takes 1 ms.
struct Pair {
  explicit Pair(LinkConfig config = link_of_mbps(12)) : a{config, Rng{1}, at(0s), shared} {}
  std::shared_ptr<SharedBottleneck> shared = std::make_shared<SharedBottleneck>();
  LinkModel a;
  LinkModel b{link_of_mbps(99, 5ms), Rng{2}, at(0s), shared};  // its own rate does not matter
};

/// Offers to both, every `a_every` and `b_every`, for 10 s; carried bytes are then in the counters.
void load(Pair& pair, Duration a_every, Duration b_every) {
  std::vector<Exit> exits;
  const auto offer = [&](LinkModel& link, Instant now) {
    drain(link, now, exits);
    link.handle_packet(now, Bytes{1500}, 0);
  };
  for (Duration now{}; now < 10s; now += 100us) {
    if (now % a_every == 0ns) offer(pair.a, at(now));
    if (now % b_every == 0ns) offer(pair.b, at(now));
  }
  drain(pair.a, at(10s), exits);
  drain(pair.b, at(10s), exits);
}

TEST(SharedBottleneck, two_full_links_add_up_to_its_rate_and_both_get_a_share) {
  Pair pair;
  load(pair, 500us, 500us);  // each alone would be twice the rate
  const auto a = pair.a.stats().carried_packets, b = pair.b.stats().carried_packets;
  EXPECT_NEAR(static_cast<double>(a + b), 10000, 10);
  EXPECT_NEAR(static_cast<double>(a), 5000, 100);
}

TEST(SharedBottleneck, one_link_may_have_it_all) {
  Pair pair;
  load(pair, 500us, 20s);
  EXPECT_NEAR(static_cast<double>(pair.a.stats().carried_packets), 10000, 10);
}

TEST(SharedBottleneck, works_with_a_trace) {
  Pair pair{link_of(trace_of({1, 1, 1, 4}))};
  load(pair, 500us, 500us);
  const auto sum = pair.a.stats().carried_packets + pair.b.stats().carried_packets;
  EXPECT_NEAR(static_cast<double>(sum), 10000, 10);
  EXPECT_EQ(pair.b.capacity_between(at(0s), at(8ms)), Bytes{7 * 1500});
}

TEST(SharedBottleneck, quiet_link_waits_behind_the_busy_one) {
  Pair pair;
  offer_burst(pair.a, at(0s), 100, Bytes{1500});
  pair.b.handle_packet(at(10ms), Bytes{1500}, 7);
  EXPECT_EQ(pair.b.queueing_delay(at(10ms)), 91ms);
  const auto exits = run_until(pair.b, at(1s));
  ASSERT_EQ(exits.size(), 1u);
  EXPECT_EQ(exits[0], (Exit{7, at(101ms + 5ms), false, 90ms}));
  EXPECT_EQ(drain_all(pair.a).size(), 100u);
}

TEST(SharedBottleneck, each_link_has_its_own_queue_bound_and_state) {
  LinkConfig config = link_of_mbps(12);
  config.queue = QueuePackets{10};
  Pair pair{config};
  EXPECT_EQ(offer_burst(pair.a, at(0s), 100, Bytes{1500}), 11);
  EXPECT_EQ(offer_burst(pair.b, at(0s), 100, Bytes{1500}), 100);
  config.state = LinkState::carrier_down;
  pair.a.configure(at(500us), config);
  EXPECT_EQ(pair.a.queued_packets(), 0u);
  const auto exits = run_until(pair.b, at(1s));
  ASSERT_EQ(exits.size(), 100u);
  EXPECT_EQ(exits.front().at, at(1ms + 1ms + 5ms));  // after the packet that was on the line
}

TEST(SharedBottleneck, only_the_first_link_sets_the_rate) {
  Pair pair;
  pair.b.configure(at(0s), link_of_mbps(1));
  EXPECT_EQ(pair.b.capacity_between(at(0s), at(1s)), Bytes{1'500'000});
  pair.a.configure(at(0s), link_of_mbps(24));
  EXPECT_EQ(pair.b.capacity_between(at(0s), at(1s)), Bytes{3'000'000});
}

TEST(SharedBottleneck, bounds_in_time_follow_the_shared_rate) {
  Pair pair;
  LinkConfig config = link_of_mbps(99);
  config.queue = QueueTime{100ms};
  pair.b.configure(at(0s), config);
  pair.a.configure(at(0s), link_of_mbps(6));
  offer_burst(pair.b, at(0s), 500, Bytes{1500});
  EXPECT_EQ(pair.b.queued_packets(), 50u);
}

TEST(SharedBottleneck, wake_up_of_one_link_stands_whatever_the_other_offers) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng{seed};
    Pair pair{rng.chance(0.5) ? link_of_mbps(12) : link_of(trace_of({0, 3, 3, 9}))};
    pair.b.handle_packet(at(0s), Bytes{1500}, 0);
    Instant wake = pair.b.next_wake();
    Instant now = at(0s);
    for (std::uint64_t token = 1; token < 300; ++token) {
      now += Duration{static_cast<std::int64_t>(rng.below(2'000'000))};
      while (wake <= now) {  // b is only asked when it wanted to be
        while (const auto exit = pair.b.poll_exit(wake)) EXPECT_EQ(exit->at, wake);
        wake = pair.b.next_wake();
      }
      if (rng.chance(0.7)) {
        pair.a.handle_packet(now, bytes_of(40 + rng.below(1461)), token);
      } else {
        pair.b.handle_packet(now, bytes_of(40 + rng.below(1461)), token);
        wake = pair.b.next_wake();
      }
    }
  }
}

TEST(SharedBottleneck, survives_the_link_that_was_first) {
  auto pair = std::make_unique<Pair>();
  offer_burst(pair->b, at(0s), 3, Bytes{1500});
  LinkModel b = std::move(pair->b);
  pair.reset();
  EXPECT_EQ(run_until(b, at(1s)).size(), 3u);
  b.configure(at(1s), link_of_mbps(24));
  EXPECT_EQ(b.capacity_between(at(0s), at(1s)), Bytes{3'000'000});
}

}  // namespace
}  // namespace sennit
