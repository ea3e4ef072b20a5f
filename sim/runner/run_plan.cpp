#include "sim/runner/run_plan.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>

#include "sim/results/expectations.h"

namespace sennit {
namespace {

std::string joined_names(const std::vector<Variant>& variants) {
  std::string names;
  for (const Variant& variant : variants) names += (names.empty() ? "" : ", ") + variant.name;
  return names;
}

const Variant* find_variant(const Scenario& scenario, const std::string& name) {
  const auto& all = scenario.variants;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Variant& v) { return v.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<Variant> chosen_variants(const Scenario& scenario,
                                     const std::vector<std::string>& names) {
  if (names.empty()) return scenario.variants;
  std::vector<Variant> chosen;
  for (const std::string& name : names) {
    const Variant* variant = find_variant(scenario, name);
    if (variant == nullptr) {
      throw InputError(scenario.file.string() + ": has no variant \"" + name +
                       "\"; allowed: " + joined_names(scenario.variants));
    }
    chosen.push_back(*variant);
  }
  return chosen;
}

bool has_single(const std::vector<Variant>& variants, const std::string& link) {
  return std::any_of(variants.begin(), variants.end(), [&](const Variant& v) {
    return v.links.size() == 1 && v.links.front() == link;
  });
}

/// Every link of the default variant alone: as the scenario says, or with the default's tunnel.
void add_single_links(const Scenario& scenario, std::vector<Variant>& variants) {
  const Variant& standard = scenario.variants.front();
  if (standard.links.size() < 2) return;
  for (const std::string& link : standard.links) {
    if (has_single(variants, link)) continue;
    const auto& all = scenario.variants;
    const auto own = std::find_if(all.begin(), all.end(),
                                  [&](const Variant& v) { return has_single({v}, link); });
    variants.push_back(own != all.end() ? *own : Variant{"only-" + link, standard.tunnel, {link}});
  }
}

bool expects_best_single(const Scenario& scenario) {
  return std::any_of(scenario.expectations.begin(), scenario.expectations.end(),
                     [](const Expectation& expectation) {
                       return expectation.path == "aggregate.best_single_mbps" ||
                              expectation.path == "aggregate.aggregation_benefit";
                     });
}

void add_runs(const Scenario& scenario, const RunRequest& request, Plan& plan) {
  std::vector<Variant> variants = chosen_variants(scenario, request.variants);
  if (request.best_single || expects_best_single(scenario)) add_single_links(scenario, variants);
  const std::vector<std::uint64_t> seeds =
      request.seeds.empty() ? std::vector{scenario.seed} : request.seeds;
  const auto folder = request.out / scenario.name;
  for (const Variant& variant : variants) {
    for (const std::uint64_t seed : seeds) {
      plan.runs.push_back({&scenario, variant, seed, variant.links.size() == 1,
                           folder / variant.name / ("seed-" + std::to_string(seed))});
    }
  }
}

/// The scenario as this command runs it; its text, which the trace keeps, says what is different.
Scenario load(const std::filesystem::path& file, const RunRequest& request) {
  Scenario scenario = load_scenario(file, request.overrides);
  for (const auto& [key, value] : request.overrides) {
    scenario.text += "\n# --set " + key + "=" + value;
  }
  if (!request.duration) return scenario;
  scenario.duration = *request.duration;
  scenario.text += fmt::format("\n# --duration {:g}s", to_seconds(scenario.duration));
  if (scenario.warmup >= scenario.duration) {
    throw InputError(fmt::format("{}: --duration must be longer than the warm-up, {:g}s",
                                 file.string(), to_seconds(scenario.warmup)));
  }
  std::erase_if(scenario.events, [&](const LinkEvent& e) { return e.at >= scenario.duration; });
  return scenario;
}

[[noreturn]] void bad_seeds(const std::string& text) {
  throw InputError("--seeds " + text + ": allowed are a number, a range 1-10, or a list 1,4,8-10");
}

std::uint64_t parse_seed(const std::string& text, const std::string& whole) {
  std::uint64_t seed = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, seed);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end) bad_seeds(whole);
  return seed;
}

}  // namespace

std::string PlannedRun::label() const {
  return scenario->name + "/" + variant.name + "/seed-" + std::to_string(seed);
}

Plan make_plan(const RunRequest& request) {
  Plan plan;
  std::set<std::string> names;
  for (const auto& file : request.files) {
    plan.scenarios.push_back(std::make_unique<Scenario>(load(file, request)));
    const Scenario& scenario = *plan.scenarios.back();
    if (!names.insert(scenario.name).second) {
      throw InputError(file.string() + ": another file of this command has the name \"" +
                       scenario.name + "\" too; their results would overwrite each other");
    }
    add_runs(scenario, request, plan);
  }
  return plan;
}

Duration parse_time(const std::string& option, const std::string& text, bool zero_allowed) {
  constexpr double longest_s = 7 * 24 * 3600.0;
  const std::map<std::string, double> units{{"ms", 1e-3}, {"s", 1}, {"min", 60}};
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto unit = units.find(std::string(parsed.ptr, text.data() + text.size()));
  const double seconds = unit == units.end() ? -1 : number * unit->second;
  const bool in_range = seconds > 0 || (zero_allowed && seconds == 0);
  if (parsed.ec != std::errc{} || !in_range || !(seconds <= longest_s)) {
    throw InputError(option + " " + text + ": allowed is a time " +
                     (zero_allowed ? "from zero on" : "above zero") + " in ms, s or min, as 20s");
  }
  return from_seconds(seconds);
}

Duration parse_run_duration(const std::string& text) { return parse_time("--duration", text); }

std::vector<std::uint64_t> parse_seeds(const std::string& text) {
  constexpr std::uint64_t seeds_max = 10'000;
  std::vector<std::uint64_t> seeds;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, comma - begin);
    const std::size_t dash = part.find('-');
    const std::uint64_t first = parse_seed(part.substr(0, dash), text);
    const std::uint64_t last =
        dash == std::string::npos ? first : parse_seed(part.substr(dash + 1), text);
    if (last < first || last - first >= seeds_max) bad_seeds(text);
    for (std::uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
    begin = comma + 1;
  }
  std::sort(seeds.begin(), seeds.end());
  seeds.erase(std::unique(seeds.begin(), seeds.end()), seeds.end());
  return seeds;
}

}  // namespace sennit
