// One request to a daemon's control socket, one answer.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

namespace sennit {

/// Throws std::runtime_error, with the daemon's own words if it refuses.
nlohmann::json ask_daemon(const std::filesystem::path& socket, const nlohmann::json& request);

}  // namespace sennit
