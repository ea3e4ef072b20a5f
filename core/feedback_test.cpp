#include "core/feedback.h"

#include <gtest/gtest.h>

#include "core/testing/pair.h"

namespace sennit {
namespace {

// In that time more PINGs go unanswered than a path has records of what it sent.
TEST(Feedback, a_path_that_was_dead_for_twenty_minutes_comes_back) {
  Pair pair{{symmetric(20, 10ms), symmetric(20, 20ms)}};
  pair.run(2s);
  pair.set_link(1, [](LinkConfig& link) { link.state = LinkState::blackhole; });
  pair.run(20min);
  ASSERT_EQ(pair.metrics(Pair::a).paths[1].state, PathState::down);
  const std::uint64_t sent = pair.metrics(Pair::a).paths[1].sent_packets;
  EXPECT_GT(sent, sent_max) << "or the test tests nothing";
  pair.set_link(1, [](LinkConfig& link) { link.state = LinkState::up; });
  pair.run(5s);
  EXPECT_EQ(pair.metrics(Pair::a).paths[1].state, PathState::up);
  EXPECT_EQ(pair.metrics(Pair::b).paths[1].state, PathState::up);
}

// Reports acknowledge nothing but data: two idle ends would otherwise answer each other for ever.
TEST(Feedback, an_idle_tunnel_sends_a_few_small_datagrams_a_second) {
  Pair pair{{symmetric(20, 10ms), symmetric(20, 20ms)}};
  pair.run(5s);
  const auto before = pair.metrics(Pair::a);
  pair.run(10s);
  const auto after = pair.metrics(Pair::a);
  for (std::size_t path = 0; path < 2; ++path) {
    const std::uint64_t packets = after.paths[path].sent_packets - before.paths[path].sent_packets;
    const std::uint64_t bytes = after.paths[path].sent_bytes - before.paths[path].sent_bytes;
    EXPECT_GE(packets, 50u) << "it must notice when the path dies";
    EXPECT_LE(packets, 500u);
    EXPECT_LE(bytes, 50'000u) << "below 40 kbit/s";
  }
}

}  // namespace
}  // namespace sennit
