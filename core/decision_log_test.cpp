// Why a path did not take packets: what each reason needs to be told, and that telling changes
// nothing.
#include "core/decision_log.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/observer.h"
#include "core/schedulers/sample_paths.h"
#include "core/testing/pair.h"

namespace sennit {
namespace {

using samples::Desk;
using samples::full;
using samples::Link;

struct Told {
  std::uint64_t packets = 0;
  std::int64_t a = 0, b = 0;  // sums
};
using Key = std::tuple<std::uint8_t, Outcome, Reason>;  // path
using Story = std::map<Key, Told>;

/// What the desk's log was told.
Story told(Desk& desk) {
  Story story;
  desk.log->restart({}, [&](const DecisionLog::Entry& entry, const DecisionLog::Tally& tally) {
    story[{entry.path, entry.outcome, entry.reason}] = {tally.packets, tally.a_sum, tally.b_sum};
  });
  return story;
}
Desk desk(std::initializer_list<Link> links, std::string_view algorithm = "earliest-arrival") {
  Desk d(algorithm, links);
  d.explain();
  return d;
}

/// All of the path's delay beyond 20 ms is a queue on the link, which gives the others no lead.
void stand_a_queue_in(Desk& d, std::size_t row) {
  d.paths[row].base_one_way_ns = Duration{20ms}.count();
}

// --- the log
// --------------------------------------------------------------------------------------

TEST(DecisionLog, a_record_sums_up_ten_milliseconds_and_tells_means) {
  Observer observer{true};
  observer.write_decisions(Instant{103ms});
  const DecisionLog::Entry entry{ClassId{2}, 3, Outcome::held, Reason::later};
  observer.decisions()->add(entry, 100, -10);
  observer.decisions()->add(entry, 400, -40, 2);
  std::array<TraceRecord, 4> out{};
  observer.write_decisions(Instant{109ms});
  EXPECT_EQ(observer.poll_trace(out), 0u);
  observer.write_decisions(Instant{110ms});
  ASSERT_EQ(observer.poll_trace(out), 1u);
  EXPECT_EQ(out[0].at_ns, 100'000'000);
  EXPECT_EQ(out[0].kind, TraceKind::decision);
  EXPECT_EQ(out[0].sequence, static_cast<std::uint64_t>(Reason::later));
  EXPECT_EQ(out[0].flags, static_cast<std::uint16_t>(Outcome::held));
  EXPECT_EQ(out[0].path, 3);
  EXPECT_EQ(out[0].class_id, 2u);
  EXPECT_EQ(out[0].size, 3u);
  EXPECT_EQ(out[0].a, 300u);
  EXPECT_EQ(static_cast<std::int64_t>(out[0].b), -30);
  observer.write_decisions(Instant{500ms});
  EXPECT_EQ(observer.poll_trace(out), 0u);
}

TEST(DecisionLog, every_class_path_outcome_and_reason_has_a_place_of_its_own) {
  DecisionLog log;
  std::set<std::tuple<ClassId, std::uint8_t, Outcome, Reason>> seen;
  std::uint32_t packets = 0;
  const auto each = [](auto action) {
    for (std::size_t i = 0; i < classes_max * paths_max * outcome_count * reason_count; ++i) {
      action(DecisionLog::Entry{ClassId{static_cast<std::uint8_t>(i % classes_max)},
                                static_cast<std::uint8_t>(i / classes_max % paths_max),
                                static_cast<Outcome>(i / classes_max / paths_max % outcome_count),
                                static_cast<Reason>(i / classes_max / paths_max / outcome_count)});
    }
  };
  each([&](const DecisionLog::Entry& entry) { log.add(entry, 0, 0, ++packets); });
  std::uint32_t expected = 0;
  log.restart({}, [&](const DecisionLog::Entry& e, const DecisionLog::Tally& tally) {
    EXPECT_EQ(tally.packets, ++expected);
    seen.emplace(e.class_id, e.path, e.outcome, e.reason);
  });
  EXPECT_EQ(seen.size(), packets);
}

TEST(DecisionLog, there_is_none_while_nobody_traces) {
  EXPECT_EQ(Observer{false}.decisions(), nullptr);
}

// --- schedulers
// -----------------------------------------------------------------------------------

TEST(EarliestArrivalReasons, a_path_on_which_it_would_arrive_later_says_by_how_much) {
  Desk d = desk({{0, 50, 20ms}, {1, 50, 51ms}});
  ASSERT_EQ(d.send(), 0);
  const Told why = told(d).at({1, Outcome::elsewhere, Reason::later});
  EXPECT_EQ(why.packets, 1u);
  EXPECT_NEAR(static_cast<double>(why.a), 31e6, 1e3);
  EXPECT_EQ(why.b, 0);  // no queue on either
}

TEST(EarliestArrivalReasons, a_longer_queue_is_told_apart_from_a_longer_delay) {
  Desk d = desk({{0, 8, 20ms}, {1, 8, 20ms, 1 << 30, 4000}});  // 4000 bytes take 4 ms
  ASSERT_EQ(d.send(), 0);
  const Told why = told(d).at({1, Outcome::elsewhere, Reason::later});
  EXPECT_EQ(why.a, 4'000'000);
  EXPECT_EQ(why.b, 4'000'000);
}

TEST(EarliestArrivalReasons, a_full_queue_says_how_long_it_is_and_what_is_allowed) {
  Desk d = desk({{0, 50, 20ms}});
  while (d.send() >= 0) {
  }
  const Told why = told(d).at({0, Outcome::held, Reason::committed});
  EXPECT_EQ(why.packets, 1u);
  EXPECT_GT(why.a, 5'000'000);
  EXPECT_EQ(why.b, 5'000'000);
}

TEST(EarliestArrivalReasons, the_better_path_without_room_says_so_when_the_other_takes_over) {
  Desk d = desk({{0, 50, 20ms}, {1, 50, 70ms}});
  stand_a_queue_in(d, 1);
  while (d.send() != 1) told(d);
  EXPECT_EQ(told(d).at({0, Outcome::elsewhere, Reason::committed}).packets, 1u);
}

TEST(EarliestArrivalReasons, a_closed_window_is_told_apart_from_a_full_queue) {
  Desk d = desk({{0, 8, 20ms, -20000}});  // 21400 bytes beyond, 21.4 ms
  ASSERT_EQ(d.send(), -1);
  const Told why = told(d).at({0, Outcome::held, Reason::window_closed});
  EXPECT_EQ(why.a, 21400);
  EXPECT_EQ(why.b, 21'400'000);
}

TEST(EarliestArrivalReasons, a_dearer_path_says_what_it_costs_and_what_was_enough) {
  Desk d = desk({{0, 50, 20ms}, {1, 50, 5ms, 1 << 30, 0, 0ms, 9}});
  ASSERT_EQ(d.send(), 0);
  const Told why = told(d).at({1, Outcome::elsewhere, Reason::cost});
  EXPECT_EQ(why.a, 9);
  EXPECT_EQ(why.b, 0);
}

TEST(EarliestArrivalReasons, a_path_beyond_the_spread_says_by_how_much_it_is_slower) {
  Desk d = desk({{0, 50, 20ms}, {1, 50, 220ms}});
  ASSERT_EQ(d.send(), 0);
  const Told why = told(d).at({1, Outcome::elsewhere, Reason::spread});
  EXPECT_EQ(why.a, 200'000'000);
  EXPECT_EQ(why.b, 150'000'000);
}

TEST(EarliestArrivalReasons, a_small_mtu_is_a_reason) {
  Desk d = desk({{0, 50, 20ms}, {1, 50, 5ms, 1 << 30, 0, 0ms, 0, 1233}});
  ASSERT_EQ(d.send(), 0);
  EXPECT_EQ(told(d).at({1, Outcome::elsewhere, Reason::too_big}).b, 1233);
}

TEST(EarliestArrivalReasons, a_realtime_packet_waits_for_the_best_path_and_the_others_say_later) {
  Desk d = desk({{0, 50, 20ms}, {1, 50, 70ms}});
  stand_a_queue_in(d, 1);
  while (d.send(full(PacketView::realtime)) >= 0) told(d);
  const Story story = told(d);
  EXPECT_TRUE(story.contains({0, Outcome::held, Reason::committed}));
  EXPECT_TRUE(story.contains({1, Outcome::held, Reason::later}));
}

TEST(PolicyReasons, policies_that_go_by_cost_name_it) {
  for (const char* name : {"cheapest-path-first", "adaptive-cheapest-path-first"}) {
    Desk d = desk({{0, 50, 20ms}, {1, 50, 5ms, 1 << 30, 0, 0ms, 9}}, name);
    ASSERT_EQ(d.send(), 0) << name;
    EXPECT_TRUE(told(d).contains({1, Outcome::elsewhere, Reason::cost})) << name;
  }
}

TEST(PolicyReasons, every_path_that_did_not_take_a_packet_says_why_once) {
  for (const std::string_view name : scheduler_names()) {
    Desk d = desk({{0, 50, 20ms}, {1, 20, 40ms}, {2, 5, 60ms, 9000}}, name);
    for (int i = 0; i < 300; ++i) {
      const PathMask taken = d.choose(full(i % 7 == 0 ? PacketView::sparse : 0), 100000);
      std::uint64_t answers = 0;
      for (const auto& [key, why] : told(d)) {
        EXPECT_EQ(taken >> std::get<0>(key) & 1, 0u) << name;
        EXPECT_EQ(std::get<1>(key), taken == 0 ? Outcome::held : Outcome::elsewhere) << name;
        answers += why.packets;
      }
      ASSERT_EQ(answers, 3u - static_cast<unsigned>(std::popcount(taken))) << name << ", " << i;
      if (i % 5 == 0) d.drain(2ms);
    }
  }
}

TEST(PolicyReasons, explaining_changes_no_decision) {
  for (const std::string_view name : scheduler_names()) {
    Desk silent(name, {{0, 50, 20ms}, {1, 20, 40ms}, {2, 5, 60ms, 9000}});
    Desk talking(name, {{0, 50, 20ms}, {1, 20, 40ms}, {2, 5, 60ms, 9000}});
    talking.explain();
    for (int i = 0; i < 300; ++i) {
      ASSERT_EQ(silent.choose(full(), 100000), talking.choose(full(), 100000)) << name << ", " << i;
      if (i % 5 != 0) continue;
      silent.drain(2ms);
      talking.drain(2ms);
    }
  }
}

// --- whole tunnels
// --------------------------------------------------------------------------------

/// Why end a's packets did not take each path, from `from` on.
struct Listener {
  explicit Listener(Pair& pair, Instant from) {
    pair.on_trace = [this, from](Pair::End end, const TraceRecord& record) {
      if (end != Pair::a || record.kind != TraceKind::decision) return;
      if (record.at_ns < from.time_since_epoch().count()) return;
      const Key key{record.path, static_cast<Outcome>(record.flags),
                    static_cast<Reason>(record.sequence)};
      story[key].packets += record.size;
    };
  }
  std::uint64_t packets(std::uint8_t path, Outcome outcome, Reason reason) const {
    const auto found = story.find({path, outcome, reason});
    return found == story.end() ? 0 : found->second.packets;
  }
  Story story;
};

const std::vector<PairLink> two_links{symmetric(30, 20ms), symmetric(30, 30ms)};

TEST(Why, a_black_holed_link_was_suspect_and_then_down) {
  Pair pair(two_links);
  Listener why{pair, Instant{2s}};
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(10), 4s);
  pair.at(Instant{2s}, [&] { pair.set_state(0, LinkState::blackhole); });
  pair.run(4s);
  EXPECT_GT(why.packets(0, Outcome::elsewhere, Reason::suspect), 10u);
  EXPECT_GT(why.packets(0, Outcome::elsewhere, Reason::down), 1000u);
}

TEST(Why, a_new_path_is_probing_until_it_has_answered) {
  Pair pair(two_links);
  Listener why{pair, {}};
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(5), 1s);
  pair.run(1s);
  EXPECT_GT(why.packets(1, Outcome::held, Reason::probing), 0u);
}

