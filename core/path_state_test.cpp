#include "core/path_state.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/rng.h"

namespace sennit {
namespace {

/// A path on which one datagram left at 10 s and was not answered, while the peer is heard on
/// another.
PathFacts silent_since(Instant sent) {
  PathFacts facts;
  facts.oldest_unanswered = sent;
  facts.usual_answer = 50ms;
  facts.deviation = 2ms;
  facts.packet_time = 1ms;
  facts.down_after_min = 150ms;
  facts.peer_heard = sent + 1h;
  return facts;
}
constexpr Instant sent{10s};

PathLiveness up_path() {
  PathLiveness path;
  path.on_answer(Instant{1s}, false);
  return path;
}

/// Lets silence last until the state is `wanted`; returns when that was.
Instant wait_for(PathLiveness& path, PathState wanted, const PathFacts& facts) {
  for (Instant now = *facts.oldest_unanswered; now < *facts.oldest_unanswered + 1h; now += 1ms) {
    path.on_time(now, facts);
    if (path.state() == wanted) return now;
  }
  return never;
}

/// Answers until it is up; returns how many were needed.
int answers_until_up(PathLiveness& path, Instant now) {
  int answers = 0;
  while (path.state() != PathState::up && answers < 1000) {
    path.on_answer(now += 100ms, false);
    ++answers;
  }
  return answers;
}

TEST(PathState, a_new_path_is_probed_and_up_with_its_first_answer) {
  PathLiveness path;
  EXPECT_EQ(path.state(), PathState::probing);
  path.on_answer(Instant{1s}, false);
  EXPECT_EQ(path.state(), PathState::up);
  EXPECT_EQ(path.last_answer(), Instant{1s});
}

TEST(PathState, silence_of_a_new_path_leaves_it_probing) {
  PathLiveness path;
  path.on_time(sent + 1h, silent_since(sent));
  EXPECT_EQ(path.state(), PathState::probing);
  EXPECT_EQ(path.next_change(silent_since(sent)), never);
}

TEST(PathState, a_path_with_all_news_in_stays_up_for_ever) {
  PathLiveness path = up_path();
  const PathFacts all_answered{};
  path.on_time(Instant{1s} + 24h, all_answered);
  EXPECT_EQ(path.state(), PathState::up);
  EXPECT_EQ(path.next_change(all_answered), never);
}

TEST(PathState, silence_makes_suspect_then_down_at_the_announced_instants) {
  PathLiveness path = up_path();
  const PathFacts facts = silent_since(sent);
  const Instant suspect = path.next_change(facts);
  EXPECT_GT(suspect, sent + facts.usual_answer);
  path.on_time(suspect - 1ns, facts);
  EXPECT_EQ(path.state(), PathState::up);
  path.on_time(suspect, facts);
  EXPECT_EQ(path.state(), PathState::suspect);
  const Instant down = path.next_change(facts);
  EXPECT_GE(down, sent + facts.down_after_min);
  path.on_time(down - 1ns, facts);
  EXPECT_EQ(path.state(), PathState::suspect);
  path.on_time(down, facts);
  EXPECT_EQ(path.state(), PathState::down);
  EXPECT_EQ(path.next_change(facts), never);
}

TEST(PathState, a_wake_up_that_comes_far_too_late_finds_the_path_down) {
  PathLiveness path = up_path();
  path.on_time(sent + 1h, silent_since(sent));
  EXPECT_EQ(path.state(), PathState::down);
}

TEST(PathState, suspicion_comes_soon_after_an_answer_is_overdue) {
  PathLiveness path = up_path();
  const Instant suspect = wait_for(path, PathState::suspect, silent_since(sent));
  EXPECT_LE(suspect - sent, 50ms + 30ms);
}

TEST(PathState, while_nothing_at_all_is_heard_it_waits_longer) {
  PathLiveness heard = up_path(), unheard = up_path();
  PathFacts facts = silent_since(sent);
  const Instant early = wait_for(heard, PathState::suspect, facts);
  facts.peer_heard = sent;  // not since: the way back may be what is dead
  EXPECT_GE(wait_for(unheard, PathState::suspect, facts) - early, 40ms);
}

TEST(PathState, an_unsteady_or_slow_path_is_suspected_later) {
  PathFacts unsteady = silent_since(sent), slow = silent_since(sent);
  unsteady.deviation = 20ms;
  slow.packet_time = 30ms;
  PathLiveness a = up_path(), b = up_path(), c = up_path();
  const Instant steady = wait_for(a, PathState::suspect, silent_since(sent));
  EXPECT_GT(wait_for(b, PathState::suspect, unsteady), steady);
  EXPECT_GT(wait_for(c, PathState::suspect, slow), steady);
}

TEST(PathState, one_answer_clears_a_suspicion) {
  PathLiveness path = up_path();
  const Instant suspect = wait_for(path, PathState::suspect, silent_since(sent));
  path.on_answer(suspect + 5ms, false);
  EXPECT_EQ(path.state(), PathState::up);
}

TEST(PathState, false_alarms_make_it_more_cautious_but_not_without_bound) {
  PathLiveness path = up_path();
  std::vector<Duration> patience;
  for (int i = 0; i < 10; ++i) {
    const Instant then = sent + i * 10s;
    const Instant suspect = wait_for(path, PathState::suspect, silent_since(then));
    patience.push_back(suspect - then);
    path.on_answer(suspect, false);
  }
  EXPECT_GT(patience[1], patience[0]);
  for (std::size_t i = 1; i < patience.size(); ++i) EXPECT_GE(patience[i], patience[i - 1]);
  EXPECT_LE(patience.back(), 50ms + 10 * (patience[0] - 50ms));
}

TEST(PathState, one_that_was_really_down_is_not_more_cautious) {
  PathLiveness fresh = up_path(), path = up_path();
  const Instant at = wait_for(path, PathState::suspect, silent_since(sent));
  path.on_answer(at, false);  // a false alarm
  (void)wait_for(path, PathState::down, silent_since(sent + 10s));
  (void)answers_until_up(path, sent + 20s);
  const Instant then = sent + 100s;
  EXPECT_EQ(wait_for(path, PathState::suspect, silent_since(then)),
            wait_for(fresh, PathState::suspect, silent_since(then)));
}

TEST(PathState, a_path_that_was_down_proves_itself_with_several_answers) {
  PathLiveness path = up_path();
  const Instant down = wait_for(path, PathState::down, silent_since(sent));
  path.on_answer(down + 1s, false);
  EXPECT_EQ(path.state(), PathState::probing);
  EXPECT_GE(answers_until_up(path, down + 1s), 1);
}

TEST(PathState, silence_between_its_answers_makes_it_begin_again) {
  PathLiveness path = up_path(), steady = up_path();
  const Instant down = wait_for(path, PathState::down, silent_since(sent));
  (void)wait_for(steady, PathState::down, silent_since(sent));
  const int needed = answers_until_up(steady, down);
  ASSERT_GT(needed, 1);
  for (int i = 0; i < needed - 1; ++i) path.on_answer(down + 1s, false);
  path.on_time(down + 1h, silent_since(down + 1s));
  EXPECT_EQ(path.state(), PathState::probing);
  EXPECT_EQ(answers_until_up(path, down + 2h), needed);
}

TEST(PathState, the_only_hope_is_up_with_one_answer) {
  PathLiveness path = up_path();
  const Instant down = wait_for(path, PathState::down, silent_since(sent));
  path.on_answer(down + 1s, true);
  EXPECT_EQ(path.state(), PathState::up);
}

TEST(PathState, flapping_lengthens_the_proof_up_to_a_limit) {
  PathLiveness path = up_path();
  std::vector<int> needed;
  Instant now = sent;
  for (int i = 0; i < 8; ++i) {
    now = wait_for(path, PathState::down, silent_since(now));
    needed.push_back(answers_until_up(path, now));
    now += 3s;
  }
  EXPECT_GT(needed[1], needed[0]);
  for (std::size_t i = 1; i < needed.size(); ++i) EXPECT_GE(needed[i], needed[i - 1]);
  EXPECT_EQ(needed[7], needed[6]) << "there is a limit";
  EXPECT_LE(needed.back(), 100);
}

TEST(PathState, a_long_time_up_forgives_flapping) {
  PathLiveness path = up_path();
  Instant now = wait_for(path, PathState::down, silent_since(sent));
  const int once = answers_until_up(path, now);
  now = wait_for(path, PathState::down, silent_since(now + 2s));
  ASSERT_GT(answers_until_up(path, now), once);
  now = wait_for(path, PathState::down, silent_since(now + 10min));
  EXPECT_EQ(answers_until_up(path, now), once);
}

TEST(PathState, carrier_loss_acts_at_once_in_every_state) {
  PathLiveness probing, up = up_path(), suspect = up_path();
  (void)wait_for(suspect, PathState::suspect, silent_since(sent));
  for (PathLiveness* path : {&probing, &up, &suspect}) {
    path->on_carrier(sent + 1s, false);
    EXPECT_EQ(path->state(), PathState::down);
    path->on_carrier(sent + 2s, false);
    EXPECT_EQ(path->state(), PathState::down);
  }
}

TEST(PathState, carrier_back_means_probing_not_up) {
  PathLiveness path = up_path();
  path.on_carrier(sent, false);
  path.on_carrier(sent + 1s, true);
  EXPECT_EQ(path.state(), PathState::probing);
  EXPECT_GT(answers_until_up(path, sent + 1s), 1);
  path.on_carrier(sent + 5s, true);
  EXPECT_EQ(path.state(), PathState::up) << "a carrier that was never lost changes nothing";
}

// Whatever happens, in whatever order: only the transitions of the diagram, and next_change() never
// names an instant at which nothing happens.
TEST(PathState, any_history_follows_the_diagram) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Rng rng{seed};
    PathLiveness path;
    Instant now{10s};
    PathFacts facts = silent_since(now);
    for (int i = 0; i < 300; ++i) {
      const PathState before = path.state();
      const std::uint64_t what = rng.below(10);
      now += 1ms * static_cast<int>(rng.below(200));
      if (what < 4) {
        path.on_answer(now, rng.chance(0.1));
        facts = silent_since(now);
        const bool fine = before == PathState::down
                              ? path.state() != PathState::suspect
                              : path.state() == PathState::up || path.state() == before;
        ASSERT_TRUE(fine) << "seed " << seed << " step " << i;
      } else if (what < 9) {
        const Instant change = path.next_change(facts);
        path.on_time(now, facts);
        ASSERT_EQ(path.state() != before, change <= now) << "seed " << seed << " step " << i;
      } else {
        path.on_carrier(now, rng.chance(0.5));
        ASSERT_TRUE(path.state() == before || path.state() == PathState::down ||
                    (before == PathState::down && path.state() == PathState::probing));
      }
    }
  }
}

}  // namespace
}  // namespace sennit
