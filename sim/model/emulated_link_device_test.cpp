#include "sim/model/emulated_link_device.h"

#include <vector>

#include <gtest/gtest.h>

#include "ns3/inet-socket-address.h"
#include "ns3/socket.h"
#include "ns3/udp-socket-factory.h"
#include "sim/helper/topology.h"

namespace sennit {
namespace {

/// One link of 10 Mbit/s and 20 ms there, 30 ms back, with a UDP socket at either end.
struct EmulatedLinkTest : ::testing::Test {
  EmulatedLinkTest() {
    Link link;
    link.name = "l";
    link.up.capacity = link.down.capacity = BitRate::from_mbps(10);
    link.up.delay = 20ms;
    link.down.delay = 30ms;
    link.up.queue = QueuePackets{2};
    scenario.links.push_back(link);
    Variant variant;
    variant.name = "default";
    variant.links = {"l"};
    topology = build_topology(scenario, variant, 1);
    sender = socket(topology.a);
    receiver = socket(topology.b);
    receiver->SetRecvCallback(
        ns3::Callback<void, ns3::Ptr<ns3::Socket>>([this](ns3::Ptr<ns3::Socket> s) {
          while (s->Recv()) arrived.push_back(simulated_now() - Instant{});
        }));
  }
  ~EmulatedLinkTest() override {
    sender = receiver = nullptr;
    topology = {};
    ns3::Simulator::Destroy();
  }
  static ns3::Ptr<ns3::Socket> socket(ns3::Ptr<ns3::Node> node) {
    auto s = ns3::Socket::CreateSocket(node, ns3::UdpSocketFactory::GetTypeId());
    s->Bind(ns3::InetSocketAddress(ns3::Ipv4Address::GetAny(), 7));
    return s;
  }
  EmulatedLinkDevice& a() { return *topology.links[0].a; }
  void send(std::uint32_t ip_packet_size) {
    sender->SendTo(ns3::Create<ns3::Packet>(ip_packet_size - 28), 0,
                   ns3::InetSocketAddress(topology.links[0].address_b, 7));
  }

  Scenario scenario;
  Topology topology;
  ns3::Ptr<ns3::Socket> sender, receiver;
  std::vector<Duration> arrived;
};

TEST_F(EmulatedLinkTest, a_packet_takes_its_transmission_and_the_links_delay) {
  send(1250);  // 1 ms at 10 Mbit/s
  ns3::Simulator::Run();
  EXPECT_EQ(arrived, std::vector<Duration>{21ms});
}

TEST_F(EmulatedLinkTest, packets_of_one_instant_arrive_one_transmission_apart) {
  send(1250);
  send(1250);
  ns3::Simulator::Run();
  EXPECT_EQ(arrived, (std::vector<Duration>{21ms, 22ms}));
}

TEST_F(EmulatedLinkTest, a_packet_above_the_links_mtu_is_dropped_and_not_fragmented) {
  std::size_t dropped = 0;
  a().TraceConnectWithoutContext("MacTxDrop",
                                 ns3::Callback<void, ns3::Ptr<const ns3::Packet>>(
                                     [&dropped](ns3::Ptr<const ns3::Packet>) { ++dropped; }));
  send(1500);
  send(1501);
  ns3::Simulator::Run();
  EXPECT_EQ(arrived.size(), 1u);
  EXPECT_EQ(dropped, 1u);
}

TEST_F(EmulatedLinkTest, a_full_queue_drops_what_comes_last) {
  for (int i = 0; i < 10; ++i) send(1250);
  ns3::Simulator::Run();
  EXPECT_EQ(arrived.size(), 3u);  // one in transmission and two in the queue
  EXPECT_EQ(a().transmitter().stats().dropped_packets, 7u);
}

TEST_F(EmulatedLinkTest, every_exit_is_reported_with_the_size_of_the_ip_packet) {
  std::vector<std::int64_t> sizes;
  a().on_exit([&](Instant, const Exit& exit, Bytes size) {
    EXPECT_FALSE(exit.lost);
    sizes.push_back(size.count);
  });
  send(1250);
  send(200);
  ns3::Simulator::Run();
  EXPECT_EQ(sizes, (std::vector<std::int64_t>{1250, 200}));
}

TEST_F(EmulatedLinkTest, a_black_hole_takes_packets_and_says_nothing) {
  LinkConfig config = scenario.links[0].up;
  config.state = LinkState::blackhole;
  a().configure(Instant{}, config);
  send(1250);
  ns3::Simulator::Run();
  EXPECT_TRUE(arrived.empty());
  EXPECT_TRUE(a().IsLinkUp());
}

TEST_F(EmulatedLinkTest, the_stack_hears_once_of_each_change_of_carrier) {
  int changes = 0;
  a().AddLinkChangeCallback(ns3::Callback<void>([&changes] { ++changes; }));
  a().set_carrier(false);
  a().set_carrier(false);
  EXPECT_FALSE(a().IsLinkUp());
  a().set_carrier(true);
  EXPECT_EQ(changes, 2);
}

}  // namespace
}  // namespace sennit
