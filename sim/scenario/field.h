// Strict reading of a YAML tree. A reader states the keys of its block as a table, each with the
// variable it fills and the type that checks it; everything else (unknown keys, missing keys, wrong
// types, and one message of one shape for all of them) happens here:
//   scenarios/x.yaml:12: links[0].rate: found '-5mbit'; allowed: a positive rate such as 40mbit
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "sim/scenario/yaml_tree.h"

namespace sennit::yaml {

/// Throws the InputError. `path` may be empty: the whole file.
[[noreturn]] void fail(const std::string& origin, const std::string& path, std::string_view found,
                       std::string_view allowed);
/// The same for a name that is none of `known`; suggests the nearest one.
[[noreturn]] void fail_unknown(const std::string& origin, const std::string& path,
                               const std::string& name, const std::vector<std::string>& known);

/// One value of the file and the way to it: "links[0].rate".
struct Field {
  const Node* node;
  std::string path;

  Field child(const std::string& key, const Node& value) const;
  /// Blames this value for not being what is allowed.
  [[noreturn]] void fail(std::string_view allowed) const;
  /// The same when what was found says more than the value alone.
  [[noreturn]] void fail(std::string_view found, std::string_view allowed) const;
};

/// One line of a block's table.
struct Key {
  std::string name;
  std::function<void(const Field&)> read;
  std::string required = {};  // what is allowed, for a key that must be there; empty = optional
};

/// `name: value`, read by `type` (a function of a Field) into `target`.
template <class T, class Type>
Key into(std::string name, T& target, Type type) {
  return {std::move(name), [&target, type](const Field& field) { target = type(field); }};
}
template <class T, class Type>
Key required(std::string name, T& target, Type type, std::string allowed) {
  Key key = into(std::move(name), target, type);
  key.required = std::move(allowed);
  return key;
}

/// A key that belongs to the block but is read elsewhere.
inline Key elsewhere(std::string name) {
  return {std::move(name), [](const Field&) {}};
}

/// Reads a block: refuses unknown keys, then reads those that are there in the table's order. An
/// empty value is an empty block.
void read_block(const Field& block, const std::vector<Key>& keys);

/// Reads exactly one of the keys, which exclude each other.
void read_one_of(const Field& block, const std::vector<Key>& keys);

/// Calls `read` for each entry of a block whose keys are names chosen by the user.
void read_entries(const Field& block,
                  const std::function<void(const std::string& key, const Field&)>& read);

/// Calls `read` for each element of a list. An empty value is an empty list.
void read_list(const Field& list, const std::function<void(const Field&)>& read);

/// All elements, each read by `type`.
template <class Type>
auto list_of(Type type) {
  return [type](const Field& list) {
    std::vector<std::invoke_result_t<Type, const Field&>> all;
    read_list(list, [&](const Field& item) { all.push_back(type(item)); });
    return all;
  };
}

}  // namespace sennit::yaml
