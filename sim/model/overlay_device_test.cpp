#include "sim/model/overlay_device.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "ns3/inet-socket-address.h"
#include "ns3/udp-socket-factory.h"
#include "sim/helper/topology.h"

namespace sennit {
namespace {

struct Counts final : OverlayObserver {
  void inner_entered(Instant, std::span<const std::byte>) override { ++entered; }
  void inner_left(Instant, std::span<const std::byte>) override { ++left; }
  void traced(std::span<const TraceRecord> records) override { traced_records += records.size(); }
  std::size_t entered = 0, left = 0, traced_records = 0;
};

/// Two links of 50 Mbit/s and 20 ms with a tunnel over them and a UDP socket at either end of it.
struct OverlayTest : ::testing::Test {
  OverlayTest() {
    for (const char* name : {"x", "y"}) {
      Link link;
      link.name = name;
      link.up.capacity = link.down.capacity = BitRate::from_mbps(50);
      link.up.delay = link.down.delay = 20ms;
      scenario.links.push_back(link);
    }
    Variant variant;
    variant.name = "default";
    variant.links = {"x", "y"};
    topology = build_topology(scenario, variant, 1);
    a.emplace(topology.a, TunnelConfig{}, Role::a, SessionSecret{}, 1, links(true), seen_a);
    b.emplace(topology.b, TunnelConfig{}, Role::b, SessionSecret{}, 2, links(false), seen_b);
    give_address(a->device(), ns3::Ipv4Address("10.0.0.1"));
    give_address(b->device(), ns3::Ipv4Address("10.0.0.2"));
    sender = socket(topology.a);
    receiver = socket(topology.b);
    receiver->SetRecvCallback(
        ns3::Callback<void, ns3::Ptr<ns3::Socket>>([this](ns3::Ptr<ns3::Socket> s) {
          while (const auto packet = s->Recv()) {
            arrived.push_back(simulated_now() - Instant{});
            sizes.push_back(packet->GetSize());
          }
        }));
  }
  ~OverlayTest() override {
    sender = receiver = nullptr;
    a.reset();
    b.reset();
    topology = {};
    ns3::Simulator::Destroy();
  }
  std::vector<OverlayLink> links(bool at_a) const {
    std::vector<OverlayLink> result;
    for (const LinkEnds& ends : topology.links) {
      OverlayLink& link = result.emplace_back();
      link.config.name = scenario.links[ends.index].name;
      link.device = at_a ? ends.a : ends.b;
      link.peer_address = (at_a ? ends.address_b : ends.address_a).Get();
    }
    return result;
  }
  static ns3::Ptr<ns3::Socket> socket(ns3::Ptr<ns3::Node> node) {
    auto s = ns3::Socket::CreateSocket(node, ns3::UdpSocketFactory::GetTypeId());
    s->Bind(ns3::InetSocketAddress(ns3::Ipv4Address::GetAny(), 7));
    return s;
  }
  void send_at(Duration when, std::uint32_t payload) {
    ns3::Simulator::Schedule(to_ns3(when), [this, payload] {
      sender->SendTo(ns3::Create<ns3::Packet>(payload), 0,
                     ns3::InetSocketAddress(ns3::Ipv4Address("10.0.0.2"), 7));
    });
  }
  void run(Duration until) {
    ns3::Simulator::Stop(to_ns3(until));
    ns3::Simulator::Run();
  }

  Scenario scenario;
  Topology topology;
  Counts seen_a, seen_b;
  std::optional<OverlayDevice> a, b;
  ns3::Ptr<ns3::Socket> sender, receiver;
  std::vector<Duration> arrived;
  std::vector<std::uint32_t> sizes;
};

TEST_F(OverlayTest, a_packet_of_the_stack_comes_out_at_the_other_end_after_the_links_delay) {
  send_at(1s, 500);
  run(2s);
  ASSERT_EQ(sizes, std::vector<std::uint32_t>{500});
  EXPECT_GT(arrived[0], 1s + 20ms);
  EXPECT_LT(arrived[0], 1s + 25ms);
  EXPECT_EQ(seen_a.entered, 1u);
  EXPECT_EQ(seen_b.left, 1u);
}

TEST_F(OverlayTest, the_largest_packet_that_the_device_claims_to_take_fits) {
  EXPECT_EQ(a->device()->GetMtu(), a->tunnel().inner_mtu());
  send_at(1s, a->device()->GetMtu() - 28u);
  run(2s);
  EXPECT_EQ(sizes.size(), 1u);
  EXPECT_EQ(seen_a.entered, 1u);
}

TEST_F(OverlayTest, packets_of_one_instant_all_arrive_in_order) {
  for (std::uint32_t i = 0; i < 200; ++i) send_at(1s, 100 + i);
  run(2s);
  ASSERT_EQ(sizes.size(), 200u);
  EXPECT_TRUE(std::is_sorted(sizes.begin(), sizes.end()));
  EXPECT_EQ(a->refused_packets() + b->refused_packets(), 0u);
}

TEST_F(OverlayTest, traffic_survives_the_loss_of_either_links_carrier) {
  ns3::Simulator::Schedule(to_ns3(900ms), [this] {
    for (EmulatedLinkDevice* end :
         {ns3::PeekPointer(topology.links[0].a), ns3::PeekPointer(topology.links[0].b)}) {
      LinkConfig config = scenario.links[0].up;
      config.state = LinkState::carrier_down;
      end->configure(simulated_now(), config);
    }
    a->handle_carrier(PathId{0}, false);
    b->handle_carrier(PathId{0}, false);
  });
  for (int i = 0; i < 10; ++i) send_at(1s + i * 20ms, 500);
  run(2s);
  EXPECT_EQ(sizes.size(), 10u);
}

TEST_F(OverlayTest, the_trace_reaches_the_observer_before_the_core_must_drop_records) {
  for (int i = 0; i < 20000; ++i) send_at(1s + i * 100us, 500);
  run(4s);
  a->flush_trace();
  EXPECT_GT(seen_a.traced_records, 40000u);
  EXPECT_EQ(a->tunnel().metrics(simulated_now()).trace_overflow, 0u);
  EXPECT_EQ(b->tunnel().metrics(simulated_now()).trace_overflow, 0u);
}

}  // namespace
}  // namespace sennit
