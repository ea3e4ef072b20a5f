#include "sim/model/tcp_linux_bbr.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "sim/model/testing/hand_driven_tcp.h"
#include "sim/model/testing/tcp_path.h"

namespace sennit {
namespace {

using Mode = TcpLinuxBbr::Mode;
using State = ns3::TcpSocketState;

// --- over a link ---

/// 10 Mbit/s, so 1.2 ms a packet, and 20 ms each way: 50,000 bytes of bandwidth-delay product.
LinkConfig ten_mbps() {
  LinkConfig config;
  config.capacity = BitRate::from_mbps(10);
  config.delay = 20ms;
  return config;
}
constexpr std::uint32_t bandwidth_delay_product = 50'000;

TEST(TcpLinuxBbr, fills_a_link_with_a_queue_of_at_most_one_bandwidth_delay_product) {
  TcpPath path(ten_mbps());
  path.write_forever();
  path.run(2s);
  path.queueing.clear();
  EXPECT_GT(path.mbps_during(6s), 9.3);  // of 9.65 without headers
  std::ranges::sort(path.queueing);
  EXPECT_LT(path.queueing[path.queueing.size() / 2], 10ms);
  EXPECT_LT(path.queueing.back(), 40ms);
  EXPECT_EQ(path.bbr().mode(), Mode::probe_bw);
  EXPECT_NEAR(static_cast<double>(path.bbr().bandwidth_bps()), 9.65e6, 0.3e6);
  EXPECT_NEAR(path.bbr().least_round_trip().GetSeconds(), 0.0413, 0.001);
}

TEST(TcpLinuxBbr, the_pause_for_the_least_round_trip_does_not_forget_the_bandwidth) {
  LinkConfig config = ten_mbps();
  config.delay = 2ms;  // fifty round trips fit into the pause
  TcpPath path(config);
  path.write_forever();
  path.run(5s);
  int paused = 0;
  std::uint64_t least = ~0ull;
  std::uint32_t smallest_window = ~0u;
  path.run(20s, [&] {
    paused += path.bbr().mode() == Mode::probe_rtt;
    least = std::min(least, path.bbr().bandwidth_bps());
    if (path.bbr().mode() == Mode::probe_rtt)
      smallest_window = std::min(smallest_window, path.window);
  });
  EXPECT_GE(paused, 2 * 20);
  EXPECT_LE(paused, 2 * 24);
  EXPECT_EQ(smallest_window, 4 * 1448u);
  EXPECT_GT(least, 9'200'000u);
}

TEST(TcpLinuxBbr, finds_the_longer_round_trip_of_a_path_that_has_changed) {
  TcpPath path(ten_mbps());
  path.write_forever();
  path.run(5s);
  path.set_delay(60ms);
  path.run(12s);
  EXPECT_NEAR(path.bbr().least_round_trip().GetSeconds(), 0.0813, 0.002);
  EXPECT_GT(path.mbps_during(4s), 8.5);
}

TEST(TcpLinuxBbr, comes_back_from_a_recovery_with_the_window_from_before) {
  TcpPath path(ten_mbps());
  path.write_forever();
  path.run(3s);
  const std::uint32_t before = path.window;
  path.smallest_window = path.largest_window = before;
  path.set_state(LinkState::blackhole);
  path.run(5ms);
  path.set_state(LinkState::up);
  path.run(500ms);
  EXPECT_EQ(path.recoveries, 1);
  EXPECT_EQ(path.timeouts, 0);
  EXPECT_LT(path.smallest_window, before * 2 / 3);
  EXPECT_LT(path.largest_window, 3 * bandwidth_delay_product);
  EXPECT_NEAR(path.window, before, before / 20);
}

TEST(TcpLinuxBbr, two_per_cent_of_random_loss_cost_it_little) {
  LinkConfig config = ten_mbps();
  config.loss = RandomLoss{0.02};
  TcpPath path(config);
  path.write_forever();
  path.run(2s);
  EXPECT_GT(path.mbps_during(20s), 8.0);
  EXPECT_GT(path.recoveries, 20);
}

TEST(TcpLinuxBbr, a_path_back_that_delivers_in_bursts_does_not_starve_it) {
  LinkTrace bursts;  // every 80 ms, twice the round trip
  bursts.opportunity_ms.assign(100, 80);
  LinkConfig back = ten_mbps();
  back.capacity = std::make_shared<LinkTrace>(bursts);
  TcpPath path(ten_mbps(), "bbr", Writer::connecting, back);
  path.write_forever();
  path.run(3s);
  EXPECT_GT(path.mbps_during(6s), 8.5);
}

TEST(TcpLinuxBbr, an_application_that_pauses_does_not_lower_the_bandwidth) {
  TcpPath path(ten_mbps());
  path.write(Bytes{3'000'000});
  path.run(5s);
  const std::uint64_t before = path.bbr().bandwidth_bps();
  EXPECT_GT(before, 9'200'000u);
  for (int i = 0; i < 30; ++i) {
    path.write(Bytes{6'000});
    path.run(100ms);
  }
  EXPECT_GE(path.bbr().bandwidth_bps(), before * 99 / 100);
}

TEST(TcpLinuxBbr, a_pause_of_the_application_saves_the_pause_for_the_least_round_trip) {
  TcpPath path(ten_mbps());
  path.write(Bytes{3'000'000});
  path.run(15s);
  path.write(Bytes{1'000'000});
  path.run(1s, [&] { EXPECT_EQ(path.bbr().mode(), Mode::probe_bw); });
}

// --- by hand ---

struct TcpLinuxBbrByHand : ::testing::Test {
  /// Rounds of so many packets, each 100 ms long.
  void rounds(int count, std::uint32_t packets) {
    for (int i = 0; i < count; ++i) {
      const std::uint32_t first = tcp.send(packets);
      tcp.wait(100ms);
      tcp.acknowledge(first + packets);
    }
  }
  /// Ten packets in flight; so many arrive together every so many times 10 ms.
  void stream(int times, std::uint32_t together) {
    while (sent_ < acknowledged_ + 10) sent_ = tcp.send() + 1;
    for (int i = 0; i < times; ++i) {
      tcp.wait(together * 10ms);
      acknowledged_ += together;
      tcp.acknowledge(acknowledged_);
      sent_ = tcp.send(together) + together;
    }
  }
  /// At 10 packets in 100 ms, until the cycle of gains has begun.
  void settle() {
    rounds(8, 10);
    ASSERT_EQ(tcp.bbr->mode(), Mode::probe_bw);
  }
  /// In recovery since the second of ten packets was lost and four later ones arrived.
  void enter_recovery() {
    const std::uint32_t first = tcp.send(10);
    tcp.wait(100ms);
    tcp.state->m_congState = State::CA_RECOVERY;
    tcp.state->m_ssThresh = tcp.bbr->GetSsThresh(tcp.state, 0);
    tcp.acknowledge(first + 1, {{first + 2, first + 5}});
  }
  HandDrivenTcp tcp;

 private:
  std::uint32_t sent_ = 0, acknowledged_ = 0;  // by stream()
};

TEST_F(TcpLinuxBbrByHand, start_up_ends_after_three_rounds_without_growth) {
  rounds(1, 4);
  rounds(1, 8);
  rounds(1, 16);
  rounds(2, 18);  // growth by less than a quarter
  EXPECT_EQ(tcp.bbr->mode(), Mode::startup);
  rounds(1, 18);
  EXPECT_NE(tcp.bbr->mode(), Mode::startup);
}

TEST_F(TcpLinuxBbrByHand, start_up_does_not_end_while_the_application_is_the_limit) {
  rounds(2, 10);
  for (int i = 0; i < 8; ++i) {
    tcp.rates->limit_by_application(100'000);
    rounds(1, 10);
  }
  EXPECT_EQ(tcp.bbr->mode(), Mode::startup);
}

TEST_F(TcpLinuxBbrByHand, a_low_rate_counts_unless_the_application_is_the_limit) {
  settle();
  EXPECT_EQ(tcp.bbr->bandwidth_bps(), 800'000u);
  for (int i = 0; i < 20; ++i) {
    tcp.rates->limit_by_application(100'000);
    rounds(1, 1);
  }
  EXPECT_EQ(tcp.bbr->bandwidth_bps(), 800'000u);
  tcp.rates->limit_by_application(0);
  rounds(14, 1);
  EXPECT_EQ(tcp.bbr->bandwidth_bps(), 80'000u);
}

TEST_F(TcpLinuxBbrByHand, bursts_of_acknowledgements_enlarge_the_window) {
  stream(300, 1);
  const std::uint32_t smooth = tcp.window();
  stream(20, 5);
  EXPECT_GE(tcp.window(), smooth + 3 * HandDrivenTcp::segment);
  EXPECT_LE(tcp.window(), smooth + 8 * HandDrivenTcp::segment);
}

TEST_F(TcpLinuxBbrByHand, in_the_first_round_of_a_recovery_a_packet_leaves_for_each_that_arrives) {
  settle();
  rounds(10, 10);
  const std::uint32_t before = tcp.window();
  enter_recovery();
  EXPECT_EQ(tcp.window(), tcp.state->m_bytesInFlight + 5 * HandDrivenTcp::segment);
  EXPECT_LT(tcp.window(), before);
}

TEST_F(TcpLinuxBbrByHand, later_in_a_recovery_what_is_lost_leaves_the_window) {
  settle();
  rounds(10, 10);
  enter_recovery();
  const std::uint32_t lost = tcp.first_outstanding();
  const std::uint32_t next = tcp.send(8);
  tcp.wait(100ms);
  tcp.acknowledge(lost, {{lost + 1, next}});
  const std::uint32_t before = tcp.window();
  tcp.acknowledge(lost, {{next + 5, next + 7}});  // so that the four between are lost
  EXPECT_EQ(tcp.window(), before + (3 - 4) * HandDrivenTcp::segment);
}

TEST_F(TcpLinuxBbrByHand, the_window_is_a_number_of_pairs) {
  settle();
  EXPECT_EQ(tcp.window() % (2 * HandDrivenTcp::segment), 0u);
}

TEST_F(TcpLinuxBbrByHand, after_a_recovery_the_window_is_what_it_was) {
  settle();
  rounds(10, 10);
  const std::uint32_t before = tcp.window();
  enter_recovery();
  EXPECT_EQ(tcp.state->m_ssThresh, before);
  tcp.state->m_congState = State::CA_OPEN;
  const std::uint32_t next = tcp.send();
  tcp.wait(100ms);
  tcp.acknowledge(next);
  EXPECT_NEAR(tcp.window(), before, 2 * HandDrivenTcp::segment);  // a pair more while it probes
}

TEST_F(TcpLinuxBbrByHand, the_round_trip_of_a_lone_small_packet_is_not_believed) {
  settle();
  tcp.wait(11s);
  tcp.state->m_segmentSize = 1448;  // so that the packets are not full ones
  const std::uint32_t lone = tcp.send();
  tcp.wait(140ms);  // the receiver waited 40 ms for a second packet
  tcp.acknowledge(lone + 1);
  EXPECT_EQ(tcp.bbr->least_round_trip(), ns3::MilliSeconds(100));
  tcp.state->m_segmentSize = HandDrivenTcp::segment;
  const std::uint32_t full = tcp.send();
  tcp.wait(120ms);
  tcp.acknowledge(full + 1);
  EXPECT_EQ(tcp.bbr->least_round_trip(), ns3::MilliSeconds(120));
}

TEST_F(TcpLinuxBbrByHand, the_ten_seconds_begin_with_the_first_acknowledgement) {
  tcp.wait(15s);
  tcp.resend(tcp.send());  // no round trip is known of it
  tcp.wait(100ms);
  tcp.acknowledge(1);
  EXPECT_EQ(tcp.bbr->mode(), Mode::startup);
}

TEST_F(TcpLinuxBbrByHand, an_equal_round_trip_puts_the_pause_off) {
  settle();
  rounds(150, 10);
  EXPECT_EQ(tcp.bbr->mode(), Mode::probe_bw);
}

}  // namespace
}  // namespace sennit
