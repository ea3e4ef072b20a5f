// Plans, folders and processes of runs, with backends that do what is to be survived.
#include "sim/runner/run_set.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include <nlohmann/json.hpp>

#include "sim/results/summary.h"

namespace sennit {
namespace {

namespace fs = std::filesystem;

constexpr const char* scenario_text = R"(
name: run-set
duration: 2s
links:
  - {name: one, rate: 10mbit, delay: 10ms}
  - {name: two, rate: 5mbit, delay: 20ms}
traffic:
  - {name: stream, kind: cbr, rate: 1mbit, from: b, to: a}
variants:
  - {name: alone, links: [two]}
events:
  - {at: 1s, link: two, set: {state: blackhole}}
)";

/// A constant stream over the variant's links: 1 Mbit/s for each.
RunOutcome steady(const Scenario& scenario, const Variant& variant, std::uint64_t seed,
                  Recorder& recorder, const SimulationOptions&) {
  RunOutcome outcome;
  for (Duration t = 0ms; t < scenario.duration; t += 1ms) {
    const Instant now = Instant{} + t;
    const auto number = static_cast<std::uint64_t>(t / 1ms);
    recorder.flow_packet_sent(0, now);
    recorder.flow_packet_received(0, number, now, now,
                                  Bytes{125 * static_cast<std::int64_t>(variant.links.size())});
  }
  for (std::size_t i = 0; i < scenario.links.size(); ++i) {
    recorder.link_capacity(i, Direction::down, Bytes{1'000'000}, 0);
  }
  outcome.end = Instant{} + scenario.duration;
  outcome.digest = seed;
  outcome.inner_mtu = 1400;
  return outcome;
}

class RunSet : public testing::Test {
 protected:
  RunSet() {
    fs::create_directories(folder_);
    std::ofstream(folder_ / "run-set.yaml") << scenario_text;
    request_.files = {folder_ / "run-set.yaml"};
    request_.out = folder_ / "out";
    stop_requested = false;
  }
  ~RunSet() override { fs::remove_all(folder_); }

  int make(const Plan& plan, const Backend& backend) {
    RunSetOptions options;
    options.quiet = true;
    options.jobs = 2;
    return make_runs(plan, request_.out, backend, options);
  }
  nlohmann::ordered_json summary_of(const std::string& variant) const {
    return read_json(request_.out / "run-set" / variant / "seed-1" / "summary.json");
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) /
      (std::string("sennit_") + testing::UnitTest::GetInstance()->current_test_info()->name());
  RunRequest request_;
};

TEST_F(RunSet, seeds_are_numbers_ranges_and_lists) {
  EXPECT_EQ(parse_seeds("7"), (std::vector<std::uint64_t>{7}));
  EXPECT_EQ(parse_seeds("3-5,1,4"), (std::vector<std::uint64_t>{1, 3, 4, 5}));
  for (const char* bad : {"", "a", "1-", "-3", "5-2", "1,,2", "1-99999999", "1.5"}) {
    EXPECT_THROW(parse_seeds(bad), InputError) << bad;
  }
}

TEST_F(RunSet, durations_have_a_unit) {
  EXPECT_EQ(parse_run_duration("20s"), 20s);
  EXPECT_EQ(parse_run_duration("1.5min"), 90s);
  EXPECT_EQ(parse_run_duration("250ms"), 250ms);
  for (const char* bad : {"", "20", "s", "-1s", "0s", "1h", "1e9s"}) {
    EXPECT_THROW(parse_run_duration(bad), InputError) << bad;
  }
}

TEST_F(RunSet, a_shorter_run_has_only_the_events_before_its_end) {
  request_.duration = 500ms;
  const Plan plan = make_plan(request_);
  EXPECT_EQ(plan.scenarios.front()->duration, 500ms);
  EXPECT_TRUE(plan.scenarios.front()->events.empty());
}

TEST_F(RunSet, links_alone_are_taken_from_the_scenario_or_made) {
  request_.best_single = true;
  request_.seeds = {1, 2};
  const Plan plan = make_plan(request_);
  std::vector<std::string> labels;
  for (const PlannedRun& run : plan.runs) labels.push_back(run.label());
  EXPECT_EQ(labels,
            (std::vector<std::string>{"run-set/default/seed-1", "run-set/default/seed-2",
                                      "run-set/alone/seed-1", "run-set/alone/seed-2",
                                      "run-set/only-one/seed-1", "run-set/only-one/seed-2"}));
}

TEST_F(RunSet, the_best_single_link_is_filled_into_the_bonded_runs_summary) {
  request_.best_single = true;
  EXPECT_EQ(make(make_plan(request_), {"ns3", steady}), exit_ok);
  const auto bonded = summary_of("default")["aggregate"];
  EXPECT_EQ(bonded["best_single_mbps"], 1);
  const double bound = bonded["bound_mbps"];
  EXPECT_NEAR(bonded["aggregation_benefit"].get<double>(), (2 - 1) / (bound - 1), 1e-5);
  EXPECT_TRUE(summary_of("alone")["aggregate"]["best_single_mbps"].is_null());
}

TEST_F(RunSet, without_every_link_alone_there_is_no_best_single) {
  EXPECT_EQ(make(make_plan(request_), {"ns3", steady}), exit_ok);  // has "alone": two only
  EXPECT_TRUE(summary_of("default")["aggregate"]["best_single_mbps"].is_null());
}

TEST_F(RunSet, a_crash_takes_no_other_run_along_and_keeps_its_trace_aside) {
  const auto crash_bonded = [](const Scenario& scenario, const Variant& variant, std::uint64_t seed,
                               Recorder& recorder, const SimulationOptions& options) {
    if (variant.name == "default") {
      std::signal(SIGSEGV, SIG_DFL);
      std::raise(SIGSEGV);
    }
    return steady(scenario, variant, seed, recorder, options);
  };
  testing::internal::CaptureStderr();
  EXPECT_EQ(make(make_plan(request_), {"ns3", crash_bonded}), exit_crashed);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("run-set/default/seed-1: crashed: Segmentation fault"), std::string::npos)
      << said;
  EXPECT_FALSE(fs::exists(request_.out / "run-set" / "default" / "seed-1"));
  EXPECT_TRUE(fs::exists(request_.out / "run-set" / "default" / "seed-1.crashed" / "trace.h5"));
  EXPECT_EQ(summary_of("alone")["schema"], 1);
}

