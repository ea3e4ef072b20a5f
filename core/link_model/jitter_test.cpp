#include "core/link_model/jitter.h"

#include <set>

#include "core/link_model/test_drive.h"

namespace sennit {
namespace {

constexpr int packets = 100000;

/// 100-byte packets every 2 ms on a gigabit link: they never wait for each other.
std::vector<Exit> send_over(Duration delay, JitterModel jitter, Duration interval = 2ms) {
  LinkConfig config = link_of_mbps(1000, delay);
  config.jitter = jitter;
  LinkModel link{config, Rng{7}, at(0s)};
  return send_evenly(link, packets, interval, Bytes{100});
}

std::vector<double> delays_ms(const std::vector<Exit>& exits, Duration interval = 2ms) {
  std::vector<double> delays;
  for (const Exit& exit : exits) {
    const Instant offered = at(interval * static_cast<std::int64_t>(exit.token));
    delays.push_back(to_seconds(exit.at - offered - 800ns) * 1e3);
  }
  std::sort(delays.begin(), delays.end());
  return delays;
}

double quantile(const std::vector<double>& sorted, double p) {
  return sorted[static_cast<std::size_t>(p * static_cast<double>(sorted.size()))];
}
double mean(const std::vector<double>& xs) {
  double sum = 0;
  for (const double x : xs) sum += x;
  return sum / static_cast<double>(xs.size());
}

TEST(Jitter, normal_jitter_has_normal_quantiles_around_the_delay) {
  const auto delays = delays_ms(send_over(50ms, {.stddev = 5ms}));
  ASSERT_EQ(delays.size(), std::size_t{packets});
  EXPECT_NEAR(mean(delays), 50, 0.1);
  EXPECT_NEAR(quantile(delays, 0.5), 50, 0.1);
  EXPECT_NEAR(quantile(delays, 0.8413), 55, 0.1);
  EXPECT_NEAR(quantile(delays, 0.1587), 45, 0.1);
  EXPECT_NEAR(quantile(delays, 0.9987), 65, 0.5);
}

TEST(Jitter, pareto_jitter_has_a_floor_and_a_heavy_tail) {
  const JitterModel jitter{.stddev = 5ms, .distribution = JitterDistribution::pareto};
  const auto delays = delays_ms(send_over(50ms, jitter));
  const auto theory = [](double p) {
    return 50 + 5 * (std::pow(1 - p, -1.0 / 3) - 1.5) / std::sqrt(0.75);
  };
  EXPECT_NEAR(mean(delays), 50, 0.1);
  EXPECT_NEAR(delays.front(), theory(0), 0.01);
  EXPECT_NEAR(quantile(delays, 0.5), theory(0.5), 0.1);
  EXPECT_NEAR(quantile(delays, 0.9), theory(0.9), 0.2);
  EXPECT_NEAR(quantile(delays, 0.99), theory(0.99), 0.7);
  EXPECT_NEAR(quantile(delays, 0.999), theory(0.999), 4);
  EXPECT_GT(delays.front() * 1e6, static_cast<double>(delay_min(50ms, jitter).count() - 1));
}

TEST(Jitter, delay_is_never_negative) {
  const auto delays = delays_ms(send_over(1ms, {.stddev = 5ms}));
  EXPECT_NEAR(delays.front(), 0, 1e-5);
  EXPECT_NEAR(quantile(delays, 0.5), 1, 0.1);  // only the part below zero is cut off
}

TEST(Jitter, reorders_when_allowed) {
  const auto exits = send_over(50ms, {.stddev = 5ms, .reorder = true});
  int overtaken = 0;
  for (std::size_t i = 1; i < exits.size(); ++i) {
    EXPECT_GE(exits[i].at, exits[i - 1].at);
    overtaken += exits[i].token < exits[i - 1].token;
  }
  // A packet sent 2 ms later overtakes with probability Q(2 / (5 sqrt 2)) = 0.39, and three in four
  // of such inversions are split up by a third packet.
  EXPECT_GT(overtaken, packets / 4);
}

TEST(Jitter, keeps_the_order_when_told_to) {
  for (const auto distribution : {JitterDistribution::normal, JitterDistribution::pareto}) {
    const auto exits =
        send_over(50ms, {.stddev = 5ms, .distribution = distribution, .reorder = false});
    std::set<std::int64_t> different;
    for (std::size_t i = 0; i < exits.size(); ++i) {
      ASSERT_EQ(exits[i].token, i);
      different.insert(exits[i].at.time_since_epoch().count());
    }
    EXPECT_GT(different.size(), std::size_t{packets / 10});  // and it still is jitter
  }
}

TEST(Jitter, order_costs_nothing_when_packets_are_far_apart) {
  const auto delays = delays_ms(send_over(50ms, {.stddev = 5ms, .reorder = false}, 100ms), 100ms);
  EXPECT_NEAR(mean(delays), 50, 0.1);
  EXPECT_NEAR(quantile(delays, 0.8413), 55, 0.1);
}

TEST(Jitter, shorter_delay_lets_later_packets_overtake_unless_order_is_kept) {
  for (const bool reorder : {true, false}) {
    LinkConfig config = link_of_mbps(1000, 50ms);
    config.jitter.reorder = reorder;
    LinkModel link{config, Rng{7}, at(0s)};
    link.handle_packet(at(0s), Bytes{100}, 0);
    config.delay = 10ms;
    link.configure(at(1ms), config);
    link.handle_packet(at(1ms), Bytes{100}, 1);
    const auto exits = run_until(link, at(1s));
    ASSERT_EQ(exits.size(), 2u);
    EXPECT_EQ(exits[0].token, reorder ? 1u : 0u);
    EXPECT_EQ(exits[0].at, reorder ? at(11ms + 800ns) : at(50ms + 800ns));
    EXPECT_EQ(exits[1].at, at(50ms + 800ns));
  }
}

}  // namespace
}  // namespace sennit
