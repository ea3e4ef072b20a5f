#include "sim/results/expectations.h"

#include <gtest/gtest.h>

namespace sennit {
namespace {

const nlohmann::ordered_json summary = nlohmann::ordered_json::parse(R"({
  "backend": "ns3", "variant": "default",
  "flows": {"call": {"owd_ms": {"p99": 41.5}, "mos": null, "kind": "voip"},
            "call.2": {"mos": 4.2}},
  "run": {"partial": false}})");

Expectation expect(const std::string& path, const std::string& comparison, double value) {
  return {path + " " + comparison, path, comparison, value, {}, {}};
}

TEST(Expectations, compares_numbers_and_booleans_at_dotted_paths) {
  EXPECT_TRUE(judge(expect("flows.call.owd_ms.p99", "<=", 41.5), summary).met);
  EXPECT_FALSE(judge(expect("flows.call.owd_ms.p99", "<", 41.5), summary).met);
  EXPECT_TRUE(judge(expect("flows.call.owd_ms.p99", ">", 41), summary).met);
  EXPECT_TRUE(judge(expect("flows.call.owd_ms.p99", "==", 41.5), summary).met);
  EXPECT_TRUE(judge(expect("run.partial", "==", 0), summary).met);
  EXPECT_TRUE(judge(expect("flows.call.2.mos", ">=", 4), summary).met);  // a dot in a name
}

TEST(Expectations, a_missing_key_is_unmet_and_says_what_there_is) {
  const Verdict verdict = judge(expect("flows.cal.mos", ">=", 0), summary);
  EXPECT_FALSE(verdict.met);
  EXPECT_EQ(verdict.problem, "no \"cal.mos\" in flows, which has call, call.2");
  EXPECT_EQ(look_up(summary, "flow").problem,
            "no \"flow\" in the summary, which has backend, variant, flows, run");
  EXPECT_EQ(look_up(summary, "run.partial.x").problem,
            "no \"x\" in run.partial, which has no keys");
}

TEST(Expectations, null_text_and_objects_are_unmet) {
  EXPECT_EQ(judge(expect("flows.call.mos", "<", 5), summary).problem,
            "flows.call.mos is unknown (null)");
  EXPECT_EQ(look_up(summary, "flows.call.kind").problem, "flows.call.kind is not a number");
  EXPECT_EQ(look_up(summary, "flows.call.owd_ms").problem,
            "flows.call.owd_ms is not a number: it has p99");
}

TEST(Expectations, only_those_of_this_backend_and_variant_are_judged) {
  Expectation netem = expect("run.partial", "==", 1), other = netem, mine = netem;
  netem.backend = "netem";
  other.variant = "min-rtt";
  mine.backend = "ns3";
  mine.variant = "default";
  const auto verdicts = judge_all({netem, other, mine}, summary);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0]["met"], false);
  EXPECT_EQ(verdicts[0]["value"], 0);
}

}  // namespace
}  // namespace sennit
