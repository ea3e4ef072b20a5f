#include "sim/results/summary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

#include "sim/scenario/scenario.h"

namespace sennit {
namespace {

class SummaryFile : public testing::Test {
 protected:
  SummaryFile() { std::filesystem::create_directories(folder_); }
  ~SummaryFile() override { std::filesystem::remove_all(folder_); }
  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      ("sennit_summary_" +
       std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
};

TEST(Summary, numbers_have_six_digits_and_no_noise) {
  EXPECT_EQ(json_number(0.1 + 0.2).dump(), "0.3");
  EXPECT_EQ(json_number(1.0 / 3).dump(), "0.333333");
  EXPECT_EQ(json_number(12345678.0).dump(), "12345700.0");
  EXPECT_EQ(json_number(-0.0).dump(), "0.0");
  EXPECT_TRUE(json_number(std::nan("")).is_null());
  EXPECT_TRUE(json_number(INFINITY).is_null());
  EXPECT_TRUE(json_number(std::nullopt).is_null());
}

TEST_F(SummaryFile, replaces_the_old_file_and_leaves_nothing_beside_it) {
  const auto file = folder_ / "summary.json";
  write_json(file, {{"schema", 1}, {"text", "old and long, longer than the new one"}});
  write_json(file, {{"schema", 1}});
  EXPECT_EQ(read_json(file)["schema"], 1);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(SummaryFile, says_why_it_cannot_be_written_or_read) {
  EXPECT_THROW(write_json(folder_ / "missing" / "summary.json", {}), InputError);
  EXPECT_THROW(read_json(folder_ / "absent.json"), InputError);
  std::ofstream(folder_ / "torn.json") << "{\"schema\": 1,";
  EXPECT_THROW(read_json(folder_ / "torn.json"), InputError);
}

}  // namespace
}  // namespace sennit
