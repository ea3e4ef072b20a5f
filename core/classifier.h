// Which class a packet belongs to: the first QoS rule that matches, else its DSCP.
#pragma once

#include <array>
#include <vector>

#include "core/config.h"
#include "core/inner_packet.h"

namespace sennit {

class Classifier {
 public:
  /// `config` must have no fault.
  explicit Classifier(const TunnelConfig& config);

  /// Without a matching rule: EF and CS5 are realtime; AF41, AF42, AF43, CS4 and CS3 interactive;
  /// the rest bulk (RFC 4594, table 3, folded into three classes).
  ClassId classify(const InnerHeader& header) const {
    for (const Rule& rule : rules_) {
      if (matches(rule, header)) return rule.class_id;
    }
    return by_dscp_[header.dscp];
  }

 private:
  struct Rule {
    QosRule what;
    ClassId class_id;
  };
  static bool matches(const Rule& rule, const InnerHeader& header);

  std::vector<Rule> rules_;
  std::array<ClassId, 64> by_dscp_{};
};

/// Whether the address lies within the prefix.
bool contains(const Prefix& prefix, const std::array<std::uint8_t, 16>& address);

}  // namespace sennit
