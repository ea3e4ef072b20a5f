#include "sim/helper/topology.h"

#include <algorithm>
#include <map>
#include <string>

#include "core/assert.h"
#include "ns3/internet-stack-helper.h"
#include "ns3/ipv4-interface-address.h"
#include "ns3/ipv4-static-routing-helper.h"
#include "ns3/ipv4.h"
#include "ns3/node-container.h"

namespace sennit {

namespace {

/// The transmitters that links share, by name; each direction has its own.
class SharedBottlenecks {
 public:
  std::shared_ptr<SharedBottleneck> of(const Link& link) {
    if (!link.shared_bottleneck) return nullptr;
    auto& bottleneck = by_name_[*link.shared_bottleneck];
    if (!bottleneck) bottleneck = std::make_shared<SharedBottleneck>();
    return bottleneck;
  }

 private:
  std::map<std::string, std::shared_ptr<SharedBottleneck>> by_name_;
};

ns3::Ipv4Address link_address(std::size_t link, std::uint32_t host) {
  return ns3::Ipv4Address(0x0a010000u + static_cast<std::uint32_t>(link) * 256 + host);
}

std::size_t index_of(const Scenario& scenario, const std::string& name) {
  const auto found = std::ranges::find(scenario.links, name, &Link::name);
  SENNIT_ASSERT(found != scenario.links.end());
  return static_cast<std::size_t>(found - scenario.links.begin());
}

void install_stack(const Topology& topology) {
  ns3::InternetStackHelper stack;
  stack.SetIpv6StackInstall(false);
  stack.SetRoutingHelper(ns3::Ipv4StaticRoutingHelper());
  const ns3::NodeContainer nodes(topology.a, topology.b);
  stack.Install(nodes);
  stack.AssignStreams(nodes, 0);  // else a second run in this process would draw others
}

}  // namespace

void give_address(ns3::Ptr<ns3::NetDevice> device, ns3::Ipv4Address address) {
  const auto ipv4 = device->GetNode()->GetObject<ns3::Ipv4>();
  const std::uint32_t interface = ipv4->AddInterface(device);
  ipv4->AddAddress(interface, ns3::Ipv4InterfaceAddress(address, ns3::Ipv4Mask("255.255.255.252")));
  ipv4->SetMetric(interface, 1);
  ipv4->SetUp(interface);
}

Topology build_topology(const Scenario& scenario, const Variant& variant, std::uint64_t seed) {
  Topology topology{ns3::CreateObject<ns3::Node>(), ns3::CreateObject<ns3::Node>(), {}};
  install_stack(topology);
  SharedBottlenecks shared_up, shared_down;
  for (const std::string& name : variant.links) {
    const std::size_t i = index_of(scenario, name);
    const Link& link = scenario.links[i];
    const Rng rng = Rng{seed}.fork("link").fork(name);
    const auto channel = ns3::CreateObject<EmulatedLinkChannel>();
    LinkEnds ends{i, ns3::CreateObject<EmulatedLinkDevice>(),
                  ns3::CreateObject<EmulatedLinkDevice>(), link_address(i, 1), link_address(i, 2)};
    ends.a->attach(LinkModel{link.up, rng.fork("up"), Instant{}, shared_up.of(link)}, channel);
    ends.b->attach(LinkModel{link.down, rng.fork("down"), Instant{}, shared_down.of(link)},
                   channel);
    topology.a->AddDevice(ends.a);
    topology.b->AddDevice(ends.b);
    give_address(ends.a, ends.address_a);
    give_address(ends.b, ends.address_b);
    topology.links.push_back(ends);
  }
  return topology;
}

}  // namespace sennit
