#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace sennit {

/// All of a file; nothing when there is none or it cannot be read.
std::optional<std::string> read_text_file(const std::filesystem::path& file);

}  // namespace sennit
