// The edge daemon's file as checked plain data: edge.yaml. Its `tunnel:` block is read by what
// reads that of scenarios, so what was tried in the simulator is deployed without translation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/tunnel.h"
#include "real/config/keys.h"

namespace sennit {

/// The TUN device, where inner packets enter and leave.
struct InnerInterface {
  std::string name = "sennit0";
  std::vector<Prefix> addresses;       // with host bits: 10.77.0.1/24
  std::optional<std::uint16_t> mtu{};  // none: what the paths carry, and it follows them
  std::vector<Prefix> routes;          // into the tunnel, beside the peers' allowed_prefixes
  bool operator==(const InnerInterface&) const = default;
};

/// A local WAN: one network device, and a UDP socket bound to it.
struct Wan {
  std::string name;
  std::string interface;
  std::uint16_t port = 51820;
  std::uint8_t cost = 0;
  std::optional<BitRate> rate_max{};
  std::optional<std::uint16_t> mtu{};  // none: the device's
  bool operator==(const Wan&) const = default;
};

/// A peer's address; none: learned from its first authentic datagram.
struct Endpoint {
  std::string name;
  std::optional<Address> address{};
  bool operator==(const Endpoint&) const = default;
};

/// One local WAN towards one of the peer's addresses. Its index in the list is its PathId.
struct PathPlan {
  std::string name;
  std::size_t wan = 0, endpoint = 0;
  std::uint8_t cost = 0;
  bool operator==(const PathPlan&) const = default;
};

struct Peer {
  std::string name;
  TunnelKey public_key{};
  TunnelKey psk{};  // all zero: none
  std::vector<Endpoint> endpoints;
  std::vector<Prefix> allowed_prefixes;
  std::vector<PathPlan> paths;
  Association association;
  bool operator==(const Peer&) const = default;
};

inline constexpr const char* default_control_socket = "/run/sennit/sennitd.sock";

struct EdgeConfig {
  InnerInterface interface;
  TunnelKey private_key{};
  std::uint32_t mark = 0;  // SO_MARK of the outer sockets, for policy routing; 0 = none
  std::filesystem::path control = default_control_socket;
  std::vector<Wan> links;
  std::vector<Peer> peers;
  TunnelConfig tunnel;
  bool operator==(const EdgeConfig&) const = default;
};

/// All prefixes that are routed into the tunnel.
std::vector<Prefix> inner_routes(const EdgeConfig&);

/// Reads and checks a file; touches nothing else but a private_key_file. Throws InputError.
EdgeConfig load_edge_config(const std::filesystem::path& file);

}  // namespace sennit
