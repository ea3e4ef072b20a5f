// The link as a whole: queue bounds, states, and that nobody's habits of polling change anything.
#include "core/link_model/test_drive.h"

namespace sennit {
namespace {

TEST(LinkModel, queue_is_bounded_in_packets) {
  LinkConfig config = link_of_mbps(1);
  config.queue = QueuePackets{10};
  LinkModel link{config, Rng{1}, at(0s)};
  EXPECT_EQ(offer_burst(link, at(0s), 50, Bytes{1500}), 11);  // one of them is on the line
  EXPECT_EQ(link.queued_packets(), 10u);
  EXPECT_EQ(link.handle_packet(at(0s), Bytes{40}, 0), Offer::queue_full);
  EXPECT_EQ(link.stats().dropped_packets, 40u);
  EXPECT_EQ(link.handle_packet(at(12ms), Bytes{40}, 0), Offer::queued);  // one has gone
}

TEST(LinkModel, queue_is_bounded_in_bytes) {
  LinkConfig config = link_of_mbps(1);
  config.queue = QueueBytes{Bytes{10000}};
  LinkModel link{config, Rng{1}, at(0s)};
  EXPECT_EQ(offer_burst(link, at(0s), 50, Bytes{1500}), 1 + 6);
  EXPECT_EQ(link.queued_bytes(), Bytes{9000});
  EXPECT_EQ(link.handle_packet(at(0s), Bytes{1001}, 0), Offer::queue_full);
  EXPECT_EQ(link.handle_packet(at(0s), Bytes{1000}, 0), Offer::queued);
}

TEST(LinkModel, queue_is_bounded_in_time) {
  const auto trace = trace_of({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});  // 12 Mbit/s
  for (const LinkCapacity& capacity : {LinkCapacity{BitRate::from_mbps(12)}, LinkCapacity{trace}}) {
    LinkConfig config = link_of(capacity);
    config.queue = QueueTime{200ms};
    LinkModel link{config, Rng{1}, at(0s)};
    offer_burst(link, at(0s), 500, Bytes{1500});
    EXPECT_EQ(link.queued_packets(), 200u);
    const auto exits = run_until(link, at(10s));
    EXPECT_EQ(exits.back().queueing, 200ms);
  }
}

TEST(LinkModel, bound_in_time_follows_the_rate) {
  LinkConfig config = link_of_mbps(12);
  config.queue = QueueTime{100ms};
  LinkModel link{config, Rng{1}, at(0s)};
  config.capacity = BitRate::from_mbps(6);
  link.configure(at(0s), config);
  offer_burst(link, at(0s), 500, Bytes{1500});
  EXPECT_EQ(link.queued_packets(), 50u);
}

TEST(LinkModel, empty_queue_takes_any_packet) {
  LinkConfig config = link_of(trace_of({100}));
  config.queue = QueueTime{1ms};
  LinkModel link{config, Rng{1}, at(0s)};
  EXPECT_EQ(offer_burst(link, at(0s), 5, Bytes{1500}), 1);
}

TEST(LinkModel, packet_over_the_mtu_is_dropped) {
  LinkConfig config = link_of_mbps(10);
  config.mtu = 1400;
  LinkModel link{config, Rng{1}, at(0s)};
  EXPECT_EQ(link.handle_packet(at(0s), Bytes{1401}, 0), Offer::too_big);
  EXPECT_EQ(link.handle_packet(at(0s), Bytes{1400}, 1), Offer::queued);
  EXPECT_EQ(run_until(link, at(1s)).size(), 1u);
}

TEST(LinkModel, loss_takes_its_capacity) {
  LinkConfig config = link_of_mbps(12, 30ms);
  config.loss = GilbertElliott{.mean = 0.5, .burst = 1};  // every other packet
  LinkModel link{config, Rng{1}, at(0s)};
  offer_burst(link, at(0s), 100, Bytes{1500});
  const auto exits = run_until(link, at(1s));
  ASSERT_EQ(exits.size(), 100u);
  for (std::size_t i = 0; i < exits.size(); ++i) {
    EXPECT_EQ(exits[i].at, at(30ms + 1ms * static_cast<int>(i + 1)));
    EXPECT_EQ(exits[i].lost, exits[i % 2].lost);
  }
  EXPECT_EQ(link.stats().lost_packets, 50u);
  EXPECT_EQ(link.stats().carried_packets, 50u);
  EXPECT_EQ(link.stats().carried_bytes, 50u * 1500);
}

/// A 12 Mbit/s, 30 ms link that was offered 100 packets at 0 and goes into `state` at 40.5 ms, when
/// 10 have arrived, 30 are on the way, one is in transmission and 59 wait.
struct Interrupted {
  explicit Interrupted(LinkState state) {
    offer_burst(link, at(0s), 100, Bytes{1500});
    run_until(link, at(40ms + 500us), exits);
    config.state = state;
    link.configure(at(40ms + 500us), config);
  }
  long lost() const {
    return std::count_if(exits.begin(), exits.end(), [](const Exit& e) { return e.lost; });
  }
  LinkConfig config = link_of_mbps(12, 30ms);
  LinkModel link{config, Rng{1}, at(0s)};
  std::vector<Exit> exits;
};

TEST(LinkModel, black_hole_loses_what_is_on_the_way_and_swallows_the_queue) {
  Interrupted it{LinkState::blackhole};
  EXPECT_EQ(it.exits.size(), 10u);
  drain(it.link, at(40ms + 500us), it.exits);
  EXPECT_EQ(it.exits.size(), 10u + 31u);
  EXPECT_EQ(it.lost(), 31);
  EXPECT_EQ(it.link.handle_packet(at(50ms), Bytes{1500}, 100), Offer::queued);  // it is silent
  run_until(it.link, at(1s), it.exits);
  EXPECT_EQ(it.exits.size(), 101u);
  EXPECT_EQ(it.lost(), 91);
  EXPECT_EQ(it.exits.back().at, at(101ms + 30ms));
}

TEST(LinkModel, after_a_black_hole_the_rest_of_the_queue_arrives) {
  Interrupted it{LinkState::blackhole};
  run_until(it.link, at(60ms + 500us), it.exits);
  it.config.state = LinkState::up;
  it.link.configure(at(60ms + 500us), it.config);
  run_until(it.link, at(1s), it.exits);
  EXPECT_EQ(it.lost(), 31 + 20);
  EXPECT_EQ(it.exits.size(), 100u);
}

TEST(LinkModel, carrier_down_empties_the_queue_and_refuses_packets) {
  Interrupted it{LinkState::carrier_down};
  drain(it.link, at(40ms + 500us), it.exits);
  EXPECT_EQ(it.exits.size(), 100u);
  EXPECT_EQ(it.lost(), 90);
  EXPECT_EQ(it.exits.back(), (Exit{99, at(40ms + 500us), true, 40ms + 500us}));
  EXPECT_EQ(it.link.queued_bytes(), Bytes{0});
  EXPECT_EQ(it.link.next_wake(), never);
  EXPECT_EQ(it.link.handle_packet(at(50ms), Bytes{1500}, 0), Offer::link_down);
}

TEST(LinkModel, link_that_is_up_again_carries_as_before) {
  Interrupted it{LinkState::carrier_down};
  it.config.state = LinkState::up;
  it.link.configure(at(1s), it.config);
  it.exits.clear();
  drain(it.link, at(1s), it.exits);
  it.exits.clear();
  EXPECT_EQ(it.link.handle_packet(at(1s), Bytes{1500}, 7), Offer::queued);
  run_until(it.link, at(2s), it.exits);
  ASSERT_EQ(it.exits.size(), 1u);
  EXPECT_EQ(it.exits[0], (Exit{7, at(1s + 31ms), false, 0ns}));
}

TEST(LinkModel, what_a_black_hole_took_holds_nobody_up) {
  LinkConfig config = link_of_mbps(12, 500ms);
  config.jitter.reorder = false;
  LinkModel link{config, Rng{1}, at(0s)};
  link.handle_packet(at(0s), Bytes{1500}, 0);
  config.state = LinkState::blackhole;
  link.configure(at(10ms), config);
  config.state = LinkState::up;
  config.delay = 30ms;
  link.configure(at(20ms), config);
  link.handle_packet(at(20ms), Bytes{1500}, 1);
  EXPECT_EQ(drain_all(link).back(), (Exit{1, at(51ms), false, 0ns}));
}

TEST(LinkModel, smaller_bound_keeps_what_is_queued) {
  LinkConfig config = link_of_mbps(12);
  LinkModel link{config, Rng{1}, at(0s)};
  offer_burst(link, at(0s), 100, Bytes{1500});
  config.queue = QueuePackets{5};
  link.configure(at(0s), config);
  EXPECT_EQ(link.handle_packet(at(0s), Bytes{40}, 0), Offer::queue_full);
  EXPECT_EQ(run_until(link, at(1s)).size(), 100u);
}

TEST(LinkModel, may_be_moved_while_packets_are_in_it) {
  LinkModel first{link_of_mbps(12), Rng{1}, at(0s)};
  offer_burst(first, at(0s), 10, Bytes{1500});
  LinkModel second = std::move(first);
  EXPECT_EQ(run_until(second, at(1s)).size(), 10u);
}

/// Draws anything that a link may be.
LinkConfig draw_config(Rng& rng) {
  LinkConfig config = link_of_mbps(rng.chance(0.05) ? 0 : 1 + 50 * rng.uniform());
  if (rng.chance(0.4)) {
    config.capacity = rng.chance(0.5) ? trace_of({0, 1, 1, 7, 30}) : trace_of({3, 3, 3, 12});
  }
  config.delay = std::chrono::milliseconds{rng.below(40)};
  if (rng.chance(0.5)) config.jitter.stddev = std::chrono::milliseconds{rng.below(10)};
  if (rng.chance(0.5)) config.jitter.distribution = JitterDistribution::pareto;
  config.jitter.reorder = rng.chance(0.5);
  if (rng.chance(0.3)) config.loss = RandomLoss{0.1};
  if (rng.chance(0.3)) config.loss = GilbertElliott{.mean = 0.1, .burst = 5};
  if (rng.chance(0.3)) config.queue = QueueBytes{Bytes{20000}};
  if (rng.chance(0.3)) config.queue = QueueTime{30ms};
  if (rng.chance(0.1)) config.mtu = 1000;
  if (rng.chance(0.1)) config.state = LinkState::blackhole;
  if (rng.chance(0.1)) config.state = LinkState::carrier_down;
  return config;
}

struct Outcome {
  std::vector<Exit> exits;
  std::vector<Offer> offers;
  LinkStats stats;
  bool late = false;  // something left before a wake-up was asked for
};

/// Offers and changes at random, the same for one seed, of a link that is polled at every wake-up,
/// or only when the whole is over.
Outcome random_life(std::uint64_t seed, bool eager) {
  Rng rng{seed};
  LinkModel link{draw_config(rng), rng.fork("link"), at(0s)};
  Outcome outcome;
  const auto wake_until = [&](Instant end) {
    while (eager && link.next_wake() <= end) {
      const Instant now = link.next_wake();
      while (const auto exit = link.poll_exit(now)) {
        outcome.exits.push_back(*exit);
        outcome.late |= exit->at < now;
      }
    }
  };
  Instant now = at(0s);
  for (std::uint64_t token = 0; token < 1000; ++token) {
    now += rng.chance(0.3) ? Duration{static_cast<std::int64_t>(rng.below(3'000'000))} : 0ns;
    wake_until(now);
    outcome.offers.push_back(link.handle_packet(now, bytes_of(40 + rng.below(1461)), token));
    if (rng.chance(0.01)) link.configure(now, draw_config(rng));
  }
  link.configure(now, link_of_mbps(10));
  wake_until(never - 1ns);
  drain(link, at(1000s), outcome.exits);
  outcome.stats = link.stats();
  return outcome;
}

TEST(LinkModel, polling_late_changes_nothing) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Outcome eager = random_life(seed, true);
    const Outcome lazy = random_life(seed, false);
    EXPECT_EQ(eager.exits, lazy.exits);
    EXPECT_EQ(eager.offers, lazy.offers);
    EXPECT_FALSE(eager.late) << "next_wake() came after an exit";
  }
}

