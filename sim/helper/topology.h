// Two sites, a and b, and the WAN links between them: the world below the tunnel.
#pragma once

#include <cstdint>
#include <vector>

#include "ns3/ipv4-address.h"
#include "ns3/node.h"
#include "sim/model/emulated_link_device.h"
#include "sim/scenario/scenario.h"

namespace sennit {

/// One link with both its ends. `a` transmits by the scenario's `up`, `b` by its `down`.
struct LinkEnds {
  std::size_t index;  // in scenario.links
  ns3::Ptr<EmulatedLinkDevice> a, b;
  ns3::Ipv4Address address_a, address_b;
};

struct Topology {
  ns3::Ptr<ns3::Node> a, b;
  std::vector<LinkEnds> links;  // in the order of variant.links: the index is the PathId
};

/// Builds the nodes with ns-3's stack and the links of one variant, each a
/// network 10.1.<index>.0/30 with a at .1 and b at .2. `seed` makes the links' losses and jitter.
Topology build_topology(const Scenario& scenario, const Variant& variant, std::uint64_t seed);

/// Gives a device an IPv4 address of a /30, which also makes the route to its other end. No queue
/// discipline is put on top: the device's own queue is the only one.
void give_address(ns3::Ptr<ns3::NetDevice> device, ns3::Ipv4Address address);

}  // namespace sennit
