#include "core/classifier.h"

#include <gtest/gtest.h>

#include "core/inner_packet_samples.h"

namespace sennit {
namespace {

constexpr ClassId realtime{0}, interactive{1}, bulk{2};

Prefix ipv4_prefix(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, int length) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d},
          static_cast<std::uint8_t>(96 + length)};
}

ClassId classify(const TunnelConfig& config, const samples::Udp& udp) {
  return Classifier{config}.classify(*parse_inner(samples::ipv4(udp)));
}

QosRule rule_for(const char* class_name) {
  QosRule rule;
  rule.class_name = class_name;
  return rule;
}

TEST(Classifier, dscp_decides_without_rules) {
  for (std::uint8_t dscp = 0; dscp < 64; ++dscp) {
    ClassId expected = bulk;
    if (dscp == 46 || dscp == 40) expected = realtime;
    if (dscp == 34 || dscp == 36 || dscp == 38 || dscp == 32 || dscp == 24) expected = interactive;
    EXPECT_EQ(classify({}, {.dscp = dscp}), expected) << int{dscp};
  }
}

TEST(Classifier, the_first_rule_that_matches_wins) {
  TunnelConfig config;
  config.rules = {rule_for("interactive"), rule_for("realtime")};
  config.rules[0].protocol = 6;
  EXPECT_EQ(classify(config, {.protocol = 6}), interactive);
  EXPECT_EQ(classify(config, {.protocol = 17}), realtime);
}

TEST(Classifier, a_rule_beats_dscp) {
  TunnelConfig config;
  config.rules = {rule_for("bulk")};
  config.rules[0].dscp = 46;
  EXPECT_EQ(classify(config, {.dscp = 46}), bulk);
  EXPECT_EQ(classify(config, {.dscp = 40}), realtime);
}

TEST(Classifier, ports_match_as_ranges_and_only_where_there_are_ports) {
  TunnelConfig config;
  config.rules = {rule_for("realtime")};
  config.rules[0].destination_port = PortRange{5000, 5010};
  EXPECT_EQ(classify(config, {.destination_port = 4999}), bulk);
  EXPECT_EQ(classify(config, {.destination_port = 5000}), realtime);
  EXPECT_EQ(classify(config, {.destination_port = 5010}), realtime);
  EXPECT_EQ(classify(config, {.destination_port = 5011}), bulk);
  EXPECT_EQ(classify(config, {.source_port = 5005}), bulk);
  EXPECT_EQ(classify(config, {.destination_port = 5005, .protocol = 1}), bulk);
  config.rules[0].destination_port = PortRange{0, 65535};
  EXPECT_EQ(classify(config, {.protocol = 1}), bulk);
}

TEST(Classifier, prefixes_match_bit_by_bit) {
  TunnelConfig config;
  config.rules = {rule_for("realtime")};
  config.rules[0].source = ipv4_prefix(10, 0, 0, 0, 29);
  EXPECT_EQ(classify(config, {.source = 0x0a000007}), realtime);
  EXPECT_EQ(classify(config, {.source = 0x0a000008}), bulk);
  config.rules[0].source = ipv4_prefix(10, 0, 0, 7, 32);
  EXPECT_EQ(classify(config, {.source = 0x0a000007}), realtime);
  EXPECT_EQ(classify(config, {.source = 0x0a000006}), bulk);
  config.rules[0].source = std::nullopt;
  config.rules[0].destination = ipv4_prefix(192, 168, 0, 0, 16);
  EXPECT_EQ(classify(config, {.destination = 0xc0a8ffff}), realtime);
  EXPECT_EQ(classify(config, {.destination = 0xc0a90000}), bulk);
}

TEST(Classifier, an_ipv4_prefix_does_not_match_ipv6_nor_the_reverse) {
  TunnelConfig config;
  config.rules = {rule_for("realtime")};
  config.rules[0].source = ipv4_prefix(0, 0, 0, 0, 0);
  const Classifier any_ipv4{config};
  EXPECT_EQ(any_ipv4.classify(*parse_inner(samples::ipv4({}))), realtime);
  EXPECT_EQ(any_ipv4.classify(*parse_inner(samples::ipv6({}))), bulk);
  config.rules[0].source = Prefix{{0x20, 0x01, 0x0d, 0xb8}, 32};
  const Classifier documentation{config};
  EXPECT_EQ(documentation.classify(*parse_inner(samples::ipv4({}))), bulk);
  EXPECT_EQ(documentation.classify(*parse_inner(samples::ipv6({}))), realtime);
}

TEST(Classifier, an_empty_prefix_matches_everything) {
  EXPECT_TRUE(contains(Prefix{}, parse_inner(samples::ipv4({}))->source));
  EXPECT_TRUE(contains(Prefix{}, parse_inner(samples::ipv6({}))->source));
}

}  // namespace
}  // namespace sennit
