// Variants: the default one, then each of the file with the default `tunnel:` block under its own.
#include "sim/scenario/blocks.h"
#include "sim/scenario/scalars.h"

namespace sennit::yaml {
namespace {

using Names = std::vector<std::string>;

Variant read_variant(const Field& block, const Field& tunnel, Names& taken, const Names& links) {
  Variant variant{.name = {}, .tunnel = {}, .links = links};
  Names used;
  const auto link = [&](const Field& field) {
    one_of(links)(field);
    return read_unique_name(field, used);
  };
  const auto inherit = [&](const Field& own) {
    const Node both = merged(*tunnel.node, *own.node);
    return read_tunnel({&both, own.path}, &links);
  };
  read_block(block, {required("name", variant.name, unique_name(taken), "a name for the variant"),
                     into("links", variant.links, list_of(link)),
                     into("tunnel", variant.tunnel, inherit)});
  if (variant.links.empty()) {
    block.child("links", *block.node->find("links")).fail("no link", "at least one link");
  }
  if (block.node->find("tunnel") == nullptr) variant.tunnel = read_tunnel(tunnel, &links);
  return variant;
}

}  // namespace

std::vector<Variant> read_variants(const Field& list, const Field& tunnel, const Names& links) {
  std::vector<Variant> all;
  Names names{"default"};
  all.push_back({.name = names.front(), .tunnel = read_tunnel(tunnel, &links), .links = links});
  read_list(list,
            [&](const Field& item) { all.push_back(read_variant(item, tunnel, names, links)); });
  return all;
}

}  // namespace sennit::yaml
