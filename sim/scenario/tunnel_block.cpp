// The `tunnel:` block, which scenarios and the edge daemon share: the operator's settings as a
// TunnelConfig.
#include <fmt/format.h>

#include <algorithm>

#include "core/scheduler.h"
#include "sim/scenario/input_error.h"
#include "sim/scenario/scalars.h"
#include "sim/scenario/tunnel_block.h"

namespace sennit::yaml {
namespace {

using Names = std::vector<std::string>;

/// The name of a link: one of `links`, or any when it is null.
std::string read_link_name(const Field& field, const Names* links) {
  return links != nullptr ? one_of(*links)(field) : name(field);
}

std::vector<std::pair<std::string, double>> read_weights(const Field& block, const Names* links) {
  std::vector<std::pair<std::string, double>> weights;
  read_entries(block, [&](const std::string& link, const Field& field) {
    if (links != nullptr && std::find(links->begin(), links->end(), link) == links->end()) {
      fail_unknown(field.node->origin, field.path, link, *links);
    }
    weights.emplace_back(link, read_number(field, 0.001, 1000));
  });
  return weights;
}

SchedulerConfig read_scheduler(const Field& block, const Names* links) {
  SchedulerConfig scheduler;
  const auto known = scheduler_names();
  const auto weights = [links](const Field& field) { return read_weights(field, links); };
  read_block(block, {into("algorithm", scheduler.algorithm, one_of({known.begin(), known.end()})),
                     into("commit_slack", scheduler.commit_slack, time_between(100us, 100ms)),
                     into("spread_max", scheduler.spread_max, time_between(0s, 2s)),
                     into("bulk_transfer", scheduler.bulk_transfer,
                          size_between(bulk_transfer_min, bulk_transfer_max)),
                     into("weights", scheduler.weights, weights)});
  return scheduler;
}

void read_fec(const Field& block, FecConfig& fec) {
  const auto code = meaning_of<FecCode>({{"none", FecCode::none},
                                         {"parity", FecCode::parity},
                                         {"reed-solomon", FecCode::reed_solomon},
                                         {"sliding-rlc", FecCode::sliding_rlc}});
  const auto symbols = [](std::size_t most) {
    return integer_between<std::uint8_t>(1, static_cast<std::uint8_t>(most));
  };
  read_block(
      block,
      {into("code", fec.code, code), into("source", fec.source, symbols(fec_source_max)),
       into("repair", fec.repair, symbols(fec_repair_max)), into("adaptive", fec.adaptive, boolean),
       into("overhead_max", fec.overhead_max, fraction_between(0.01, 1)),
       into("residual_loss", fec.residual_loss, fraction_between(1e-9, 0.5)),
       into("flush_after", fec.flush_after, time_between(100us, 1s))});
}

void read_class(const Field& block, ClassConfig& settings, const Names* links,
                std::vector<Key> more_keys) {
  const auto link = [links](const Field& field) { return read_link_name(field, links); };
  std::vector<Key> keys{
      into("priority", settings.priority, integer_between<std::uint8_t>(0, classes_max - 1)),
      into("realtime", settings.realtime, boolean),
      into("ordered", settings.ordered, boolean),
      into("latency_budget", settings.latency_budget, time_between(1ms, 10s)),
      into("hold_max", settings.hold_max, time_between(0s, 2s)),
      into("codel_target", settings.codel_target, time_between(500us, 1s)),
      into("reinject", settings.reinject, boolean),
      into("duplicate", settings.duplicate, boolean),
      into("links", settings.links, list_of(link)),
      into("rate_max", settings.rate_max, rate),
      {"fec", [&settings](const Field& field) { read_fec(field, settings.fec); }}};
  keys.insert(keys.end(), more_keys.begin(), more_keys.end());
  read_block(block, keys);
}

/// A further class starts as a copy of its `base`. That the key must be there finds misspelt names
/// of the classes that exist.
void add_class(const std::string& class_name, const Field& block, std::vector<ClassConfig>& classes,
               const Names* links) {
  const Names known = names_of(classes);
  const Node* base = block.node->find("base");
  if (base == nullptr) {
    fail(block.node->origin, block.path, fmt::format("a new class '{}' without base", class_name),
         fmt::format("{}, or a new class with `base:` one of them", fmt::join(known, ", ")));
  }
  if (classes.size() == classes_max) {
    block.fail("one more class", fmt::format("{} classes at most", classes_max));
  }
  ClassConfig settings = classes[read_word(block.child("base", *base), known)];
  const Node word = Node::scalar(block.node->origin, class_name);
  settings.name = name({&word, block.path});
  read_class(block, settings, links, {elsewhere("base")});
  classes.push_back(std::move(settings));
}

void read_classes(const Field& block, std::vector<ClassConfig>& classes, const Names* links) {
  read_entries(block, [&](const std::string& class_name, const Field& field) {
    const auto existing =
        std::find_if(classes.begin(), classes.end(),
                     [&](const ClassConfig& known) { return known.name == class_name; });
    if (existing != classes.end()) {
      read_class(field, *existing, links, {});
    } else {
      add_class(class_name, field, classes, links);
    }
  });
}

void read_fec_of_all(const Field& block, std::vector<ClassConfig>& classes) {
  for (ClassConfig& settings : classes) read_fec(block, settings.fec);
}

}  // namespace

TunnelConfig read_tunnel(const Field& block, const Names* links) {
  TunnelConfig config;
  const auto scheduler = [links](const Field& field) { return read_scheduler(field, links); };
  const auto rules = [&](const Field& field) { return read_rules(field, config.classes); };
  read_block(block,
             {into("scheduler", config.scheduler, scheduler),
              {"fec", [&](const Field& field) { read_fec_of_all(field, config.classes); }},
              {"classes", [&](const Field& field) { read_classes(field, config.classes, links); }},
              into("rules", config.rules, rules),
              into("probe_interval", config.probe_interval, time_between(5ms, 60s)),
              into("path_down_after", config.path_down_after, time_between(20ms, 60s)),
              into("queue_target_min", config.queue_target_min, time_between(500us, 1s)),
              into("queue_target_max", config.queue_target_max, time_between(500us, 1s)),
              into("trace_packets", config.trace_packets, boolean)});
  if (const auto fault = find_fault(config)) {
    throw InputError(fmt::format("{}: {}: {}", block.node->origin, block.path, *fault));
  }
  return config;
}

}  // namespace sennit::yaml