TEST_F(RunSet, a_backend_that_throws_or_exits_is_a_crash_with_its_last_words) {
  const auto throws = [](auto&&...) -> RunOutcome { throw std::runtime_error("out of cheese"); };
  const auto exits = [](auto&&...) -> RunOutcome {
    std::cerr << "aborting for reasons\n";
    std::_Exit(0x77);
  };
  testing::internal::CaptureStderr();
  EXPECT_EQ(make(make_plan(request_), {"ns3", throws}), exit_crashed);
  EXPECT_EQ(make(make_plan(request_), {"ns3", exits}), exit_crashed);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("out of cheese"), std::string::npos) << said;
  EXPECT_NE(said.find("aborting for reasons"), std::string::npos) << said;
}

TEST_F(RunSet, what_a_backend_prints_does_not_reach_stdout) {
  const auto chatty = [](const Scenario& scenario, const Variant& variant, std::uint64_t seed,
                         Recorder& recorder, const SimulationOptions& options) {
    std::cout << "chatter" << std::endl;
    return steady(scenario, variant, seed, recorder, options);
  };
  testing::internal::CaptureStdout();
  EXPECT_EQ(make(make_plan(request_), {"ns3", chatty}), exit_ok);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST_F(RunSet, folders_that_dead_processes_left_are_removed) {
  const fs::path place = request_.out / "run-set" / "default";
  fs::create_directories(place / ".seed-1.2147483646");  // no such process
  fs::create_directories(place / ".seed-1.1");           // init lives
  { RunFolder(place / "seed-1").publish(); }
  EXPECT_FALSE(fs::exists(place / ".seed-1.2147483646"));
  EXPECT_TRUE(fs::exists(place / ".seed-1.1"));
  EXPECT_TRUE(fs::exists(place / "seed-1"));
}

TEST_F(RunSet, clock_texts) {
  EXPECT_EQ(clock_text(75), "1:15");
  EXPECT_EQ(clock_text(3675.2), "1:01:16");
  EXPECT_EQ(clock_text(-1), "0:00");
}

}  // namespace
}  // namespace sennit
