#include "sim/runner/kpi_table.h"

#include <gtest/gtest.h>

namespace sennit {
namespace {

using Json = nlohmann::ordered_json;

Json summary_with(double goodput, double mos) {
  Json summary = Json::parse(R"({"scenario": "s", "seed": 1, "duration_s": 60, "warmup_s": 5,
    "links": {"lte": {"down": {"carried_mbps": 20}}},
    "flows": {"call": {"kind": "voip", "owd_ms": {"p50": 30, "p99": 40}}},
    "tunnel": {"a": {}, "b": {}}, "aggregate": {"direction": "down"}, "run": {"partial": false}})");
  summary["aggregate"]["goodput_mbps"] = goodput;
  summary["flows"]["call"]["mos"] = mos;
  return summary;
}

std::string line_with(const std::string& table, const std::string& label) {
  const std::size_t begin = table.find(label);
  return begin == std::string::npos ? "" : table.substr(begin, table.find('\n', begin) - begin);
}

TEST(KpiTable, several_values_have_a_mean_and_students_interval) {
  EXPECT_FALSE(estimate({}));
  EXPECT_FALSE(estimate({5})->half_width);
  // mean 4, standard deviation 2, t(2) = 4.303
  EXPECT_DOUBLE_EQ(estimate({2, 4, 6})->mean, 4);
  EXPECT_NEAR(*estimate({2, 4, 6})->half_width, 4.303 * 2 / std::sqrt(3), 1e-9);
  std::vector<double> many;
  for (int i = 0; i < 1000; ++i) many.push_back(i % 2);
  EXPECT_NEAR(*estimate(many)->half_width, 1.962 * 0.5 / std::sqrt(999), 2e-4);
}

TEST(KpiTable, marks_the_best_of_each_row_by_what_better_means_there) {
  const std::string table = kpi_table(
      "two variants", {{"fast", {summary_with(50, 3.9)}}, {"calm", {summary_with(40, 4.3)}}}, {});
  EXPECT_NE(line_with(table, "goodput").find("50.00*"), std::string::npos) << table;
  EXPECT_NE(line_with(table, "goodput").find("40.00"), std::string::npos);
  EXPECT_NE(line_with(table, "voice quality").find("4.30*"), std::string::npos);
  EXPECT_EQ(line_with(table, "one-way delay p99").find('*'), std::string::npos);  // equal
  EXPECT_EQ(line_with(table, "lte carried").find('*'), std::string::npos);  // neither is better
}

TEST(KpiTable, fits_its_width_and_continues_with_the_remaining_variants_below) {
  std::vector<VariantResults> variants;
  for (int i = 0; i < 9; ++i) {
    variants.push_back({"a-variant-with-a-long-name-" + std::to_string(i),
                        {summary_with(i, 4), summary_with(i + 1, 4)}});
  }
  const std::string table = kpi_table("", variants, {100, false});
  std::size_t begin = 0, blocks = 0;
  while (begin < table.size()) {
    const std::size_t end = table.find('\n', begin);
    const std::string line = table.substr(begin, end - begin);
    EXPECT_LE(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }),
              100)
        << line;
    blocks += line.find("voice quality") != std::string::npos ? 1 : 0;
    begin = end + 1;
  }
  EXPECT_EQ(blocks, 3u);
  EXPECT_NE(table.find("±"), std::string::npos);
}

TEST(KpiTable, says_when_results_are_partial) {
  Json partial = summary_with(1, 1);
  EXPECT_EQ(kpi_table("", {{"default", {partial}}}, {}).find("PARTIAL"), std::string::npos);
  partial["run"]["partial"] = true;
  EXPECT_NE(kpi_table("", {{"default", {partial}}}, {}).find("PARTIAL"), std::string::npos);
}

}  // namespace
}  // namespace sennit
