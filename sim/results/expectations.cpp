#include "sim/results/expectations.h"

#include "sim/results/summary.h"

namespace sennit {
namespace {

using Json = nlohmann::ordered_json;

std::string keys_of(const Json& object) {
  std::string keys;
  for (const auto& [key, value] : object.items()) keys += (keys.empty() ? "" : ", ") + key;
  return keys.empty() ? "nothing" : keys;
}

/// The longest key of `object` that is `path` or stands before one of its dots; empty if none.
std::string longest_key(const Json& object, const std::string& path) {
  std::string best;
  for (const auto& [key, value] : object.items()) {
    const bool fits = path == key || path.starts_with(key + ".");
    if (fits && key.size() > best.size()) best = key;
  }
  return best;
}

bool compare(double value, const std::string& comparison, double limit) {
  if (comparison == ">=") return value >= limit;
  if (comparison == "<=") return value <= limit;
  if (comparison == ">") return value > limit;
  if (comparison == "<") return value < limit;
  return comparison == "==" && value == limit;
}

Lookup number_of(const Json& found, const std::string& path) {
  if (found.is_boolean()) return {found.get<bool>() ? 1.0 : 0.0, {}};
  if (found.is_number()) return {found.get<double>(), {}};
  if (found.is_null()) return {std::nullopt, path + " is unknown (null)"};
  if (found.is_object()) {
    return {std::nullopt, path + " is not a number: it has " + keys_of(found)};
  }
  return {std::nullopt, path + " is not a number"};
}

}  // namespace

Lookup look_up(const Json& summary, const std::string& path) {
  const Json* here = &summary;
  std::string rest = path;
  while (!rest.empty()) {
    const std::string key = here->is_object() ? longest_key(*here, rest) : "";
    if (key.empty()) {
      const std::string before = path.substr(0, path.size() - rest.size());
      const std::string where =
          before.empty() ? "the summary" : before.substr(0, before.size() - 1);
      const std::string has = here->is_object() ? keys_of(*here) : "no keys";
      return {std::nullopt, "no \"" + rest + "\" in " + where + ", which has " + has};
    }
    here = &(*here)[key];
    rest.erase(0, key.size() + 1);
  }
  return number_of(*here, path);
}

Verdict judge(const Expectation& expectation, const Json& summary) {
  Lookup found = look_up(summary, expectation.path);
  const bool met = found.value && compare(*found.value, expectation.comparison, expectation.value);
  return {expectation.text, found.value, met, std::move(found.problem)};
}

bool applies(const Expectation& expectation, const std::string& backend,
             const std::string& variant) {
  return expectation.backend.value_or(backend) == backend &&
         expectation.variant.value_or("default") == variant;
}

Json judge_all(const std::vector<Expectation>& expectations, const Json& summary) {
  Json verdicts = Json::array();
  for (const Expectation& expectation : expectations) {
    if (!applies(expectation, summary.at("backend"), summary.at("variant"))) continue;
    const Verdict verdict = judge(expectation, summary);
    Json entry{{"text", verdict.text}, {"value", json_number(verdict.value)}, {"met", verdict.met}};
    if (!verdict.problem.empty()) entry["problem"] = verdict.problem;
    verdicts.push_back(std::move(entry));
  }
  return verdicts;
}

}  // namespace sennit
