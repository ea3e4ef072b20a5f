#include <gtest/gtest.h>

#include "core/link_model/link_model.h"

namespace sennit {
namespace {

using Times = std::vector<std::uint32_t>;

void expect_fault(std::string_view text, std::string_view message_start) {
  const TraceParse parse = parse_mahimahi(text);
  ASSERT_TRUE(parse.error.has_value()) << "accepted: " << text;
  EXPECT_EQ(parse.error->substr(0, message_start.size()), message_start);
}

TEST(Mahimahi, reads_one_time_per_line) {
  const TraceParse parse = parse_mahimahi("0\n3\n3\n10\n");
  EXPECT_FALSE(parse.error) << *parse.error;
  EXPECT_EQ(parse.trace.opportunity_ms, (Times{0, 3, 3, 10}));
  EXPECT_EQ(parse.trace.period(), 10ms);
  EXPECT_EQ(parse.trace.mean_rate(), BitRate::from_mbps(4.8));  // 6,000 bytes in 10 ms
}

TEST(Mahimahi, tolerates_windows_line_ends_and_blank_lines_at_the_end) {
  for (const std::string_view text : {"1\r\n2\r\n", "1\n2", "1\n2\n\n\n", "1\n2\r\n\r\n \n"}) {
    const TraceParse parse = parse_mahimahi(text);
    EXPECT_FALSE(parse.error) << *parse.error;
    EXPECT_EQ(parse.trace.opportunity_ms, (Times{1, 2}));
  }
}

TEST(Mahimahi, takes_the_largest_time_and_nothing_beyond) {
  EXPECT_EQ(parse_mahimahi("4294967295\n").trace.opportunity_ms, Times{4294967295});
  expect_fault("1\n4294967296\n", "line 2: found '4294967296', allowed is one whole number");
  expect_fault("99999999999999999999999\n", "line 1: found '99999999999999999999999', allowed");
}

TEST(Mahimahi, says_what_it_found_where_and_what_is_allowed) {
  expect_fault("", "line 1: found the end of the file, allowed is one whole number of milli");
  expect_fault("\n\r\n", "line 1: found the end of the file, allowed");
  expect_fault("1\nfast\n", "line 2: found 'fast', allowed is one whole number of milliseconds");
  expect_fault("1\n\n3\n", "line 2: found '', allowed");
  expect_fault("-1\n", "line 1: found '-1', allowed");
  expect_fault("1.5\n", "line 1: found '1.5', allowed");
  expect_fault("7 8\n", "line 1: found '7 8', allowed");
  expect_fault("5\n9\n8\n",
               "line 3: found '8', allowed is no time before that of the line above (9");
}

TEST(Mahimahi, refuses_a_trace_that_takes_no_time) {
  expect_fault("0\n", "line 1: found '0', allowed as the last time is 1 or more");
  expect_fault("0\n0\r\n\n", "line 2: found '0', allowed as the last time is 1 or more");
}

TEST(Mahimahi, shows_no_control_characters_and_no_endless_lines) {
  expect_fault(std::string_view{"\x1b[2J\0x\n", 7}, "line 1: found '?[2J?x', allowed");
  const std::string endless(100000, 'x');
  EXPECT_LT(parse_mahimahi(endless).error->size(), 200u);
}

}  // namespace
}  // namespace sennit