TEST(Why, a_blocked_driver_is_named_for_what_waits_and_for_what_was_bound) {
  Pair pair(two_links);
  Listener why{pair, Instant{2s}};
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(25), 3s);
  pair.at(Instant{2s}, [&] { pair.set_blocked(0, Pair::a, true); });
  pair.run(3s);
  EXPECT_GT(why.packets(0, Outcome::elsewhere, Reason::blocked), 1000u);
}

TEST(Why, a_class_that_prefers_another_link_is_named) {
  TunnelConfig config;
  config.classes[2].links = {"link1"};
  Pair pair(two_links, config);
  Listener why{pair, Instant{1s}};
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(5), 2s);
  pair.run(2s);
  EXPECT_GT(why.packets(0, Outcome::elsewhere, Reason::class_links), 300u);
}

TEST(Why, a_class_over_its_rate_is_named) {
  TunnelConfig config;
  config.classes[2].rate_max = BitRate::from_mbps(2);
  Pair pair(two_links, config);
  Listener why{pair, Instant{1s}};
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(5), 2s);
  pair.run(2s);
  EXPECT_GT(why.packets(0, Outcome::held, Reason::class_rate), 10u);
}

TEST(Why, an_overload_holds_packets_because_both_queues_are_committed_or_windows_closed) {
  Pair pair(two_links);
  Listener why{pair, Instant{1s}};
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(90), 3s);
  pair.run(3s);
  for (const std::uint8_t path : {std::uint8_t{0}, std::uint8_t{1}}) {
    EXPECT_GT(why.packets(path, Outcome::held, Reason::committed), 100u) << int{path};
  }
  EXPECT_GT(why.packets(0, Outcome::stopped, Reason::window_closed) +
                why.packets(1, Outcome::stopped, Reason::window_closed),
            0u);
}

