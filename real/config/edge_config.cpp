// edge.yaml, block by block, with the readers of scenario files.
#include "real/config/edge_config.h"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <limits>

#include "core/aead.h"
#include "core/bounds.h"
#include "real/config/endpoint.h"
#include "sim/scenario/field.h"
#include "sim/scenario/scalars.h"
#include "sim/scenario/text_file.h"
#include "sim/scenario/tunnel_block.h"

namespace sennit {
namespace {

using namespace yaml;

constexpr std::string_view key_allowed =
    "a key of 32 bytes: 44 characters of base64 or 64 hexadecimal digits (sennitctl keygen)";
constexpr std::uint16_t mtu_least = 576;  // RFC 791: what every IPv4 host must take
constexpr std::uint16_t inner_mtu_least = 68;

TunnelKey read_key(const Field& field) {
  const auto key = parse_key(field.node->text);
  // What was found may be most of a key, and messages end up in logs.
  if (!key) field.fail("something else", key_allowed);
  return *key;
}

/// A file with a key and nothing else, its path relative to the configuration's folder.
TunnelKey read_key_file(const Field& field, const std::filesystem::path& folder) {
  const auto content = read_text_file(folder / text(field));
  if (!content)
    field.fail(fmt::format("'{}', which cannot be read", field.node->text), "a file with a key");
  const auto key = parse_key(content->substr(0, content->find_last_not_of(" \n\r\t") + 1));
  if (!key) field.fail(fmt::format("'{}' with something else", field.node->text), key_allowed);
  return *key;
}

std::string read_device(const Field& field) {
  const std::string found = text(field);
  const bool fit = !found.empty() && found.size() < IFNAMSIZ &&
                   found.find_first_of("/ \t") == std::string::npos && found != "." &&
                   found != "..";
  if (!fit) field.fail("the name of a network device, 15 characters at most");
  return found;
}

Prefix read_own_address(const Field& field) {
  const std::string found = text(field);
  const auto address = parse_prefix(found);
  if (!address) field.fail("an address and its length such as 10.77.0.1/24 or 2001:db8::1/64");
  return *address;
}

std::optional<std::uint16_t> read_mtu_or_auto(const Field& field) {
  if (field.node->text == "auto") return {};
  return integer_between<std::uint16_t>(inner_mtu_least, std::uint16_t{packet_max})(field);
}

InnerInterface read_interface(const Field& block) {
  InnerInterface interface;
  std::string kind;
  read_block(block, {into("name", interface.name, read_device), into("kind", kind, one_of({"tun"})),
                     into("addresses", interface.addresses, list_of(read_own_address)),
                     into("mtu", interface.mtu, read_mtu_or_auto),
                     into("routes", interface.routes, list_of(read_prefix))});
  return interface;
}

Wan read_wan(const Field& block, std::vector<std::string>& names) {
  Wan wan;
  read_block(
      block,
      {required("name", wan.name, unique_name(names), "a name for the link"),
       required("interface", wan.interface, read_device, "the name of a network device"),
       into("port", wan.port, integer_between<std::uint16_t>(1, 65535)),
       into("cost", wan.cost, integer_between<std::uint8_t>(0, 255)),
       into("rate_max", wan.rate_max, rate),
       into("mtu", wan.mtu, integer_between<std::uint16_t>(mtu_least, std::uint16_t{packet_max}))});
  return wan;
}

std::vector<Wan> read_wans(const Field& list) {
  std::vector<Wan> wans;
  std::vector<std::string> names;
  read_list(list, [&](const Field& item) { wans.push_back(read_wan(item, names)); });
  if (wans.empty() || wans.size() > paths_max) {
    list.fail(fmt::format("{} links", wans.size()), fmt::format("1 to {} links", paths_max));
  }
  return wans;
}

std::optional<Address> read_address(const Field& field) {
  if (field.node->text == "learned") return {};
  const auto address = parse_endpoint(field.node->text);
  if (!address) {
    field.fail("an address and port such as 192.0.2.1:51820 or [2001:db8::1]:51820, or learned");
  }
  return address;
}

/// Either the address alone, named by its number, or a block.
Endpoint read_endpoint(const Field& field, std::vector<std::string>& names) {
  Endpoint endpoint;
  if (field.node->kind == Node::Kind::scalar) {
    endpoint.name = std::to_string(names.size());
    names.push_back(endpoint.name);
    endpoint.address = read_address(field);
    return endpoint;
  }
  read_block(field, {required("name", endpoint.name, unique_name(names), "a name"),
                     into("address", endpoint.address, read_address)});
  return endpoint;
}

std::vector<Endpoint> read_endpoints(const Field& list) {
  std::vector<Endpoint> endpoints;
  std::vector<std::string> names;
  read_list(list, [&](const Field& item) { endpoints.push_back(read_endpoint(item, names)); });
  if (endpoints.empty() || endpoints.size() > paths_max) {
    list.fail(fmt::format("{} endpoints", endpoints.size()),
              fmt::format("1 to {} endpoints", paths_max));
  }
  return endpoints;
}

PathPlan read_path(const Field& block, const std::vector<Wan>& wans, const Peer& peer,
                   std::vector<std::string>& names) {
  PathPlan path;
  const auto wan = [&](const Field& field) { return read_word(field, names_of(wans)); };
  const auto endpoint = [&](const Field& field) {
    return read_word(field, names_of(peer.endpoints));
  };
  // The link comes first, for its cost is the default.
  if (const Node* link = block.node->find("link")) {
    path.wan = wan(block.child("link", *link));
    path.cost = wans[path.wan].cost;
  }
  read_block(block, {required("name", path.name, unique_name(names), "a name for the path"),
                     required("link", path.wan, wan, "the name of one of the links"),
                     into("endpoint", path.endpoint, endpoint),
                     into("cost", path.cost, integer_between<std::uint8_t>(0, 255))});
  return path;
}

/// Every link to every endpoint. Both ends must count alike, so the links of the end whose public
/// key is the smaller one count in front.
std::vector<PathPlan> every_path(const std::vector<Wan>& wans, const Peer& peer) {
  std::vector<PathPlan> paths;
  for (std::size_t wan = 0; wan < wans.size(); ++wan) {
    for (std::size_t endpoint = 0; endpoint < peer.endpoints.size(); ++endpoint) {
      const std::string name = peer.endpoints.size() == 1
                                   ? wans[wan].name
                                   : wans[wan].name + "-" + peer.endpoints[endpoint].name;
      paths.push_back({name, wan, endpoint, wans[wan].cost});
    }
  }
  if (peer.association.role == Role::b) {
    std::stable_sort(paths.begin(), paths.end(),
                     [](const PathPlan& x, const PathPlan& y) { return x.endpoint < y.endpoint; });
  }
  return paths;
}

void read_paths(const Field& block, const std::vector<Wan>& wans, Peer& peer) {
  std::vector<std::string> names;
  if (const Node* list = block.node->find("paths")) {
    read_list(block.child("paths", *list),
              [&](const Field& item) { peer.paths.push_back(read_path(item, wans, peer, names)); });
  } else {
    peer.paths = every_path(wans, peer);
  }
  if (peer.paths.empty() || peer.paths.size() > paths_max) {
    block.fail(fmt::format("{} paths", peer.paths.size()), fmt::format("1 to {}", paths_max));
  }
}

Peer read_peer(const Field& block, const EdgeConfig& config, std::vector<std::string>& names) {
  Peer peer;
  read_block(block, {required("name", peer.name, unique_name(names), "a name for the peer"),
                     required("public_key", peer.public_key, read_key, std::string(key_allowed)),
                     into("psk", peer.psk, read_key),
                     required("endpoints", peer.endpoints, read_endpoints, "the peer's addresses"),
                     into("allowed_prefixes", peer.allowed_prefixes, list_of(read_prefix)),
                     elsewhere("paths")});
  const auto association = associate(config.private_key, peer.public_key, peer.psk);
  if (!association) {
    block.child("public_key", *block.node->find("public_key"))
        .fail("a key that gives no secret", "the peer's own public key");
  }
  peer.association = *association;
  read_paths(block, config.links, peer);
  return peer;
}

std::vector<Peer> read_peers(const Field& list, const EdgeConfig& config) {
  std::vector<Peer> peers;
  std::vector<std::string> names;
  read_list(list, [&](const Field& item) { peers.push_back(read_peer(item, config, names)); });
  if (peers.size() != 1) list.fail(fmt::format("{} peers", peers.size()), "exactly one peer");
  return peers;
}

std::filesystem::path read_socket_path(const Field& field) {
  constexpr std::size_t longest = 107;  // sockaddr_un
  const std::string found = text(field);
  if (!found.starts_with('/') || found.size() > longest) {
    field.fail(fmt::format("an absolute path of {} characters at most", longest));
  }
  return found;
}

void read_private_key(const Field& root, EdgeConfig& config, const std::filesystem::path& folder) {
  const bool key = root.node->find("private_key") != nullptr;
  const bool file = root.node->find("private_key_file") != nullptr;
  if (key == file) {
    fail(root.node->origin, "private_key", key ? "private_key and private_key_file" : "nothing",
         "one of private_key and private_key_file");
  }
  const auto from_file = [&](const Field& field) { return read_key_file(field, folder); };
  const std::string name = key ? "private_key" : "private_key_file";
  const Field field = root.child(name, *root.node->find(name));
  config.private_key = key ? read_key(field) : from_file(field);
}

EdgeConfig read_edge_config(const Field& root, const std::filesystem::path& folder) {
  EdgeConfig config;
  const auto mark = integer_between<std::uint32_t>(0, std::numeric_limits<std::uint32_t>::max());
  read_block(root, {into("interface", config.interface, read_interface), elsewhere("private_key"),
                    elsewhere("private_key_file"), into("mark", config.mark, mark),
                    into("control", config.control, read_socket_path),
                    required("links", config.links, read_wans, "a list of links"),
                    elsewhere("peers"), elsewhere("tunnel")});
  read_private_key(root, config, folder);
  const auto peers = [&](const Field& field) { return read_peers(field, config); };
  // The keys were all known above; now those that refer to others.
  const Node* list = root.node->find("peers");
  if (list == nullptr) fail(root.node->origin, "peers", "nothing", "a list of peers");
  config.peers = peers(root.child("peers", *list));
  if (const Node* tunnel = root.node->find("tunnel")) {
    const std::vector<std::string> paths = names_of(config.peers.front().paths);
    config.tunnel = read_tunnel(root.child("tunnel", *tunnel), &paths);
  }
  return config;
}

}  // namespace

std::vector<Prefix> inner_routes(const EdgeConfig& config) {
  std::vector<Prefix> routes = config.interface.routes;
  for (const Peer& peer : config.peers) {
    routes.insert(routes.end(), peer.allowed_prefixes.begin(), peer.allowed_prefixes.end());
  }
  return routes;
}

EdgeConfig load_edge_config(const std::filesystem::path& file) {
  const auto text = read_text_file(file);
  if (!text) {
    fail(file.string(), "", "no file that can be read", "the path of an edge.yaml");
  }
  const Node tree = parse(*text, file.string());
  return read_edge_config({&tree, ""}, file.parent_path());
}

}  // namespace sennit
