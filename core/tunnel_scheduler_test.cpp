// Every policy in a whole tunnel: whatever it chooses, packets arrive once, intact and in order.
#include <gtest/gtest.h>

#include "core/testing/pair.h"

namespace sennit {
namespace {

class EveryScheduler : public testing::TestWithParam<std::string_view> {
 protected:
  TunnelConfig config() const {
    TunnelConfig config;
    config.scheduler.algorithm = GetParam();
    return config;
  }
  void expect_carried(Pair& pair) {
    EXPECT_EQ(pair.missing(Pair::a, 1, Instant{1s}), 0u);
    EXPECT_EQ(out_of_order(pair.delivered(Pair::b), 1, Instant{1s}), 0u);
    EXPECT_EQ(repeated(pair.delivered(Pair::b), 1), 0u);
    EXPECT_TRUE(all_intact(pair.delivered(Pair::b)));
  }
};

TEST_P(EveryScheduler, carries_a_stream_over_two_links_in_order) {
  Pair pair({symmetric(50, 10ms), symmetric(40, 25ms)}, config());
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(20), 3s);
  pair.run(4s);
  expect_carried(pair);
}

TEST_P(EveryScheduler, survives_the_loss_of_a_link) {
  Pair pair({symmetric(50, 10ms), symmetric(40, 25ms)}, config());
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(15), 3s);
  pair.at(Instant{2s}, [&] { pair.set_carrier(0, false); });
  pair.run(4s);
  expect_carried(pair);
}

INSTANTIATE_TEST_SUITE_P(Policies, EveryScheduler,
                         testing::ValuesIn(scheduler_names().begin(), scheduler_names().end()),
                         [](const auto& test) {
                           std::string name{test.param};
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST(Scheduler, redundant_sends_everything_twice_and_delivers_it_once) {
  TunnelConfig config;
  config.scheduler.algorithm = "redundant";
  Pair pair({symmetric(50, 10ms), symmetric(40, 25ms)}, config);
  pair.send_stream(Pair::a, 1, BitRate::from_mbps(10), 3s);
  pair.run(4s);
  EXPECT_EQ(repeated(pair.delivered(Pair::b), 1), 0u);
  EXPECT_GT(pair.drops(Pair::b, Drop::duplicate), pair.sent(Pair::a, 1) * 8 / 10);
}

}  // namespace
}  // namespace sennit
