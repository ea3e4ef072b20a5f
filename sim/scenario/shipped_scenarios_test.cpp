// The scenarios that ship are examples: each must load, be known by its file's name, say what it is
// for, end soon and expect something.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "sim/scenario/scenario.h"
#include "sim/scenario/text_file.h"

namespace sennit {
namespace {

const std::filesystem::path folder = std::filesystem::path(SENNIT_SOURCE_DIR) / "scenarios";

std::vector<std::filesystem::path> shipped() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class ShippedScenario : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(ShippedScenario, loads_and_explains_itself) {
  const Scenario scenario = load_scenario(GetParam());
  EXPECT_EQ(scenario.name, GetParam().stem().string());
  EXPECT_TRUE(scenario.description.ends_with('.')) << scenario.description;
  EXPECT_LT(scenario.duration, 60s);
  EXPECT_GT(scenario.warmup, 0s);
  EXPECT_FALSE(scenario.traffic.empty());
  EXPECT_FALSE(scenario.expectations.empty());
}

TEST_P(ShippedScenario, stands_in_the_table_of_the_readme) {
  const auto readme = read_text_file(folder / "README.md");
  ASSERT_TRUE(readme);
  const std::string file = GetParam().filename().string();
  EXPECT_NE(readme->find("(" + file + ")"), std::string::npos) << file;
}

INSTANTIATE_TEST_SUITE_P(All, ShippedScenario, testing::ValuesIn(shipped()), [](const auto& test) {
  std::string name = test.param.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(ShippedScenarios, are_all_there) {
  std::vector<std::string> names;
  for (const auto& file : shipped()) names.push_back(file.stem().string());
  for (const char* expected :
       {"bufferbloat", "failover", "fibre-lte", "four-links", "lossy-link", "lte-pair",
        "metered-backup", "starlink-5g", "two-fibre", "voice-under-load"}) {
    EXPECT_NE(std::find(names.begin(), names.end(), expected), names.end()) << expected;
  }
}

}  // namespace
}  // namespace sennit
