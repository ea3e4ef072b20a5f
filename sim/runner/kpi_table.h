// The answer in one look: a scenario's KPIs as rows, its variants side by side, the best of each
// row marked, and over several seeds the mean with its 95 % confidence interval (Student's t).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace sennit {

/// One column: the summaries of a variant's seeds.
struct VariantResults {
  std::string name;
  std::vector<nlohmann::ordered_json> summaries;
};

struct Estimate {
  double mean = 0;
  std::optional<double> half_width{};  // of the 95 % confidence interval; from two values on
};
/// Nothing for no values.
std::optional<Estimate> estimate(const std::vector<double>& values);

struct TableStyle {
  std::size_t width = 100;  // variants that do not fit go into further blocks
  bool colour = false;
};

/// Lines of text, UTF-8, for the results of one scenario. `variants` is not empty and each has a
/// summary.
std::string kpi_table(const std::string& description, const std::vector<VariantResults>& variants,
                      const TableStyle& style);

}  // namespace sennit
