// The `tunnel:` block, which scenarios and the edge daemon share, and what it is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "sim/scenario/field.h"

namespace sennit::yaml {

/// `tunnel:`. `links` are the names that it may refer to; null = any.
TunnelConfig read_tunnel(const Field&, const std::vector<std::string>* links);

/// `tunnel.rules:`, whose classes are `classes`.
std::vector<QosRule> read_rules(const Field&, const std::vector<ClassConfig>& classes);

/// A code point's name or number: ef, cs5, af41, 46.
std::uint8_t read_dscp(const Field&);

/// An address with or without a length, host bits kept: 10.0.0.1/8, 2001:db8::1.
std::optional<Prefix> parse_prefix(const std::string& text);
/// 10.0.0.0/8, 2001:db8::/32 or one address; no host bits.
Prefix read_prefix(const Field&);

/// The names of what has a name.
template <class T>
std::vector<std::string> names_of(const std::vector<T>& all) {
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const T& one : all) names.push_back(one.name);
  return names;
}

}  // namespace sennit::yaml
