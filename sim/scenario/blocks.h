// The blocks of a scenario file, one reader each. They are read in the order of the declarations:
// later ones refer to the names of earlier ones.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/scenario/field.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/tunnel_block.h"

namespace sennit::yaml {

/// `links:`. Trace files are taken from `folder`.
std::vector<Link> read_links(const Field&, const std::filesystem::path& folder);

/// One direction of a link: `keys` and all that describe a LinkConfig, read on top of `config`.
void read_direction(const Field& block, LinkConfig& config, const std::filesystem::path& folder,
                    std::vector<Key> keys = {});

/// `traffic:` of a run of `duration`.
std::vector<Traffic> read_traffic(const Field&, Duration duration);

/// `variants:` with the default one in front; the default `tunnel:` lies under each one's own.
std::vector<Variant> read_variants(const Field& list, const Field& tunnel,
                                   const std::vector<std::string>& links);

/// `events:`, sorted by time, each with the configurations that hold from then on.
std::vector<LinkEvent> read_events(const Field&, const Scenario& so_far);

/// `expect:`, checked against the names in the scenario.
std::vector<Expectation> read_expectations(const Field&, const Scenario& so_far);

/// A whole file's text; `file` is how messages call it and where traces are looked for.
Scenario read_scenario(const std::string& text, const std::filesystem::path& file,
                       const std::vector<std::pair<std::string, std::string>>& overrides);

}  // namespace sennit::yaml
