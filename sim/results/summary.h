// summary.json: numbers without noise, and files that are either whole or not there.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "sim/results/histogram.h"

namespace sennit {

/// Of this program, for results.
std::string_view sennit_version();

/// Six significant digits, so that a file shows what was measured and not the binary fraction;
/// null for nothing, NaN and infinity.
nlohmann::ordered_json json_number(std::optional<double> value);
/// In milliseconds, as json_number.
nlohmann::ordered_json json_ms(std::optional<Duration> value);
/// {"p50", "p95", "p99", "max"} in milliseconds; null each when the histogram is empty.
nlohmann::ordered_json json_quantiles_ms(const DurationHistogram& histogram);

/// Writes beside `file`, then renames. Throws InputError with the system's reason.
void write_json(const std::filesystem::path& file, const nlohmann::ordered_json& object);
/// Throws InputError when it cannot be read or is not JSON.
nlohmann::ordered_json read_json(const std::filesystem::path& file);

}  // namespace sennit
