// ns-3's TCP defaults (segments of 536 bytes, a minimum timeout of 1 s, buffers of 128 KiB)
// describe no host of today. These settings make it resemble Linux, as far as ns-3 can: it has no
// RACK-TLP and no DSACK, and three duplicate acknowledgements are a loss, so it is a strict judge
// of reordering.
#pragma once

#include <cstdint>
#include <string>

#include "core/units.h"
#include "ns3/node.h"
#include "ns3/socket.h"
#include "sim/scenario/scenario.h"

namespace sennit {

/// Four times the bandwidth-delay product of all links of the variant together (the largest that
/// the scenario's events make of it), within 16..64 MiB.
Bytes tcp_buffer(const Scenario& scenario, const Variant& variant);

/// For all sockets made from now on. `mtu`: of the device that the flows leave by.
void apply_tcp_settings(std::uint16_t mtu, Bytes buffer);

/// A TCP socket on `node` with the congestion control of that name: cubic, newreno or bbr (which
/// paces itself). Sockets that it accepts inherit it. Throws InputError for another name.
ns3::Ptr<ns3::Socket> make_tcp_socket(ns3::Ptr<ns3::Node> node,
                                      const std::string& congestion_control);

}  // namespace sennit
