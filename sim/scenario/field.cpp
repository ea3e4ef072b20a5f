#include "sim/scenario/field.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "sim/scenario/input_error.h"

namespace sennit::yaml {
namespace {

/// Levenshtein's distance: how many letters to add, drop or replace.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replace, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

/// " (did you mean 'rate'?)" when one name is close enough to be meant: a third of its letters are
/// wrong at most, and one is right.
std::string suggestion(const std::string& name, const std::vector<std::string>& known) {
  const auto nearer = [&](const std::string& a, const std::string& b) {
    return distance(name, a) < distance(name, b);
  };
  const auto nearest = std::min_element(known.begin(), known.end(), nearer);
  if (nearest == known.end()) return "";
  const std::size_t wrong = distance(name, *nearest);
  if (wrong > std::max<std::size_t>(1, nearest->size() / 3) || wrong >= nearest->size()) return "";
  return fmt::format(" (did you mean '{}'?)", *nearest);
}

std::string describe(const Node& node) {
  constexpr std::size_t shown = 60;
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a block of keys";
    case Node::Kind::scalar:
      break;
  }
  const bool is_long = node.text.size() > shown;
  return fmt::format("'{}{}'", node.text.substr(0, shown), is_long ? "..." : "");
}

std::vector<std::string> names_of(const std::vector<Key>& keys) {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const Key& key : keys) names.push_back(key.name);
  return names;
}

void expect_block(const Field& block, const std::vector<std::string>& names) {
  if (block.node->kind == Node::Kind::map || block.node->kind == Node::Kind::null) return;
  block.fail(fmt::format("a block with the keys {}", fmt::join(names, ", ")));
}

void refuse_unknown_keys(const Field& block, const std::vector<std::string>& names) {
  for (const Entry& entry : block.node->entries) {
    if (std::find(names.begin(), names.end(), entry.key) != names.end()) continue;
    const Field field = block.child(entry.key, entry.value);
    fail(entry.origin, field.path,
         fmt::format("unknown key '{}'{}", entry.key, suggestion(entry.key, names)),
         fmt::format("{}", fmt::join(names, ", ")));
  }
}

}  // namespace

void fail(const std::string& origin, const std::string& path, std::string_view found,
          std::string_view allowed) {
  throw InputError(fmt::format("{}: {}{}found {}; allowed: {}", origin, path,
                               path.empty() ? "" : ": ", found, allowed));
}

void fail_unknown(const std::string& origin, const std::string& path, const std::string& name,
                  const std::vector<std::string>& known) {
  fail(origin, path, fmt::format("'{}'{}", name, suggestion(name, known)),
       known.empty() ? "nothing, as there is none" : fmt::format("{}", fmt::join(known, ", ")));
}

Field Field::child(const std::string& key, const Node& value) const {
  return {&value, path.empty() ? key : path + "." + key};
}

void Field::fail(std::string_view allowed) const { fail(describe(*node), allowed); }

void Field::fail(std::string_view found, std::string_view allowed) const {
  yaml::fail(node->origin, path, found, allowed);
}

void read_block(const Field& block, const std::vector<Key>& keys) {
  const std::vector<std::string> names = names_of(keys);
  expect_block(block, names);
  refuse_unknown_keys(block, names);
  for (const Key& key : keys) {
    if (const Node* value = block.node->find(key.name)) {
      key.read(block.child(key.name, *value));
    } else if (!key.required.empty()) {
      fail(block.node->origin, block.child(key.name, *block.node).path, "nothing", key.required);
    }
  }
}

void read_one_of(const Field& block, const std::vector<Key>& keys) {
  if (block.node->entries.size() != 1) {
    const auto names = names_of(keys);
    expect_block(block, names);
    refuse_unknown_keys(block, names);
    block.fail(fmt::format("{} keys", block.node->entries.size()),
               fmt::format("exactly one of {}", fmt::join(names, ", ")));
  }
  read_block(block, keys);
}

void read_entries(const Field& block,
                  const std::function<void(const std::string& key, const Field&)>& read) {
  if (block.node->kind != Node::Kind::map && block.node->kind != Node::Kind::null) {
    block.fail("a block of named entries");
  }
  for (const Entry& entry : block.node->entries) {
    read(entry.key, block.child(entry.key, entry.value));
  }
}

void read_list(const Field& list, const std::function<void(const Field&)>& read) {
  if (list.node->kind != Node::Kind::list && list.node->kind != Node::Kind::null) {
    list.fail("a list");
  }
  for (std::size_t i = 0; i < list.node->items.size(); ++i) {
    read({&list.node->items[i], fmt::format("{}[{}]", list.path, i)});
  }
}

}  // namespace sennit::yaml