TEST(LinkModel, every_packet_is_accounted_for) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const LinkStats stats = random_life(seed, true).stats;
    EXPECT_EQ(stats.offered_packets, 1000u);
    EXPECT_EQ(stats.offered_packets,
              stats.carried_packets + stats.lost_packets + stats.dropped_packets);
  }
}

TEST(LinkModel, same_seed_same_result_and_another_seed_another) {
  LinkConfig config = link_of_mbps(100, 20ms);
  config.jitter.stddev = 3ms;
  config.loss = RandomLoss{0.1};
  const auto run = [&config](std::uint64_t seed) {
    LinkModel link{config, Rng{seed}, at(0s)};
    return send_evenly(link, 500, 1ms, Bytes{1000});
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_FALSE(run(1) == run(2));
}

TEST(LinkModel, jitter_does_not_move_the_losses) {
  LinkConfig config = link_of_mbps(100, 50ms);
  config.loss = RandomLoss{0.1};
  const auto lost = [&config](Duration stddev) {
    config.jitter = {.stddev = stddev, .reorder = false};
    LinkModel link{config, Rng{3}, at(0s)};
    std::vector<std::uint64_t> tokens;
    for (const Exit& exit : send_evenly(link, 1000, 1ms, Bytes{1000})) {
      if (exit.lost) tokens.push_back(exit.token);
    }
    std::sort(tokens.begin(), tokens.end());
    return tokens;
  };
  EXPECT_EQ(lost(0ms), lost(5ms));
}

}  // namespace
}  // namespace sennit
