#include "sim/model/tcp_delivery_rate.h"

#include <gtest/gtest.h>

#include "sim/model/testing/hand_driven_tcp.h"

namespace sennit {
namespace {

struct TcpDeliveryRateTest : ::testing::Test {
  /// Of five packets the second, which counts as lost when the later three arrive.
  void lose_packet_1() {
    tcp.send(5);
    tcp.wait(20ms);
    tcp.acknowledge(1, {{2, 4}});
  }
  HandDrivenTcp tcp;
};

TEST_F(TcpDeliveryRateTest, a_steady_stream_has_the_rate_at_which_it_arrives) {
  tcp.send(10);
  tcp.wait(20ms);
  HandDrivenTcp::Sample sample;
  for (std::uint32_t packet = 1; packet <= 100; ++packet) {
    sample = tcp.acknowledge(packet);
    tcp.send();
    tcp.wait(2ms);
  }
  EXPECT_EQ(sample.m_deliveryRate.GetBitRate(), 4'000'000u);
  EXPECT_EQ(sample.m_interval, ns3::MilliSeconds(20));
  EXPECT_EQ(sample.m_delivered, 10'000);
  EXPECT_EQ(tcp.rates->round_trip(), ns3::MilliSeconds(20));
}

TEST_F(TcpDeliveryRateTest, acknowledgements_that_arrive_at_once_give_the_rate_of_sending) {
  for (int i = 0; i < 10; ++i) {
    tcp.send();
    tcp.wait(2ms);
  }
  tcp.acknowledge(1);
  tcp.send(10);
  for (int i = 0; i < 10; ++i) {
    tcp.send();
    tcp.wait(2ms);
  }
  const auto sample = tcp.acknowledge(30);  // ten in 20 ms, ten at once and ten in 18 ms
  EXPECT_EQ(sample.m_sendElapsed, ns3::MilliSeconds(38));
  EXPECT_EQ(sample.m_interval, ns3::MilliSeconds(38));
}

TEST_F(TcpDeliveryRateTest, a_packet_sent_twice_says_nothing_about_the_round_trip) {
  lose_packet_1();
  tcp.resend(1);
  tcp.wait(30ms);
  const auto sample = tcp.acknowledge(5);
  EXPECT_EQ(tcp.rates->round_trip(), std::nullopt);
  EXPECT_EQ(sample.m_ackedSacked, 1000u);
}

TEST_F(TcpDeliveryRateTest, nor_does_it_after_a_timeout) {
  lose_packet_1();
  tcp.resend(1);
  tcp.wait(200ms);
  tcp.buffer->SetSentListLost();  // as ns-3 does, which forgets what had been sent twice
  tcp.rates->timed_out(ns3::Simulator::Now());
  tcp.acknowledge(5);
  EXPECT_EQ(tcp.rates->round_trip(), std::nullopt);
}

TEST_F(TcpDeliveryRateTest, what_is_sent_again_after_a_timeout_begins_no_new_interval) {
  tcp.send();
  tcp.wait(20ms);
  tcp.acknowledge(1);
  tcp.send(5);
  tcp.wait(200ms);
  tcp.buffer->SetSentListLost();
  tcp.resend(1);
  tcp.wait(20ms);
  EXPECT_EQ(tcp.acknowledge(2).m_interval, ns3::MilliSeconds(220));
}

TEST_F(TcpDeliveryRateTest, an_acknowledgement_that_delivers_nothing_is_no_sample) {
  tcp.send(4);
  tcp.wait(20ms);
  EXPECT_GT(tcp.acknowledge(1, {{2, 3}}).m_delivered, 0);
  tcp.wait(5ms);
  const auto again = tcp.acknowledge(1, {{2, 3}});
  EXPECT_EQ(again.m_delivered, -1);
  EXPECT_EQ(again.m_interval, ns3::Time{});
  EXPECT_EQ(again.m_deliveryRate.GetBitRate(), 0u);
  EXPECT_EQ(tcp.rates->round_trip(), std::nullopt);
}

TEST_F(TcpDeliveryRateTest, what_arrives_late_has_an_interval_of_its_own) {
  tcp.send(2);
  tcp.wait(10ms);
  tcp.send(8);
  tcp.wait(10ms);
  tcp.acknowledge(1, {{2, 9}});  // all but packet 1
  tcp.wait(30ms);
  const auto late = tcp.acknowledge(10);
  EXPECT_EQ(late.m_delivered, 10'000);
  EXPECT_EQ(late.m_interval, ns3::MilliSeconds(50));  // since packet 1 was sent, not since 2..9
}

TEST_F(TcpDeliveryRateTest, an_interval_shorter_than_any_round_trip_is_no_sample) {
  tcp.send();
  tcp.wait(20ms);
  tcp.acknowledge(1);
  tcp.send();
  tcp.wait(10ms);
  tcp.resend(1);
  tcp.wait(5ms);
  EXPECT_EQ(tcp.acknowledge(2).m_delivered, -1);
}

TEST_F(TcpDeliveryRateTest, losses_are_those_that_are_new) {
  tcp.send(12);
  tcp.wait(20ms);
  EXPECT_EQ(tcp.acknowledge(1, {{3, 5}}).m_bytesLoss, 2000u);  // packets 1 and 2
  tcp.resend(1);
  tcp.resend(2);
  tcp.wait(20ms);
  EXPECT_EQ(tcp.acknowledge(1, {{7, 8}}).m_bytesLoss, 0u);
  // Packet 2 has arrived, packet 6 now counts as lost: as many are lost as before.
  EXPECT_EQ(tcp.acknowledge(1, {{2, 2}, {9, 9}}).m_bytesLoss, 1000u);
  EXPECT_EQ(tcp.acknowledge(6).m_bytesLoss, 0u);
}

TEST_F(TcpDeliveryRateTest, an_idle_application_marks_what_is_in_flight_and_what_it_sends_then) {
  tcp.send(2);
  tcp.rates->limit_by_application(2000);
  tcp.send();
  tcp.wait(20ms);
  EXPECT_FALSE(tcp.acknowledge(2).m_isAppLimited);
  EXPECT_TRUE(tcp.acknowledge(3).m_isAppLimited);
  EXPECT_FALSE(tcp.rates->limited_by_application());
  tcp.send();
  tcp.wait(20ms);
  EXPECT_FALSE(tcp.acknowledge(4).m_isAppLimited);
}

}  // namespace
}  // namespace sennit
