// The questions of an operator, on traces that are written here record by record.
#include "sim/runner/why.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

#include "sim/results/trace_file.h"
#include "sim/runner/why_text.h"
#include "sim/scenario/scenario.h"

namespace sennit {
namespace {

class WhyTest : public testing::Test {
 protected:
  WhyTest() {
    scenario_.name = "why-test";
    scenario_.duration = 10s;
    for (const char* name : {"lte", "dsl"}) scenario_.links.push_back({name, {}, {}, 0, {}});
    scenario_.traffic.emplace_back().name = "download";
    variant_.name = "default";
    variant_.links = {"lte", "dsl"};
    trace_.emplace(RunIdentity{scenario_, variant_, 3, "ns3"}, file_);
    add(TraceKind::path_state, 100ms, 0, 0, 1, 1);  // both up
    add(TraceKind::path_state, 120ms, 1, 0, 1, 1);
    add(TraceKind::estimate, 900ms, 0, 4, 20'000'000, 0);
    add(TraceKind::estimate, 900ms, 1, 4, 10'000'000, 0);
  }
  ~WhyTest() override { std::filesystem::remove(file_); }

  void add(TraceKind kind, Duration at, std::uint8_t path, std::uint64_t sequence, std::uint64_t a,
           std::uint64_t b, std::uint32_t size = 0, std::uint16_t flags = 0, End end = End::b) {
    TraceRecord record{};
    record.at_ns = at.count();
    record.sequence = sequence;
    record.a = a;
    record.b = b;
    record.size = size & 0xffffff;
    record.class_id = 2;
    record.kind = kind;
    record.path = path;
    record.flags = flags;
    trace_->add_packets(end, {&record, 1});
  }
  void refuse(Duration at, std::uint8_t path, Outcome outcome, Reason reason, std::uint32_t packets,
              std::int64_t a = 0, std::int64_t b = 0) {
    add(TraceKind::decision, at, path, static_cast<std::uint64_t>(reason),
        static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b), packets,
        static_cast<std::uint16_t>(outcome));
  }
  /// `n` packets that come in at `at`, wait so long, and go to the links of `mask`.
  void assign(Duration at, std::uint64_t mask, int n, Duration waited = {}) {
    for (int i = 0; i < n; ++i) {
      add(TraceKind::assigned, at + waited, 255, 0, mask,
          static_cast<std::uint64_t>(waited.count()), 1400);
    }
  }
  TraceReader read(bool complete = true) {
    for (int tenth = 1; tenth <= 20; ++tenth) {
      PathRow row{};
      row.time_s = 0.1 * tenth;
      row.srtt_ms = 80;
      row.capacity_mbps = 25;
      for (const End end : {End::a, End::b}) {
        for (std::size_t link = 0; link < 2; ++link) trace_->add_path(end, link, row);
      }
    }
    trace_->finish(1, complete);
    trace_.reset();
    return TraceReader(file_);
  }
  WhyRequest request(const char* link = "dsl") const { return {file_, 1s, 100ms, link, "b"}; }
  std::string text(const char* link = "dsl") {
    const TraceReader trace = read();
    return words_of(explain(trace, request(link)).at(0), trace.info());
  }
  void expect_refused(const WhyRequest& asked, const std::string& words) {
    const TraceReader trace = read();
    try {
      explain(trace, asked);
      ADD_FAILURE() << "it was accepted";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  }

  Scenario scenario_;
  Variant variant_;
  const std::filesystem::path file_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("why_") + testing::UnitTest::GetInstance()->current_test_info()->name() +
       std::to_string(getpid()) + ".h5");
  std::optional<TraceFile> trace_;
};

#define EXPECT_HAS(text, words) EXPECT_NE((text).find(words), std::string::npos) << (text)

TEST_F(WhyTest, counts_what_a_link_took_what_others_took_and_what_still_waits) {
  assign(960ms, 2, 14);
  assign(970ms, 1, 151);
  assign(980ms, 3, 2);
  assign(1040ms, 1, 47, 30ms);  // until 1.070 s, after the window
  assign(1051ms, 2, 9);         // outside
  add(TraceKind::sent, 990ms, 1, 0, 0, 0, 12'472);
  const TraceReader trace = read();
  const WhyAnswer answer = explain(trace, request()).at(0);
  EXPECT_EQ(answer.packets, 167u);
  EXPECT_EQ(answer.here, 16u);
  EXPECT_EQ(answer.copied, 2u);
  EXPECT_EQ(answer.others, (std::vector<std::uint64_t>{151, 0}));
  EXPECT_EQ(answer.waiting, 47u);
  EXPECT_EQ(answer.asked, Duration{10ms});
  EXPECT_DOUBLE_EQ(answer.sent_mbps(), 1.0);
  EXPECT_DOUBLE_EQ(answer.pacing_mbps, 10.0);
}

TEST_F(WhyTest, a_later_arrival_is_told_with_its_parts) {
  assign(960ms, 2, 14);
  assign(970ms, 1, 151);
  refuse(970ms, 1, Outcome::elsewhere, Reason::later, 100, 30'000'000, 6'000'000);
  refuse(980ms, 1, Outcome::elsewhere, Reason::later, 51, 33'000'000, 6'000'000);
  const std::string said = text();
  EXPECT_HAS(said, "b -> a, 0.950 to 1.050 s: dsl took 14 of 165 packets (0.00 of 10.0 Mbit/s");
  EXPECT_HAS(said,
             "because it would have delivered them 31.0 ms later: 25.0 ms longer delay, 6.00 ms "
             "longer queue");
  EXPECT_HAS(said, "lte took 151");
}

TEST_F(WhyTest, a_negative_part_is_called_shorter) {
  assign(970ms, 1, 1);
  refuse(970ms, 1, Outcome::elsewhere, Reason::later, 1, 5'000'000, -2'000'000);
  EXPECT_HAS(text(), "5.00 ms later: 7.00 ms longer delay, 2.00 ms shorter queue");
}

TEST_F(WhyTest, the_commonest_reason_is_the_answer_and_all_are_listed) {
  assign(970ms, 1, 10);
  refuse(970ms, 1, Outcome::elsewhere, Reason::window_closed, 3, 20'000, 5'000'000);
  refuse(970ms, 1, Outcome::elsewhere, Reason::committed, 7, 12'000'000, 5'000'000);
  const std::string said = text();
  EXPECT_HAS(said, "mostly because its queue was committed beyond its horizon: 12.0 ms, at most");
  EXPECT_HAS(said, "    7  its queue was committed");
  EXPECT_HAS(said, "    3  its in-flight limit was reached: 20.0 kB beyond it");
}

TEST_F(WhyTest, reasons_to_wait_are_the_answer_when_more_waited_than_went_elsewhere) {
  assign(970ms, 1, 1);
  assign(1040ms, 2, 40, 50ms);
  refuse(970ms, 1, Outcome::elsewhere, Reason::later, 1, 1'000'000, 0);
  refuse(1040ms, 1, Outcome::held, Reason::blocked, 20);
  const std::string said = text();
  EXPECT_HAS(said, "because its driver took no more (socket full)");
  EXPECT_HAS(said, "     100 %  its driver took no more");
}

TEST_F(WhyTest, a_link_that_is_down_says_since_when_and_why) {
  add(TraceKind::path_state, 500ms, 1, 1, 2, 2);
  add(TraceKind::path_state, 700ms, 1, 2, 3, 2);
  assign(970ms, 1, 10);
  refuse(970ms, 1, Outcome::elsewhere, Reason::down, 10);
  EXPECT_HAS(text(), "not usable: DOWN since 0.700 s (it fell silent)");
}

TEST_F(WhyTest, a_change_within_the_window_is_told) {
  add(TraceKind::path_state, 980ms, 1, 1, 2, 2);
  assign(990ms, 1, 10);
  refuse(990ms, 1, Outcome::elsewhere, Reason::suspect, 10);
  const std::string said = text();
  EXPECT_HAS(said, "because it was SUSPECT: an answer was overdue");
  EXPECT_HAS(said, "state UP since 0.120 s (it answered); SUSPECT at 0.980 s (it fell silent)");
}

TEST_F(WhyTest, an_idle_link_had_nothing_to_send) {
  EXPECT_HAS(text(), "idle: nothing to send, no packet waited at b");
}

TEST_F(WhyTest, a_link_that_sent_at_its_rate_was_full) {
  assign(970ms, 2, 90);
  assign(970ms, 1, 10);
  refuse(970ms, 1, Outcome::elsewhere, Reason::committed, 10, 6'000'000, 5'000'000);
  add(TraceKind::sent, 990ms, 1, 0, 0, 0, 120'000);  // 9.6 of 10 Mbit/s
  EXPECT_HAS(text(), "full: it was sent as much as its rate allows");
}

TEST_F(WhyTest, a_link_that_took_everything_says_so) {
  assign(970ms, 2, 20);
  EXPECT_HAS(text(), "took all there was; nothing more to send");
}

TEST_F(WhyTest, every_reason_has_words_of_its_own) {
  const TraceReader trace = read();
  ASSERT_EQ(trace.info().reasons.size(), reason_count);
  std::set<std::string> all;
  for (std::size_t i = 0; i < reason_count; ++i) {
    const std::string words = words_of(WhyShare{Outcome::held, i, 2, 1, 1e6, 2e6}, trace.info());
    EXPECT_FALSE(words.starts_with("reason ")) << words;
    all.insert(words);
  }
  EXPECT_EQ(all.size(), reason_count);
}

TEST_F(WhyTest, without_names_it_answers_for_all_links_and_ends_the_busier_first) {
  assign(970ms, 2, 20);
  const TraceReader trace = read();
  const auto answers = explain(trace, {file_, 1s, 100ms, {}, {}});
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_EQ(answers[0].from, 'b');
  EXPECT_EQ(answers[2].from, 'a');
}

TEST_F(WhyTest, the_window_is_whole_slices) {
  const TraceReader trace = read();
  const auto answer = explain(trace, {file_, 1003ms, 1ms, "dsl", "b"}).at(0);
  EXPECT_EQ(answer.begin, Duration{1s});
  EXPECT_EQ(answer.end, Duration{1010ms});
  EXPECT_EQ(explain(trace, {file_, 0s, 100ms, "dsl", "b"}).at(0).begin, Duration{0});
}

TEST_F(WhyTest, a_partial_trace_answers_up_to_where_it_got) {
  assign(970ms, 2, 20);
  const TraceReader trace = read(false);
  EXPECT_FALSE(trace.info().complete);
  EXPECT_DOUBLE_EQ(trace.info().reached_s, 2.0);
  EXPECT_EQ(explain(trace, request()).at(0).here, 20u);
  WhyRequest late = request();
  late.at = 3s;
  EXPECT_THROW(explain(trace, late), InputError);
}

TEST_F(WhyTest, json_has_numbers_names_and_the_words) {
  assign(970ms, 1, 10);
  refuse(970ms, 1, Outcome::elsewhere, Reason::committed, 10, 12'000'000, 5'000'000);
  const TraceReader trace = read();
  const auto json = json_of(explain(trace, request()).at(0), trace.info());
  EXPECT_EQ(json["link"], "dsl");
  EXPECT_EQ(json["others"]["lte"], 10);
  EXPECT_EQ(json["begin_s"], 0.95);
  EXPECT_EQ(json["reasons"][0]["reason"], "committed");
  EXPECT_EQ(json["reasons"][0]["class"], "bulk");
  EXPECT_EQ(json["reasons"][0]["a"], 12e6);
  EXPECT_EQ(json["state"], "up");
}

TEST_F(WhyTest, an_unknown_link_names_those_that_there_are) {
  expect_refused(request("adsl"), "--link adsl: the run has no such link; there are lte, dsl");
}

TEST_F(WhyTest, an_unknown_end_names_both) {
  WhyRequest asked = request();
  asked.from = "c";
  expect_refused(asked, "--from c: allowed is a or b");
}

TEST_F(WhyTest, a_time_outside_the_trace_says_what_it_holds) {
  WhyRequest asked = request();
  asked.at = 11s;
  expect_refused(asked, "--at 11s: is outside the trace; allowed is 0s to 2s");
}

}  // namespace
}  // namespace sennit
