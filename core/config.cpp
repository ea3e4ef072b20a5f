// The default classes, and the check of everything that an operator may set. One message at a time,
// always of the form "key: found value; allowed: what", because the reader has a file open and
// wants to know which line to change.
#include "core/config.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "core/scheduler.h"

namespace sennit {

namespace {

using Fault = std::optional<std::string>;

std::string number(double x) {
  char text[32];
  const int n = std::snprintf(text, sizeof text, "%.6g", x);
  return {text, static_cast<std::size_t>(n)};
}
std::string show(Duration d) { return number(to_seconds(d) * 1e3) + "ms"; }
std::string show(BitRate r) { return number(r.mbps()) + "mbit"; }
std::string show(double x) { return number(x); }
std::string show(int x) { return std::to_string(x); }
std::string quoted(std::string_view s) { return '"' + std::string{s} + '"'; }

std::string fault(const std::string& key, const std::string& found, const std::string& allowed) {
  return key + ": found " + found + "; allowed: " + allowed;
}

template <class T>
Fault outside(const std::string& key, T value, T least, T most) {
  if (value >= least && value <= most) return {};  // also false for NaN
  return fault(key, show(value), show(least) + ".." + show(most));
}

Fault first_of(std::initializer_list<Fault> faults) {
  for (const Fault& f : faults) {
    if (f) return f;
  }
  return {};
}

Fault bad_name(const std::string& key, const std::string& name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  const bool fine =
      !name.empty() && name.size() <= 32 && name.find_first_not_of(allowed) == std::string::npos;
  if (fine) return {};
  return fault(key, quoted(name), "1..32 characters of a-z 0-9 - _ .");
}

Fault bad_algorithm(const std::string& algorithm) {
  const auto names = scheduler_names();
  if (std::find(names.begin(), names.end(), algorithm) != names.end()) return {};
  std::string allowed;
  for (const std::string_view name : names) {
    allowed += (allowed.empty() ? "" : ", ") + std::string{name};
  }
  return fault("scheduler.algorithm", quoted(algorithm), allowed);
}

Fault bad_weights(const SchedulerConfig& config) {
  for (auto it = config.weights.begin(); it != config.weights.end(); ++it) {
    const std::string key = "scheduler.weights." + it->first;
    if (it->first.empty()) return fault("scheduler.weights", "\"\"", "names of links");
    if (auto f = outside(key, it->second, 1e-6, 1e6)) return f;
    const auto same = [&](const auto& other) { return other.first == it->first; };
    if (std::any_of(config.weights.begin(), it, same)) {
      return fault(key, "a second weight", "one weight a link");
    }
  }
  return {};
}

Fault bad_scheduler(const SchedulerConfig& config) {
  return first_of(
      {bad_algorithm(config.algorithm),
       outside("scheduler.commit_slack", config.commit_slack, Duration{100us}, Duration{100ms}),
       outside("scheduler.spread_max", config.spread_max, Duration{0}, Duration{2s}),
       outside("scheduler.bulk_transfer", static_cast<double>(config.bulk_transfer.count),
               static_cast<double>(bulk_transfer_min.count),
               static_cast<double>(bulk_transfer_max.count)),
       bad_weights(config)});
}

/// More repairs than `overhead_max` lets through would silently never be sent.
Fault bad_overhead(const std::string& key, const FecConfig& fec) {
  if (fec.code == FecCode::none || fec.code == FecCode::parity) return {};
  const double ratio = static_cast<double>(fec.repair) / fec.source;
  if (ratio <= fec.overhead_max) return {};
  return fault(key + "repair",
               std::to_string(fec.repair) + " for " + std::to_string(fec.source) + " sources",
               "up to overhead_max (" + show(fec.overhead_max) + ") of source");
}

Fault bad_fec(const std::string& key, const ClassConfig& c) {
  const FecConfig& fec = c.fec;
  if (fec.code > FecCode::sliding_rlc) {
    return fault(key + "code", std::to_string(static_cast<int>(fec.code)),
                 "none, parity, reed-solomon, sliding-rlc");
  }
  if (auto f = first_of(
          {outside(key + "source", int{fec.source}, 1, int{fec_source_max}),
           outside(key + "repair", int{fec.repair}, 1, int{fec_repair_max}),
           outside(key + "overhead_max", fec.overhead_max, 0.01, 1.0),
           outside(key + "residual_loss", fec.residual_loss, 1e-9, 0.5),
           outside(key + "flush_after", fec.flush_after, Duration{100us}, Duration{1s})})) {
    return f;
  }
  if (fec.code != FecCode::none && fec.flush_after > c.latency_budget) {
    return fault(key + "flush_after", show(fec.flush_after),
                 "up to the class's latency_budget (" + show(c.latency_budget) + ')');
  }
  return bad_overhead(key, fec);
}

Fault bad_links(const std::string& key, const std::vector<std::string>& links) {
  if (links.size() > paths_max) {
    return fault(key, std::to_string(links.size()) + " names",
                 "0.." + std::to_string(paths_max) + " names");
  }
  for (std::size_t i = 0; i < links.size(); ++i) {
    const std::string item = key + '[' + std::to_string(i) + ']';
    if (links[i].empty()) return fault(item, "\"\"", "the name of a link");
    if (std::find(links.begin(), links.begin() + static_cast<std::ptrdiff_t>(i), links[i]) !=
        links.begin() + static_cast<std::ptrdiff_t>(i)) {
      return fault(item, quoted(links[i]) + " again", "each link once");
    }
  }
  return {};
}

/// A packet that may be held, or may queue, for longer than its whole budget cannot meet it.
Fault budget_too_small(const std::string& key, const ClassConfig& c) {
  const std::string allowed = "up to latency_budget (" + show(c.latency_budget) + ')';
  if (c.ordered && c.hold_max > c.latency_budget) {
    return fault(key + "hold_max", show(c.hold_max), allowed);
  }
  if (c.codel_target > c.latency_budget) {
    return fault(key + "codel_target", show(c.codel_target), allowed);
  }
  return {};
}

Fault bad_class(const std::string& key, const ClassConfig& c) {
  if (auto f = first_of(
          {bad_name(key + "name", c.name), outside(key + "priority", int{c.priority}, 0, 7),
           outside(key + "latency_budget", c.latency_budget, Duration{1ms}, Duration{10s}),
           outside(key + "hold_max", c.hold_max, Duration{0}, Duration{2s}),
           outside(key + "codel_target", c.codel_target, Duration{500us}, Duration{1s})})) {
    return f;
  }
  if (c.rate_max) {
    if (auto f = outside(key + "rate_max", *c.rate_max, BitRate::from_mbps(0.008),
                         BitRate::from_mbps(1e6))) {
      return f;
    }
  }
  return first_of(
      {budget_too_small(key, c), bad_links(key + "links", c.links), bad_fec(key + "fec.", c)});
}

Fault bad_classes(const std::vector<ClassConfig>& classes) {
  constexpr std::string_view first_three[] = {"realtime", "interactive", "bulk"};
  if (classes.size() < std::size(first_three) || classes.size() > classes_max) {
    return fault("classes", std::to_string(classes.size()) + " classes",
                 "3.." + std::to_string(classes_max) + " classes");
  }
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const std::string key = "classes[" + std::to_string(i) + "].";
    if (i < std::size(first_three) && classes[i].name != first_three[i]) {
      return fault(key + "name", quoted(classes[i].name), quoted(first_three[i]));
    }
    if (auto f = bad_class(key, classes[i])) return f;
    for (std::size_t j = 0; j < i; ++j) {
      if (classes[j].name != classes[i].name) continue;
      return fault(key + "name", quoted(classes[i].name) + " again", "a name of its own");
    }
  }
  return {};
}

constexpr bool has_ports(std::uint8_t protocol) {  // TCP, UDP, DCCP, SCTP, UDP-Lite
  return protocol == 6 || protocol == 17 || protocol == 33 || protocol == 132 || protocol == 136;
}

bool is_ipv4(const Prefix& p) {
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return p.length >= 96 && std::equal(mapped.begin(), mapped.end(), p.address.begin());
}

Fault bad_ports(const std::string& key, const std::optional<PortRange>& ports,
                const QosRule& rule) {
  if (!ports) return {};
  if (ports->first > ports->last) {
    return fault(key, std::to_string(ports->first) + '-' + std::to_string(ports->last),
                 "first-last with first <= last");
  }
  if (rule.protocol && !has_ports(*rule.protocol)) {
    return fault(key, "ports for protocol " + std::to_string(*rule.protocol),
                 "only with TCP (6), UDP (17), DCCP (33), SCTP (132), UDP-Lite (136)");
  }
  return {};
}

Fault bad_prefixes(const std::string& key, const QosRule& rule) {
  if (rule.source) {
    if (auto f = outside(key + "source.length", int{rule.source->length}, 0, 128)) return f;
  }
  if (rule.destination) {
    if (auto f = outside(key + "destination.length", int{rule.destination->length}, 0, 128)) {
      return f;
    }
  }
  const bool mixed = rule.source && rule.destination && rule.source->length > 0 &&
                     rule.destination->length > 0 &&
                     is_ipv4(*rule.source) != is_ipv4(*rule.destination);
  if (!mixed) return {};
  return fault(key + "destination", "another IP version than source", "prefixes of one IP version");
}

Fault bad_rule(const std::string& key, const QosRule& rule,
               const std::vector<ClassConfig>& classes) {
  if (auto f =
          first_of({bad_prefixes(key, rule), bad_ports(key + "source_port", rule.source_port, rule),
                    bad_ports(key + "destination_port", rule.destination_port, rule)})) {
    return f;
  }
  if (rule.dscp) {
    if (auto f = outside(key + "dscp", int{*rule.dscp}, 0, 63)) return f;
  }
  std::string allowed;
  for (const ClassConfig& c : classes) {
    if (c.name == rule.class_name) return {};
    allowed += (allowed.empty() ? "" : ", ") + c.name;
  }
  return fault(key + "class", quoted(rule.class_name), allowed);
}

Fault bad_timing(const TunnelConfig& config) {
  if (auto f = first_of(
          {outside("probe_interval", config.probe_interval, Duration{5ms}, Duration{60s}),
           outside("path_down_after", config.path_down_after, Duration{20ms}, Duration{60s}),
           outside("queue_target_min", config.queue_target_min, Duration{500us}, Duration{1s}),
           outside("queue_target_max", config.queue_target_max, Duration{500us}, Duration{1s})})) {
    return f;
  }
  if (config.queue_target_min <= config.queue_target_max) return {};
  return fault("queue_target_min", show(config.queue_target_min),
               "up to queue_target_max (" + show(config.queue_target_max) + ')');
}

}  // namespace

std::vector<ClassConfig> default_classes() {
  ClassConfig realtime;
  realtime.name = "realtime";
  realtime.priority = 0;
  realtime.realtime = true;
  realtime.latency_budget = 50ms;  // leaves 100 ms of ITU-T G.114's 150 for codec and network
  realtime.hold_max = 20ms;        // one G.711 frame
  realtime.codel_target = 5ms;

  ClassConfig interactive;
  interactive.name = "interactive";
  interactive.priority = 1;
  interactive.latency_budget = 150ms;  // ITU-T G.114: nobody notices
  interactive.hold_max = 40ms;
  interactive.codel_target = 5ms;  // RFC 8289 section 4.3

  ClassConfig bulk;
  bulk.name = "bulk";
  return {realtime, interactive, bulk};
}

std::optional<std::string> find_fault(const TunnelConfig& config) {
  if (auto f = first_of(
          {bad_scheduler(config.scheduler), bad_classes(config.classes), bad_timing(config)})) {
    return f;
  }
  for (std::size_t i = 0; i < config.rules.size(); ++i) {
    const std::string key = "rules[" + std::to_string(i) + "].";
    if (auto f = bad_rule(key, config.rules[i], config.classes)) return f;
  }
  return {};
}

}  // namespace sennit
