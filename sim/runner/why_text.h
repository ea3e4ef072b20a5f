// The answers of why.h in words for an operator, and as JSON for programs.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "sim/runner/why.h"

namespace sennit {

/// Why the link did not take the packets of a share, "it" being the link.
std::string words_of(const WhyShare& share, const TraceInfo& info);

/// Several lines; the first says how much it carried, the second the main reason.
std::string words_of(const WhyAnswer& answer, const TraceInfo& info);

nlohmann::ordered_json json_of(const WhyAnswer& answer, const TraceInfo& info);

/// Reads the trace and prints the answers on stdout, in words or as one JSON object. Throws
/// InputError.
void answer_why(const WhyRequest& request, bool json);

}  // namespace sennit
