// The daemon's answers as text for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace sennit {

/// Interface, peer and a table of paths.
std::string status_text(const nlohmann::json& status);
std::string paths_text(const nlohmann::json& status);
/// Counters, then every reason for which packets died.
std::string counters_text(const nlohmann::json& status);

}  // namespace sennit
