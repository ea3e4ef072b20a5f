#include "sim/model/wake_event.h"

#include <vector>

#include <gtest/gtest.h>

namespace sennit {
namespace {

struct WakeEventTest : ::testing::Test {
  ~WakeEventTest() override { ns3::Simulator::Destroy(); }
  void at(Duration when, std::function<void()> what) {
    ns3::Simulator::Schedule(to_ns3(when), [what] { what(); });
  }
  WakeEvent event{[this] { woken.push_back(simulated_now() - Instant{}); }};
  std::vector<Duration> woken;
};

TEST_F(WakeEventTest, wakes_once_at_the_instant_asked_for) {
  event.wake_at(Instant{} + 5ms);
  ns3::Simulator::Run();
  EXPECT_EQ(woken, std::vector<Duration>{5ms});
}

TEST_F(WakeEventTest, the_last_request_counts_whether_earlier_or_later) {
  event.wake_at(Instant{} + 5ms);
  at(1ms, [this] { event.wake_at(Instant{} + 9ms); });
  at(10ms, [this] { event.wake_at(Instant{} + 20ms); });
  at(11ms, [this] { event.wake_at(Instant{} + 12ms); });
  ns3::Simulator::Run();
  EXPECT_EQ(woken, (std::vector<Duration>{9ms, 12ms}));
}

TEST_F(WakeEventTest, an_instant_that_has_passed_means_now) {
  at(3ms, [this] { event.wake_at(Instant{} + 1ms); });
  ns3::Simulator::Run();
  EXPECT_EQ(woken, std::vector<Duration>{3ms});
}

TEST_F(WakeEventTest, never_takes_a_request_back) {
  event.wake_at(Instant{} + 5ms);
  at(1ms, [this] { event.wake_at(never); });
  ns3::Simulator::Run();
  EXPECT_TRUE(woken.empty());
}

}  // namespace
}  // namespace sennit
