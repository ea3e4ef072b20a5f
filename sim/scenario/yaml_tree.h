// YAML as a plain tree of values in which every node knows where it came from. yaml-cpp's own nodes
// are shared references, lose their line when cloned and silently accept a key twice; a tree of
// values can be merged (variants) and overridden (`--set`) before anything is read from it, and an
// error still names the line or the argument to blame.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sennit::yaml {

struct Entry;

struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string origin;          // "scenarios/x.yaml:12" or "--set links.lte-a.rate=20mbit"
  std::string text;            // of a scalar
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a map, in the order of the file

  static Node nothing(std::string origin);
  static Node scalar(std::string origin, std::string text);
  static Node map(std::string origin);

  /// The value under `key`; null when this is no map or has no such key.
  const Node* find(std::string_view key) const;
  /// On one line, in YAML's flow style.
  std::string flow() const;
};

struct Entry {
  std::string key;
  std::string origin;
  Node value;
};

/// What messages call a line of a text, counted from 0.
using NameOfLine = std::function<std::string(int line)>;

/// The one document in `text`. Throws InputError.
Node parse(const std::string& text, const NameOfLine& name_of_line);
/// The same for a file; `file` is how messages call it.
Node parse(const std::string& text, const std::string& file);

/// `base` with what `over` says on top, map by map and key by key; lists and scalars are replaced.
Node merged(const Node& base, const Node& over);

/// Applies one `--set` argument: dots between keys; an element of a list is addressed by its `name`
/// or, when it has none, by its number from 0. An empty value removes the key. Keys that do not
/// exist are created, for the reader to refuse. Throws InputError.
void apply_override(Node& root, const std::string& key, const std::string& value);

}  // namespace sennit::yaml
