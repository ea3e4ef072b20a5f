#include "sim/scenario/yaml_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "sim/scenario/field.h"

namespace sennit::yaml {
namespace {

Node* find_entry(Node& map, std::string_view key) { return const_cast<Node*>(map.find(key)); }

bool is_number(std::string_view text, std::size_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

/// The names of a list's elements, or their numbers.
std::vector<std::string> element_names(const Node& list) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const Node* name = list.items[i].find("name");
    names.push_back(name != nullptr ? name->text : std::to_string(i));
  }
  return names;
}

/// The element of `list` that one step of an override addresses.
Node& element(Node& list, const std::string& step, const std::string& origin,
              const std::string& path) {
  const std::vector<std::string> names = element_names(list);
  const auto found = std::find(names.begin(), names.end(), step);
  if (found != names.end()) return list.items[static_cast<std::size_t>(found - names.begin())];
  std::size_t number = 0;
  if (is_number(step, number) && number < list.items.size()) return list.items[number];
  fail_unknown(origin, path, step, names);
}

/// The place below `node` that one step of an override leads to; made when it is not there.
Node& descend(Node& node, const std::string& step, const std::string& origin,
              const std::string& path) {
  if (node.kind == Node::Kind::list) return element(node, step, origin, path);
  if (node.kind != Node::Kind::map) node = Node::map(origin);
  if (Node* existing = find_entry(node, step)) return *existing;
  node.entries.push_back({step, origin, Node::nothing(origin)});
  return node.entries.back().value;
}

std::vector<std::string> split(const std::string& dotted) {
  std::vector<std::string> steps(1);
  for (const char c : dotted) {
    if (c == '.') {
      steps.emplace_back();
    } else {
      steps.back() += c;
    }
  }
  return steps;
}

void remove(Node& parent, const std::string& key, const std::string& origin) {
  const auto has_key = [&](const Entry& entry) { return entry.key == key; };
  if (std::erase_if(parent.entries, has_key) == 0) {
    std::vector<std::string> keys;
    for (const Entry& entry : parent.entries) keys.push_back(entry.key);
    fail_unknown(origin, key, key, keys);
  }
}

}  // namespace

Node Node::nothing(std::string origin) {
  Node node;
  node.origin = std::move(origin);
  return node;
}

Node Node::scalar(std::string origin, std::string text) {
  Node node = nothing(std::move(origin));
  node.kind = Kind::scalar;
  node.text = std::move(text);
  return node;
}

Node Node::map(std::string origin) {
  Node node = nothing(std::move(origin));
  node.kind = Kind::map;
  return node;
}

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string Node::flow() const {
  std::vector<std::string> parts;
  switch (kind) {
    case Kind::null:
      return "~";
    case Kind::scalar:
      return text;
    case Kind::list:
      for (const Node& item : items) parts.push_back(item.flow());
      return fmt::format("[{}]", fmt::join(parts, ", "));
    case Kind::map:
      for (const Entry& entry : entries) parts.push_back(entry.key + ": " + entry.value.flow());
      return fmt::format("{{{}}}", fmt::join(parts, ", "));
  }
  return {};
}

Node merged(const Node& base, const Node& over) {
  if (over.kind == Node::Kind::null) return base;
  if (base.kind != Node::Kind::map || over.kind != Node::Kind::map) return over;
  Node result = base;
  result.origin = over.origin;
  for (const Entry& entry : over.entries) {
    if (Node* existing = find_entry(result, entry.key)) {
      *existing = merged(*existing, entry.value);
    } else {
      result.entries.push_back(entry);
    }
  }
  return result;
}

void apply_override(Node& root, const std::string& key, const std::string& value) {
  std::string origin = fmt::format("--set {}={}", key, value);
  const std::vector<std::string> steps = split(key);
  if (std::find(steps.begin(), steps.end(), "") != steps.end()) {
    fail(origin, "", fmt::format("'{}'", key), "keys with dots between, such as links.lte-a.rate");
  }
  Node* node = &root;
  std::string path;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    path += (i == 0 ? "" : ".") + steps[i];
    if (value.empty() && i + 1 == steps.size()) return remove(*node, steps[i], origin);
    node = &descend(*node, steps[i], origin, path);
  }
  *node = parse(value, [&](int) { return origin; });
}

}  // namespace sennit::yaml
