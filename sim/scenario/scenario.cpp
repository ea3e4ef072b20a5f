// The whole file: blocks in the order in which they refer to each other.
#include "sim/scenario/scenario.h"

#include <fmt/format.h>

#include <limits>

#include "sim/scenario/blocks.h"
#include "sim/scenario/scalars.h"
#include "sim/scenario/text_file.h"

namespace sennit {
namespace yaml {
namespace {

/// What stands alone, or refers to nothing but the duration.
void read_basics(const Field& root, Scenario& scenario) {
  const auto warmup = [&](const Field& field) {
    return read_time_before(field, scenario.duration, "the duration");
  };
  const auto links = [&](const Field& field) {
    return read_links(field, scenario.file.parent_path());
  };
  const auto traffic = [&](const Field& field) { return read_traffic(field, scenario.duration); };
  const auto seed = integer_between<std::uint64_t>(0, std::numeric_limits<std::int64_t>::max());
  read_block(root, {required("name", scenario.name, name, "a name for the scenario"),
                    into("description", scenario.description, text),
                    into("duration", scenario.duration, time_between(1ms, 24h)),
                    into("warmup", scenario.warmup, warmup), into("seed", scenario.seed, seed),
                    required("links", scenario.links, links, "a list of links"),
                    into("traffic", scenario.traffic, traffic), elsewhere("tunnel"),
                    elsewhere("variants"), elsewhere("events"), elsewhere("expect")});
}

/// What refers to links, flows and variants.
void read_references(const Field& root, Scenario& scenario) {
  const Node nothing = Node::nothing(root.node->origin);
  const auto block = [&](const std::string& key) {
    const Node* found = root.node->find(key);
    return root.child(key, found != nullptr ? *found : nothing);
  };
  scenario.variants = read_variants(block("variants"), block("tunnel"), names_of(scenario.links));
  scenario.events = read_events(block("events"), scenario);
  scenario.expectations = read_expectations(block("expect"), scenario);
}

}  // namespace

Scenario read_scenario(const std::string& text, const std::filesystem::path& file,
                       const std::vector<std::pair<std::string, std::string>>& overrides) {
  Node tree = parse(text, file.string());
  for (const auto& [key, value] : overrides) apply_override(tree, key, value);
  const Field root{&tree, ""};
  Scenario scenario;
  scenario.file = file;
  scenario.text = text;
  read_basics(root, scenario);
  read_references(root, scenario);
  return scenario;
}

}  // namespace yaml

Scenario load_scenario(const std::filesystem::path& file,
                       const std::vector<std::pair<std::string, std::string>>& overrides) {
  const auto text = read_text_file(file);
  if (!text) {
    yaml::fail(file.string(), "", "no file that can be read", "the path of a scenario file");
  }
  return yaml::read_scenario(*text, file, overrides);
}

TunnelConfig load_tunnel_config(const std::string& yaml_text, const std::string& where) {
  const yaml::Node tree = yaml::parse(yaml_text, where);
  return yaml::read_tunnel({&tree, "tunnel"}, nullptr);
}

}  // namespace sennit
