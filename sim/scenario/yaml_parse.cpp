// From text to tree, by yaml-cpp's events. Its own tree would do but for what it lets pass: a key
// twice, text after the end of the document (YAML::Load ignores it, YAML::LoadAll never returns on
// some of it), and aliases that make a small file a large tree.
#include <fmt/format.h>
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "sim/scenario/field.h"
#include "sim/scenario/yaml_tree.h"

namespace sennit::yaml {
namespace {

// No honest scenario comes near these.
constexpr std::size_t depth_max = 32;
constexpr std::size_t values_max = 100'000;

std::size_t count_values(const Node& node) {
  std::size_t n = 1;
  for (const Node& item : node.items) n += count_values(item);
  for (const Entry& entry : node.entries) n += count_values(entry.value);
  return n;
}

std::size_t depth(const Node& node) {
  std::size_t below = 0;
  for (const Node& item : node.items) below = std::max(below, depth(item));
  for (const Entry& entry : node.entries) below = std::max(below, depth(entry.value));
  return node.kind == Node::Kind::scalar || node.kind == Node::Kind::null ? 0 : 1 + below;
}

[[noreturn]] void fail_deep(const std::string& origin) {
  fail(origin, "", "blocks within blocks without end", fmt::format("{} levels", depth_max));
}

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const NameOfLine& name_of_line) : name_of_line_(name_of_line) {}

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) fail(origin(mark), "", "more after the end of the document", "one document");
    started_ = true;
    root_ = Node::nothing(origin(mark));
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(Node::nothing(origin(mark)), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    add(Node::scalar(origin(mark), value), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end()) {
      fail(origin(mark), "", "an alias within what it stands for", "an alias of what is complete");
    }
    count(found->second, count_values(found->second));
    if (open_.size() + depth(found->second) > depth_max) fail_deep(origin(mark));
    add(found->second, 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Node list = Node::nothing(origin(mark));
    list.kind = Node::Kind::list;
    open(std::move(list), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::map(origin(mark)), anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  /// A list or map that is not complete yet.
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    std::optional<Node> key{};  // of a map: read, and its value not yet
  };

  std::string origin(const YAML::Mark& mark) const { return name_of_line_(std::max(mark.line, 0)); }

  void open(Node node, YAML::anchor_t anchor) {
    if (open_.size() == depth_max) fail_deep(node.origin);
    open_.push_back({std::move(node), anchor});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }

  /// Puts a complete value where it belongs.
  void add(Node node, YAML::anchor_t anchor) {
    if (anchor != 0) anchored_.insert_or_assign(anchor, node);
    count(node, 1);
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (open_.back().node.kind == Node::Kind::list) {
      open_.back().node.items.push_back(std::move(node));
    } else if (!open_.back().key) {
      add_key(std::move(node));
    } else {
      add_entry(std::move(node));
    }
  }

  void add_key(Node key) {
    if (key.kind != Node::Kind::scalar) {
      fail(key.origin, "", "a key that is no word", "words as keys");
    }
    if (open_.back().node.find(key.text) != nullptr) {
      fail(key.origin, key.text, "the same key twice", "each key once");
    }
    open_.back().key = std::move(key);
  }

  void add_entry(Node value) {
    Node& key = *open_.back().key;
    // A block is to be found where its key stands, and nothing has no line of its own.
    if (value.kind != Node::Kind::scalar) value.origin = key.origin;
    open_.back().node.entries.push_back({key.text, key.origin, std::move(value)});
    open_.back().key.reset();
  }

  void count(const Node& node, std::size_t n) {
    values_ += n;
    if (values_ > values_max) {
      fail(node.origin, "", "too much", fmt::format("{} values", values_max));
    }
  }

  const NameOfLine& name_of_line_;
  bool started_ = false;
  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchored_;
  std::size_t values_ = 0;
};

}  // namespace

Node parse(const std::string& text, const NameOfLine& name_of_line) {
  TreeBuilder tree(name_of_line);
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    // A second document makes the builder complain.
    if (parser.HandleNextDocument(tree)) parser.HandleNextDocument(tree);
  } catch (const YAML::Exception& e) {
    fail(name_of_line(std::max(e.mark.line, 0)), "", fmt::format("a syntax error ({})", e.msg),
         "valid YAML");
  }
  Node root = tree.take_root();
  if (root.origin.empty()) root.origin = name_of_line(0);
  return root;
}

Node parse(const std::string& text, const std::string& file) {
  return parse(text, [&](int line) { return fmt::format("{}:{}", file, line + 1); });
}

}  // namespace sennit::yaml
