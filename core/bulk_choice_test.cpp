#include "core/bulk_choice.h"

#include <gtest/gtest.h>

#include "core/rate_control.h"

namespace sennit {
namespace {

/// Paths that are up and measured, of known rates; no packets.
class Choice : public ::testing::Test {
 protected:
  void add(double mbps, Duration delay) {
    const PathId id{static_cast<std::uint8_t>(paths.all().size())};
    Path& path = paths.add(std::make_unique<Path>(id, PathConfig{}, Address{}, limits, now));
    path.liveness.on_answer(now, true);
    path.capacity_probe.on_explored(now);
    set_rate(path, mbps);
    delays[index(id)] = delay;
    report(path);
  }
  /// Time passes, and reports come; choices are made every 100 ms.
  void run(Duration duration) {
    for (const Instant end = now + duration; now < end; now += 100ms) {
      for (Path* path : paths.all()) report(*path);
      choice.choose(now, false);
    }
  }
  void set_rate(Path& path, double mbps) {
    for (int i = 0; i < 20; ++i) {  // the rate control's maximum forgets
      RateSample sample{};
      sample.now = now;
      sample.delivery_rate = BitRate::from_mbps(mbps);
      sample.app_limited = false;
      path.rate.on_report(sample);
      now += 100ms;
    }
  }
  bool used(std::size_t path) { return paths.all()[path]->for_bulk; }

  SchedulerConfig config;
  RateLimits limits{5ms, 20ms, {}};
  PathSet paths;
  SharedBottlenecks bottlenecks;
  BulkChoice choice{config, paths, bottlenecks};
  std::array<Duration, paths_max> delays{};
  Instant now{1s};

 private:
  void report(Path& path) {
    const Duration delay = delays[index(path.id)];
    path.forward.on_report(now, delay, delay);
  }
};

TEST_F(Choice, a_far_path_of_little_worth_is_left_out) {
  add(50, 5ms);
  add(3, 95ms);
  run(1s);
  EXPECT_TRUE(used(0));
  EXPECT_FALSE(used(1));
}

TEST_F(Choice, another_choice_must_stand_for_seconds_before_it_is_made) {
  add(50, 20ms);
  add(50, 70ms);
  run(1s);
  ASSERT_TRUE(used(1));
  delays[1] = 200ms;  // its least delay of ten seconds is still the old one
  run(9s);
  ASSERT_TRUE(used(1));
  run(2s);
  EXPECT_TRUE(used(1)) << "for a second or two it is not believed";
  run(3s);
  EXPECT_FALSE(used(1));
}

TEST_F(Choice, a_path_that_comes_is_judged_at_once) {
  add(50, 20ms);
  run(1s);
  add(50, 40ms);
  run(100ms);
  EXPECT_TRUE(used(1));
}

}  // namespace
}  // namespace sennit
