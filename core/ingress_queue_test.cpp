#include "core/ingress_queue.h"

#include <gtest/gtest.h>

#include "core/inner_packet_samples.h"
#include "core/rng.h"

namespace sennit {
namespace {

constexpr ClassId realtime{0}, interactive{1}, bulk{2};

struct Ingress {
  explicit Ingress(const TunnelConfig& c = {}) : config(c) {}

  void push(Instant now, const samples::Udp& udp) {
    queue.push(now, samples::packet(pool, samples::ipv4(udp)));
  }
  std::uint64_t dropped(Drop reason) const {
    return observer.drops()[static_cast<std::size_t>(reason)];
  }
  TunnelConfig config;
  Observer observer{true};
  PacketPool pool{8192};
  IngressQueue queue{config, observer, 1};
};

TEST(IngressQueue, a_packet_is_classified_and_described) {
  Ingress in;
  in.push(Instant{3s}, {.dscp = 46, .ecn = Ecn::ect0, .size = 200});
  EXPECT_EQ(in.queue.packets(realtime), 1u);
  EXPECT_EQ(in.queue.bytes(), Bytes{200});
  EXPECT_TRUE(in.queue.empty(bulk));
  const Packet p = in.queue.pop(Instant{3s}, realtime);
  ASSERT_TRUE(p);
  EXPECT_EQ(p.info().since, Instant{3s});
  EXPECT_EQ(p.info().class_id, realtime);
  EXPECT_EQ(p.info().ecn, Ecn::ect0);
  EXPECT_TRUE(p.info().flags & PacketFlag::sparse);
  EXPECT_EQ(in.queue.packets(), 0u);
}

TEST(IngressQueue, what_is_not_ip_is_dropped_and_counted) {
  Ingress in;
  const std::vector<std::byte> ethernet(64, std::byte{0x00});
  in.queue.push(Instant{1s}, samples::packet(in.pool, ethernet));
  EXPECT_EQ(in.dropped(Drop::not_ip), 1u);
  EXPECT_EQ(in.queue.packets(), 0u);
  EXPECT_EQ(in.pool.available(), in.pool.slots());
}

TEST(IngressQueue, classes_are_served_by_priority) {
  TunnelConfig config;
  config.classes.push_back(config.classes[2]);
  config.classes[3].name = "urgent";
  config.classes[3].priority = 0;
  config.classes[1].priority = 3;
  Ingress in{config};
  const auto order = in.queue.service_order();
  const std::vector<ClassId> expected{realtime, ClassId{3}, bulk, interactive};
  EXPECT_EQ(std::vector<ClassId>(order.begin(), order.end()), expected);
}

TEST(IngressQueue, over_its_bound_the_fattest_flow_of_the_fattest_class_loses) {
  Ingress in;
  for (int i = 0; i < 100; ++i) in.push(Instant{1s}, {.dscp = 46, .size = 200});
  for (int i = 0; i < 100; ++i) in.push(Instant{1s}, {.source_port = 7, .size = 1000});
  for (std::size_t i = in.queue.packets(); i < ingress_packets_max + 500; ++i) {
    in.push(Instant{1s}, {.source_port = 8, .size = 1400});
    ASSERT_LE(in.queue.packets(), ingress_packets_max);
    if (in.dropped(Drop::queue_full) > 400) break;
  }
  EXPECT_GT(in.dropped(Drop::queue_full), 0u);
  EXPECT_EQ(in.queue.packets(realtime), 100u);
  int of_the_small_flow = 0;
  while (const Packet p = in.queue.pop(Instant{1s}, bulk)) of_the_small_flow += p.size() == 1000;
  EXPECT_EQ(of_the_small_flow, 100);
}

TunnelConfig limited(BitRate rate) {
  TunnelConfig config;
  config.classes[2].rate_max = rate;
  return config;
}

TEST(IngressQueue, a_rate_limit_lets_a_burst_through_and_then_shapes) {
  Ingress in{limited(BitRate::from_mbps(8))};  // 1,000 bytes a millisecond
  for (int i = 0; i < 200; ++i) in.push(Instant{1s}, {.size = 1000});
  int burst = 0;
  while (in.queue.pop(Instant{1s}, bulk)) ++burst;
  EXPECT_EQ(burst, 51);  // 50 ms, and the packet that empties the bucket
  EXPECT_FALSE(in.queue.empty(bulk));
  EXPECT_EQ(in.queue.next_wake(Instant{1s}), Instant{1001ms});
  for (Instant now{1001ms}; now < Instant{1100ms}; now += 1ms) {
    EXPECT_TRUE(in.queue.pop(now, bulk));
    EXPECT_FALSE(in.queue.pop(now, bulk));
  }
}

TEST(IngressQueue, sleeping_until_next_wake_gives_exactly_the_limit) {
  Ingress in{limited(BitRate::from_mbps(7.3))};
  Rng rng{5};
  std::int64_t bytes = 0;
  Instant now{1s};
  while (now < Instant{21s}) {
    const auto next = [&] {
      while (in.queue.packets() < 20) in.push(now, {.size = 100 + rng.below(1300)});
      return in.queue.pop(now, bulk);
    };
    while (const Packet p = next()) bytes += static_cast<std::int64_t>(p.size());
    const Instant wake = in.queue.next_wake(now);
    ASSERT_GT(wake, now);
    ASSERT_LT(wake, never);
    now = wake;
  }
  const double mbps = static_cast<double>(bytes) * 8e-6 / to_seconds(now - Instant{1s});
  EXPECT_NEAR(mbps, 7.3 * (1 + 0.05 / 20), 0.01);  // with the burst of 50 ms at the start
}

TEST(IngressQueue, an_idle_class_saves_no_more_than_50_ms) {
  Ingress in{limited(BitRate::from_mbps(8))};
  in.push(Instant{1s}, {.size = 1000});
  (void)in.queue.pop(Instant{1s}, bulk);
  for (int i = 0; i < 200; ++i) in.push(Instant{60s}, {.size = 1000});
  int burst = 0;
  while (in.queue.pop(Instant{60s}, bulk)) ++burst;
  EXPECT_EQ(burst, 51);
}

TEST(IngressQueue, a_rate_limit_holds_back_no_other_class) {
  Ingress in{limited(BitRate::from_mbps(0.1))};
  for (int i = 0; i < 100; ++i) {
    in.push(Instant{1s}, {.size = 1000});
    in.push(Instant{1s}, {.dscp = 34, .size = 1000});
  }
  int sent = 0;
  while (in.queue.pop(Instant{1s}, interactive)) ++sent;
  EXPECT_EQ(sent, 100);
}

TEST(IngressQueue, without_a_limit_nothing_wakes) {
  Ingress in;
  in.push(Instant{1s}, {});
  EXPECT_EQ(in.queue.next_wake(Instant{1s}), never);
}

/// Drops by age within two seconds of 1.25 times what is served, 1,250 bytes a millisecond.
std::uint64_t aged(Ingress& in, std::uint8_t dscp, ClassId class_id, Duration standing) {
  for (Instant now{1s}; now < Instant{3s}; now += 1ms) {
    in.push(now, {.dscp = dscp, .size = 1250});
    if (now >= Instant{1s} + standing) (void)in.queue.pop(now, class_id);
  }
  return in.dropped(Drop::queue_aged);
}

TEST(IngressQueue, each_class_has_its_own_target) {
  Ingress calm, busy;
  EXPECT_EQ(aged(calm, 0, bulk, 12ms), 0u);          // 12 ms of queue: below 20
  EXPECT_GT(aged(busy, 34, interactive, 12ms), 0u);  // above 5
}

TEST(IngressQueue, targets_grow_with_a_long_round_trip_but_not_for_realtime) {
  Ingress far_bulk, far_realtime, near_bulk;
  far_bulk.queue.set_round_trip(300ms);
  far_realtime.queue.set_round_trip(300ms);
  EXPECT_EQ(aged(far_bulk, 0, bulk, 60ms), 0u);  // 0.3 round trips are 90 ms
  EXPECT_GT(aged(far_realtime, 46, realtime, 60ms), 0u);
  EXPECT_GT(aged(near_bulk, 0, bulk, 60ms), 0u);
}

TEST(IngressQueue, a_slow_link_is_not_punished_for_the_size_of_a_packet) {
  Ingress slow, fast;
  slow.queue.set_rate(BitRate::from_mbps(1));  // a full packet takes 12 ms
  EXPECT_EQ(aged(slow, 34, interactive, 15ms), 0u);
  EXPECT_GT(aged(fast, 34, interactive, 15ms), 0u);
}

TEST(IngressQueue, marks_are_counted) {
  Ingress in;
  for (Instant now{1s}; now < Instant{2s}; now += 1ms) {
    in.push(now, {.ecn = Ecn::ect0, .size = 1250});
    if (now >= Instant{1050ms}) (void)in.queue.pop(now, bulk);
  }
  EXPECT_GT(in.queue.ce_marked(), 0u);
  EXPECT_EQ(in.dropped(Drop::queue_aged), 0u);
}

TEST(IngressQueue, acceptance_is_traced) {
  Ingress in;
  in.push(Instant{1s}, {.size = 77});
  std::array<TraceRecord, 4> trace{};
  ASSERT_EQ(in.observer.poll_trace(trace), 1u);
  EXPECT_EQ(trace[0].kind, TraceKind::accepted);
  EXPECT_EQ(trace[0].b, 1u);
  EXPECT_EQ(trace[0].size, 77u);
}

}  // namespace
}  // namespace sennit
