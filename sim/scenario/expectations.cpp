// Expectations: "flows.call.owd_ms.p99 <= 60". The path must lead to a number of summary.json, so
// that a misspelt one fails before the run and not after it.
#include <fmt/format.h>

#include <array>
#include <string_view>

#include "core/observe.h"
#include "sim/scenario/blocks.h"
#include "sim/scenario/scalars.h"

namespace sennit::yaml {
namespace {

/// The keys of summary.json that lead to numbers, as empty YAML blocks.
Node keys(const std::string& yaml) { return parse(yaml, "summary"); }

Node link_keys() {
  return keys(
      "{capacity_mbps, carried_mbps, loss_ratio, drop_ratio, queue_ms: {p50, p95, p99, max}}");
}

Node flow_keys(TrafficKind kind) {
  Node common = keys(
      "{goodput_mbps, owd_ms: {p50, p95, p99, max}, jitter_ms, loss_ratio, reordered_ratio,"
      " longest_gap_ms}");
  switch (kind) {
    case TrafficKind::tcp:
      return merged(common, keys("{completion_s}"));
    case TrafficKind::web:
      return merged(common, keys("{completion_s, pages: {count, ms: {p50, p95, p99, max}}}"));
    case TrafficKind::voip:
      return merged(common, keys("{mos}"));
    case TrafficKind::video:
      return merged(common, keys("{frames_on_time_ratio}"));
    case TrafficKind::cbr:
      break;
  }
  return common;
}

void add(Node& map, std::string key, Node value) {
  map.entries.push_back({std::move(key), {}, std::move(value)});
}

Node tunnel_keys() {
  Node drops = Node::map("");
  for (std::size_t i = 0; i < drop_count; ++i) {
    add(drops, std::string(to_string(static_cast<Drop>(i))), {});
  }
  Node end = keys(
      "{overhead_ratio, repair_ratio, control_ratio, fec_recovered, reinjected, duplicates,"
      " delivered_late, ce_marked, hold_ms: {p50, p99}, shared_bottleneck_paths}");
  add(end, "drops", drops);
  return end;
}

Node summary_keys(const Scenario& scenario) {
  Node links = Node::map(""), flows = links, tunnel = links, summary = links;
  for (const Link& link : scenario.links) {
    Node directions = Node::map("");
    add(directions, "up", link_keys());
    add(directions, "down", link_keys());
    add(links, link.name, directions);
  }
  for (const Traffic& flow : scenario.traffic) add(flows, flow.name, flow_keys(flow.kind));
  add(tunnel, "a", tunnel_keys());
  add(tunnel, "b", tunnel_keys());
  add(summary, "links", links);
  add(summary, "flows", flows);
  add(summary, "tunnel", tunnel);
  add(summary, "aggregate",
      keys("{goodput_mbps, bound_mbps, fraction_of_bound, best_single_mbps, aggregation_benefit}"));
  add(summary, "run", keys("{wall_s, speed, events}"));
  return summary;
}

void check_path(const Field& field, const std::string& path, const Node& summary) {
  const Node* node = &summary;
  std::string walked = field.path + ":";
  const auto names = [&] {
    std::vector<std::string> all;
    for (const Entry& entry : node->entries) all.push_back(entry.key);
    return all;
  };
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    const std::string step = path.substr(begin, end - begin);
    walked += (begin == 0 ? " " : ".") + step;
    const Node* next = node->find(step);
    if (next == nullptr) fail_unknown(field.node->origin, walked, step, names());
    node = next;
    begin = end + 1;
  }
  if (!node->entries.empty()) {
    yaml::fail(field.node->origin, walked, "no single number",
               fmt::format("a key below it: {}", fmt::join(names(), ", ")));
  }
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

Expectation read_requirement(const Field& field, const Node& summary) {
  constexpr std::string_view allowed =
      "a key of summary.json, one of >= <= > < ==, and a number: flows.call.owd_ms.p99 <= 60";
  Expectation expectation{.text = text(field), .path = {}, .comparison = {}};
  const std::string& found = expectation.text;
  const std::size_t begin = found.find_first_of("<>=");
  if (begin == std::string::npos) field.fail(allowed);
  const std::size_t end = std::min(found.find_first_not_of("<>=", begin), found.size());
  expectation.path = trimmed(found.substr(0, begin));
  expectation.comparison = found.substr(begin, end - begin);
  const auto value = parse_number(trimmed(found.substr(end)));
  constexpr std::array<std::string_view, 5> comparisons{">=", "<=", ">", "<", "=="};
  const bool comparable = std::find(comparisons.begin(), comparisons.end(),
                                    expectation.comparison) != comparisons.end();
  if (expectation.path.empty() || !comparable || !value) field.fail(allowed);
  expectation.value = *value;
  check_path(field, expectation.path, summary);
  return expectation;
}

Expectation read_expectation(const Field& field, const Scenario& scenario, const Node& summary) {
  const auto requirement = [&](const Field& one) { return read_requirement(one, summary); };
  if (field.node->kind != Node::Kind::map) return requirement(field);
  Expectation expectation;
  read_block(field, {required("require", expectation, requirement, "a comparison"),
                     into("backend", expectation.backend, one_of({"ns3", "netem", "emulator"})),
                     into("variant", expectation.variant, one_of(names_of(scenario.variants)))});
  return expectation;
}

}  // namespace

std::vector<Expectation> read_expectations(const Field& list, const Scenario& so_far) {
  const Node summary = summary_keys(so_far);
  return list_of([&](const Field& item) { return read_expectation(item, so_far, summary); })(list);
}

}  // namespace sennit::yaml
