// The `expect:` lines of a scenario against a summary: what makes an experiment a regression test.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/scenario/scenario.h"

namespace sennit {

/// One dotted path of a summary. Keys may contain dots themselves: the longest key that fits wins.
struct Lookup {
  std::optional<double> value;  // true and false are 1 and 0
  std::string problem;          // why there is no value, in words; empty when there is one
};
Lookup look_up(const nlohmann::ordered_json& summary, const std::string& path);

struct Verdict {
  std::string text;  // as in the file
  std::optional<double> value;
  bool met = false;
  std::string problem;  // as of Lookup
};
Verdict judge(const Expectation& expectation, const nlohmann::ordered_json& summary);

/// Whether it speaks about this run: of its backend (none = all) and its variant (none = default).
bool applies(const Expectation& expectation, const std::string& backend,
             const std::string& variant);

/// All that apply to the summary's own backend and variant, as summary.json's "expect": text,
/// value, met, and "problem" where there is no value.
nlohmann::ordered_json judge_all(const std::vector<Expectation>& expectations,
                                 const nlohmann::ordered_json& summary);

}  // namespace sennit
