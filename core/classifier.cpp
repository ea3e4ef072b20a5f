#include "core/classifier.h"

#include <algorithm>

#include "core/assert.h"

namespace sennit {

namespace {

constexpr ClassId realtime{0}, interactive{1}, bulk{2};

std::array<ClassId, 64> dscp_table() {
  std::array<ClassId, 64> table;
  table.fill(bulk);
  for (const std::size_t dscp : {46u, 40u}) table[dscp] = realtime;  // EF, CS5
  for (const std::size_t dscp : {34u, 36u, 38u, 32u, 24u})
    table[dscp] = interactive;  // AF4x, CS4, CS3
  return table;
}

bool port_matches(const std::optional<PortRange>& range, bool has_ports, std::uint16_t port) {
  if (!range) return true;
  return has_ports && port >= range->first && port <= range->last;
}

}  // namespace

Classifier::Classifier(const TunnelConfig& config) : by_dscp_(dscp_table()) {
  for (const QosRule& rule : config.rules) {
    const auto it = std::find_if(config.classes.begin(), config.classes.end(),
                                 [&](const ClassConfig& c) { return c.name == rule.class_name; });
    SENNIT_ASSERT(it != config.classes.end());
    rules_.push_back({rule, static_cast<ClassId>(it - config.classes.begin())});
  }
}

bool Classifier::matches(const Rule& rule, const InnerHeader& header) {
  const QosRule& what = rule.what;
  if (what.protocol && *what.protocol != header.protocol) return false;
  if (what.dscp && *what.dscp != header.dscp) return false;
  if (what.source && !contains(*what.source, header.source)) return false;
  if (what.destination && !contains(*what.destination, header.destination)) return false;
  return port_matches(what.source_port, header.has_ports, header.source_port) &&
         port_matches(what.destination_port, header.has_ports, header.destination_port);
}

bool contains(const Prefix& prefix, const std::array<std::uint8_t, 16>& address) {
  const std::size_t whole = prefix.length / 8;
  const auto end = prefix.address.begin() + static_cast<std::ptrdiff_t>(whole);
  if (!std::equal(prefix.address.begin(), end, address.begin())) return false;
  if (prefix.length % 8 == 0) return true;
  const unsigned mask = 0xff00u >> prefix.length % 8;
  return ((prefix.address[whole] ^ address[whole]) & mask & 0xff) == 0;
}

}  // namespace sennit
