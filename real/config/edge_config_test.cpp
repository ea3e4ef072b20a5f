#include "real/config/edge_config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "real/config/endpoint.h"
#include "sim/scenario/input_error.h"
#include "sim/scenario/text_file.h"

namespace sennit {
namespace {

// Two pairs whose public keys are in this order.
const TunnelKey key_a =
    *parse_key("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20");
const TunnelKey key_b =
    *parse_key("2122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40");

class EdgeFile : public testing::Test {
 protected:
  EdgeFile() { std::filesystem::create_directories(folder_); }
  ~EdgeFile() override { std::filesystem::remove_all(folder_); }

  EdgeConfig load(const std::string& text) {
    std::ofstream(file()) << text;
    return load_edge_config(file());
  }
  std::string error_of(const std::string& text) {
    try {
      load(text);
    } catch (const InputError& error) {
      const std::string words = error.what();
      return words.substr(folder_.string().size() + 1);
    }
    return "no error";
  }
  std::filesystem::path file() const { return folder_ / "edge.yaml"; }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      testing::UnitTest::GetInstance()->current_test_info()->name();
};

std::string end(const TunnelKey& own, const TunnelKey& peer, const std::string& peers_rest,
                const std::string& rest = "") {
  return "private_key: " + to_base64(own) +
         "\n"
         "links:\n"
         "  - {name: dsl, interface: eth0}\n"
         "  - {name: lte, interface: wwan0, cost: 5, port: 4500}\n"
         "peers:\n"
         "  - name: hub\n"
         "    public_key: " +
         to_base64(public_key_of(peer)) + "\n" + peers_rest + rest;
}
const std::string one_endpoint = "    endpoints: ['192.0.2.1:51820']\n";
const std::string two_endpoints = "    endpoints: ['192.0.2.1:51820', '[2001:db8::1]:51820']\n";

std::vector<std::string> names(const EdgeConfig& config) {
  std::vector<std::string> all;
  for (const PathPlan& path : config.peers.front().paths) all.push_back(path.name);
  return all;
}

TEST_F(EdgeFile, the_least_file_has_a_path_per_link) {
  const EdgeConfig config = load(end(key_a, key_b, one_endpoint));
  EXPECT_EQ(names(config), (std::vector<std::string>{"dsl", "lte"}));
  EXPECT_EQ(config.peers.front().paths[1].cost, 5);
  EXPECT_EQ(config.links[1].port, 4500);
  EXPECT_EQ(config.interface.name, "sennit0");
  EXPECT_FALSE(config.interface.mtu);
  EXPECT_EQ(config.tunnel.classes.size(), default_classes().size());
}

TEST_F(EdgeFile, both_ends_count_every_link_to_every_endpoint_alike) {
  const EdgeConfig a = load(end(key_a, key_b, two_endpoints));
  const EdgeConfig b = load(end(key_b, key_a, two_endpoints));
  ASSERT_NE(a.peers.front().association.role, b.peers.front().association.role);
  EXPECT_EQ(a.peers.front().association.secret, b.peers.front().association.secret);
  for (std::size_t id = 0; id < 4; ++id) {
    const PathPlan& here = a.peers.front().paths[id];
    const PathPlan& there = b.peers.front().paths[id];
    EXPECT_EQ(here.wan, there.endpoint) << id;
    EXPECT_EQ(here.endpoint, there.wan) << id;
  }
}

TEST_F(EdgeFile, paths_may_be_named_and_mapped) {
  const EdgeConfig config = load(end(key_a, key_b,
                                     "    endpoints: [{name: v4, address: '192.0.2.1:1'}, {name: "
                                     "nat}]\n"
                                     "    allowed_prefixes: [10.0.0.0/8, '2001:db8::/32']\n"
                                     "    paths: [{name: x, link: lte, endpoint: nat}]\n",
                                     "tunnel: {classes: {bulk: {links: [x]}}}\n"
                                     "interface: {addresses: [10.1.2.3/24], mtu: 1280}\n"));
  const Peer& peer = config.peers.front();
  EXPECT_EQ(names(config), std::vector<std::string>{"x"});
  EXPECT_EQ(peer.paths[0].cost, 5);
  EXPECT_FALSE(peer.endpoints[peer.paths[0].endpoint].address);
  EXPECT_EQ(show(config.interface.addresses[0]), "10.1.2.3/24");
  EXPECT_EQ(show(inner_routes(config)[1]), "2001:db8::/32");
  EXPECT_EQ(config.interface.mtu, 1280);
}

TEST_F(EdgeFile, a_key_may_lie_in_a_file_beside_it) {
  std::ofstream(folder_ / "own.key") << to_base64(key_a) << "\n";
  std::string text = end(key_a, key_b, one_endpoint);
  text = "private_key_file: own.key" + text.substr(text.find('\n'));
  EXPECT_EQ(load(text).private_key, key_a);
}

TEST_F(EdgeFile, mistakes_are_named_with_line_key_and_what_is_allowed) {
  const std::string good = end(key_a, key_b, one_endpoint);
  const struct {
    std::string text, words;
  } cases[] = {
      {good + "interfaces: {}\n", "edge.yaml:9: interfaces: found unknown key 'interfaces'"},
      {good + "mark: -1\n", "edge.yaml:9: mark: found '-1'; allowed: a whole number from 0"},
      {end(key_a, key_a, one_endpoint), "public_key: found a key that gives no secret"},
      {end(key_a, key_b, "    endpoints: ['192.0.2.1']\n"), "endpoints[0]: found '192.0.2.1'"},
      {end(key_a, key_b, one_endpoint + "    psk: secret\n"),
       "edge.yaml:9: peers[0].psk: found something else; allowed: a key of 32 bytes"},
      {end(key_a, key_b, one_endpoint + "    paths: [{name: x, link: dls}]\n"),
       "paths[0].link: found 'dls'; allowed: dsl, lte"},
      {end(key_a, key_b, one_endpoint + "    allowed_prefixes: [10.0.0.1/8]\n"),
       "allowed_prefixes[0]: found '10.0.0.1/8'; allowed: a prefix without host bits"},
      {good + "interface: {kind: tap}\n", "interface.kind: found 'tap'"},
      {good + "private_key_file: x\n", "found private_key and private_key_file; allowed: one of"},
      {good + "tunnel: {classes: {bulk: {links: [fibre]}}}\n", "found 'fibre'"},
      {good.substr(0, good.find("peers:")), "peers: found nothing; allowed: a list of peers"},
      {good + "interface: {name: much-too-long-a-name}\n", "15 characters at most"},
  };
  for (const auto& bad : cases) {
    const std::string words = error_of(bad.text);
    EXPECT_NE(words.find(bad.words), std::string::npos) << words << "\n  for " << bad.words;
  }
}

TEST_F(EdgeFile, a_wrong_key_is_not_repeated_in_the_message) {
  const std::string almost = to_base64(key_b).substr(1);
  std::string text = end(key_a, key_b, one_endpoint);
  text = "private_key: " + almost + text.substr(text.find('\n'));
  EXPECT_EQ(error_of(text).find(almost), std::string::npos);
}

/// The manual's example of an edge.yaml, the third block of YAML in it.
std::string manual_example() {
  const std::string fence = "```yaml\n";
  const std::string text =
      read_text_file(std::filesystem::path(SENNIT_SOURCE_DIR) / "docs/configuration.md").value();
  std::size_t begin = 0;
  for (int i = 0; i < 3; ++i) begin = text.find(fence, begin) + fence.size();
  return text.substr(begin, text.find("```", begin) - begin);
}

TEST_F(EdgeFile, the_manuals_example_loads_as_it_stands) {
  const EdgeConfig config = load(manual_example());
  EXPECT_EQ(names(config), (std::vector<std::string>{"dsl", "lte"}));
  EXPECT_EQ(config.peers.front().endpoints.size(), 3u);
}

TEST_F(EdgeFile, the_manuals_example_names_every_key) {
  const std::string text = manual_example();
  for (const char* block : {"unknown: 1\n", "interface: {unknown: 1}\n"}) {
    const std::string words = error_of(block);
    std::string keys = words.substr(words.find("allowed: ") + 9);
    for (std::size_t end = 0; !keys.empty(); keys = keys.substr(std::min(end + 2, keys.size()))) {
      end = std::min(keys.find(", "), keys.size());
      EXPECT_NE(text.find(keys.substr(0, end) + ":"), std::string::npos) << keys.substr(0, end);
    }
  }
}

TEST(Endpoint, is_read_and_shown) {
  for (const char* text : {"192.0.2.1:51820", "[2001:db8::1]:1", "[::1]:65535"}) {
    const auto address = parse_endpoint(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(show(*address), text);
  }
  for (const char* text : {"192.0.2.1", "192.0.2.1:0", "192.0.2.1:65536", "2001:db8::1:7", "[::1]",
                           "host:1", ":1", "[192.0.2.1]:1", ""}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

}  // namespace
}  // namespace sennit
