// QoS rules: which packets belong to which class.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "sim/scenario/scalars.h"
#include "sim/scenario/tunnel_block.h"

namespace sennit::yaml {
namespace {

constexpr std::string_view prefix_allowed =
    "a prefix without host bits such as 10.0.0.0/8 or 2001:db8::/32, or one address";

template <class T>
std::optional<T> parse_integer(std::string_view text, T most) {
  T number{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return {};
  if (number > most) return {};
  return number;
}

/// An address as 16 bytes, and how many of its bits are the host's to choose.
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  int bits = 0;
};
std::optional<Address> parse_address(const std::string& text) {
  Address v6{.bits = 128};
  if (inet_pton(AF_INET6, text.c_str(), v6.bytes.data()) == 1) return v6;
  Address v4{.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, .bits = 32};
  if (inet_pton(AF_INET, text.c_str(), v4.bytes.data() + 12) == 1) return v4;
  return {};
}

bool has_host_bits(const Prefix& prefix) {
  for (std::size_t bit = prefix.length; bit < 128; ++bit) {
    if ((prefix.address[bit / 8] >> (7 - bit % 8) & 1) != 0) return true;
  }
  return false;
}

std::uint8_t read_protocol(const Field& field) {
  const std::string found = text(field);
  if (found == "icmp") return 1;
  if (found == "tcp") return 6;
  if (found == "udp") return 17;
  if (found == "icmpv6") return 58;
  const auto number = parse_integer<std::uint8_t>(found, 255);
  if (!number) field.fail("udp, tcp, icmp, icmpv6 or a protocol number from 0 to 255");
  return *number;
}

PortRange read_ports(const Field& field) {
  const std::string found = text(field);
  const std::size_t dash = std::min(found.find('-'), found.size());
  const std::string_view view = found;
  const auto first = parse_integer<std::uint16_t>(view.substr(0, dash), 65535);
  const auto last =
      dash == found.size() ? first : parse_integer<std::uint16_t>(view.substr(dash + 1), 65535);
  if (!first || !last || *first > *last) field.fail("a port or range such as 5000 or 5000-5010");
  return {*first, *last};
}

/// Only some protocols have ports; with another a rule would never match.
void check_ports(const Field& block, const QosRule& rule) {
  constexpr std::array<std::uint8_t, 5> with_ports{6, 17, 33, 132, 136};  // TCP, UDP, DCCP, SCTP,
                                                                          // UDP-Lite
  if (!rule.source_port && !rule.destination_port) return;
  if (!rule.protocol) return;
  if (std::find(with_ports.begin(), with_ports.end(), *rule.protocol) != with_ports.end()) return;
  block.fail(fmt::format("ports of protocol {}", *rule.protocol),
             "ports with udp, tcp or no protocol");
}

QosRule read_rule(const Field& block, const std::vector<ClassConfig>& classes) {
  QosRule rule;
  const std::vector<std::string> names = names_of(classes);
  read_block(block, {into("source", rule.source, read_prefix),
                     into("destination", rule.destination, read_prefix),
                     into("protocol", rule.protocol, read_protocol),
                     into("source_port", rule.source_port, read_ports),
                     into("destination_port", rule.destination_port, read_ports),
                     into("dscp", rule.dscp, read_dscp),
                     required("class", rule.class_name, one_of(names),
                              fmt::format("{}", fmt::join(names, ", ")))});
  check_ports(block, rule);
  return rule;
}

}  // namespace

std::optional<Prefix> parse_prefix(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return {};
  int length = address->bits;
  if (slash != std::string::npos) {
    const auto given = parse_integer(std::string_view(text).substr(slash + 1), address->bits);
    if (!given || *given < 0) return {};
    length = *given;
  }
  return Prefix{address->bytes, static_cast<std::uint8_t>(128 - address->bits + length)};
}

Prefix read_prefix(const Field& field) {
  const auto prefix = parse_prefix(text(field));
  if (!prefix || has_host_bits(*prefix)) field.fail(prefix_allowed);
  return *prefix;
}

std::uint8_t read_dscp(const Field& field) {
  const std::string found = text(field);
  if (found == "be") return 0;
  if (found == "ef") return 46;
  const auto digit = [&](std::size_t i, char least, char most) {
    return i < found.size() && found[i] >= least && found[i] <= most ? found[i] - '0' : -1;
  };
  if (found.size() == 3 && found.starts_with("cs") && digit(2, '0', '7') >= 0) {
    return static_cast<std::uint8_t>(8 * digit(2, '0', '7'));
  }
  if (found.size() == 4 && found.starts_with("af") && digit(2, '1', '4') > 0 &&
      digit(3, '1', '3') > 0) {  // RFC 2597
    return static_cast<std::uint8_t>(8 * digit(2, '1', '4') + 2 * digit(3, '1', '3'));
  }
  const auto number = parse_integer<std::uint8_t>(found, 63);
  if (!number) field.fail("a code point such as ef, cs5 or af41, or a number from 0 to 63");
  return *number;
}

std::vector<QosRule> read_rules(const Field& list, const std::vector<ClassConfig>& classes) {
  return list_of([&](const Field& item) { return read_rule(item, classes); })(list);
}

}  // namespace sennit::yaml