TEST(Why, an_idle_tunnel_decides_nothing) {
  Pair pair(two_links);
  Listener why{pair, {}};
  pair.run(2s);
  EXPECT_TRUE(why.story.empty());
}

TEST(Why, what_each_link_refused_and_what_it_took_are_all_packets) {
  Pair pair(two_links);
  std::uint64_t assigned = 0, here = 0, refused = 0;
  pair.on_trace = [&](Pair::End end, const TraceRecord& record) {
    if (end != Pair::a) return;
    if (record.kind == TraceKind::assigned) ++assigned, here += record.a & 1;
    const bool about_it = record.kind == TraceKind::decision && record.path == 0;
    if (about_it && record.flags == static_cast<std::uint16_t>(Outcome::elsewhere)) {
      refused += record.size;
    }
  };
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(40), 2s);
  pair.run(3s);
  EXPECT_GT(refused, 1000u);
  EXPECT_EQ(here + refused, assigned);
}

TEST(Why, tracing_decisions_changes_none_of_them) {
  const auto digest_with = [](bool traced) {
    TunnelConfig config;
    config.trace_packets = traced;
    Pair pair(two_links, config);
    pair.send_stream(Pair::a, 1, BitRate::from_mbps(90), 3s);
    pair.send_stream(Pair::b, 2, BitRate::from_mbps(1), 3s, 200, dscp_realtime);
    pair.at(Instant{2s}, [&] { pair.set_state(0, LinkState::blackhole); });
    pair.run(3s);
    return pair.digest();
  };
  EXPECT_EQ(digest_with(false), digest_with(true));
}

}  // namespace
}  // namespace sennit
