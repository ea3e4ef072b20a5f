#include "core/shared_bottleneck.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/rng.h"
#include "core/testing/pair.h"

namespace sennit {
namespace {

/// A bottleneck with a queue, and what others send through it.
struct Mast {
  double mbps = 50;
  double others_mbps = 0;  // on average; changes every 100 ms
  double queue_s = 0;
  double others_now = 0;
};

/// One path's rate control, roughly: a probe of a quarter more, then less, then its share; less of
/// all when the queue stands.
struct Sender {
  std::size_t mast = 0;
  double mbps = 25;
  double probe_every_s = 0.5, probes_at_s = 0;
  double jitter_s = 0;
  double sent = 0;  // bytes

  double rate(double t, double queue_s) const {
    const double phase = std::fmod(t + probe_every_s - probes_at_s, probe_every_s);
    const double gain = phase < 0.1 ? 1.25 : phase < 0.2 ? 0.85 : 1.0;
    return mbps * gain * (queue_s > 0.02 ? 0.9 : 1.0);
  }
};

class Loop {
 public:
  Loop(std::vector<Mast> masts, std::vector<Sender> senders, std::uint64_t seed = 1)
      : masts_(std::move(masts)), senders_(std::move(senders)), rng_(seed) {}

  SharedBottlenecks found;
  Sender& sender(std::size_t i) { return senders_[i]; }
  double now_s() const { return 0.01 * steps_; }

  void run(double seconds) {
    for (const int end = steps_ + static_cast<int>(100 * seconds); steps_ < end;) step();
  }
  /// Seconds until path `two` is found to share with path `one`; `most` if it is not.
  double until_shared(std::size_t one, std::size_t two, double most) {
    const double begin = now_s();
    while (now_s() - begin < most && group(one) != group(two)) step();
    return now_s() - begin;
  }
  std::size_t group(std::size_t path) const { return index(found.group(id(path))); }

 private:
  static PathId id(std::size_t path) { return PathId{static_cast<std::uint8_t>(path)}; }

  void step() {
    constexpr double dt = 0.01;
    ++steps_;
    std::vector<double> rates;
    for (Sender& sender : senders_) {
      rates.push_back(sender.rate(now_s(), masts_[sender.mast].queue_s));
      sender.sent += rates.back() * 1e6 / 8 * dt;
    }
    for (std::size_t m = 0; m < masts_.size(); ++m) {
      Mast& mast = masts_[m];
      if (steps_ % 10 == 0) mast.others_now = 2 * mast.others_mbps * rng_.uniform();
      double in = mast.others_now;
      for (std::size_t i = 0; i < senders_.size(); ++i) in += senders_[i].mast == m ? rates[i] : 0;
      mast.queue_s = std::clamp(mast.queue_s + (in / mast.mbps - 1) * dt, 0.0, 0.1);
    }
    const Instant now = Instant{} + steps_ * Duration{10ms};
    for (std::size_t i = 0; i < senders_.size(); ++i) {
      const double jitter = senders_[i].jitter_s * rng_.uniform();
      if (senders_[i].mbps <= 0 || !found.wants(id(i), now)) continue;
      BottleneckSample sample{now, from_seconds(masts_[senders_[i].mast].queue_s + jitter), {}};
      for (std::size_t j = 0; j < senders_.size(); ++j) {
        sample.sent_bytes[j] = static_cast<std::uint64_t>(senders_[j].sent);
      }
      found.on_sample(id(i), sample);
    }
  }

  std::vector<Mast> masts_;
  std::vector<Sender> senders_;
  Rng rng_;
  int steps_ = 0;
};

Sender on(std::size_t mast, double mbps, double every_s = 0.5, double at_s = 0) {
  Sender sender;
  sender.mast = mast;
  sender.mbps = mbps;
  sender.probe_every_s = every_s;
  sender.probes_at_s = at_s;
  return sender;
}

// Slightly more than the bottleneck carries, as a flow that keeps a queue.
const Sender half = on(0, 25.2), other_half = on(0, 25.2, 0.6, 0.2);

TEST(SharedBottlenecks, is_found_within_seconds_under_load) {
  Loop loop({Mast{}}, {half, other_half});
  EXPECT_LT(loop.until_shared(0, 1, 60), 4.0);
}

TEST(SharedBottlenecks, is_found_beside_what_others_send_through_it) {
  Loop loop({Mast{60, 10}}, {half, other_half});
  EXPECT_LT(loop.until_shared(0, 1, 60), 30.0);
}

TEST(SharedBottlenecks, is_found_where_delays_jitter) {
  Loop loop({Mast{}}, {half, other_half});
  loop.sender(0).jitter_s = loop.sender(1).jitter_s = 0.01;
  EXPECT_LT(loop.until_shared(0, 1, 60), 15.0);
}

TEST(SharedBottlenecks, two_links_of_their_own_are_never_taken_for_one) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Loop loop({Mast{60, 10}, Mast{60, 10}}, {on(0, 50.2), on(1, 50.2, 0.6, 0.2)}, seed);
    loop.sender(0).jitter_s = loop.sender(1).jitter_s = 0.001 * static_cast<double>(seed % 10);
    EXPECT_EQ(loop.until_shared(0, 1, 60), 60) << "seed " << seed;
  }
}

// Their delays are the same at any time, and so are all statistics of them.
TEST(SharedBottlenecks, two_equal_links_that_are_probed_in_step_are_not_taken_for_one) {
  Loop loop({Mast{}, Mast{}}, {on(0, 50.2), on(1, 50.2)});
  EXPECT_GE(loop.until_shared(0, 1, 60), 60);
}

TEST(SharedBottlenecks, of_rates_that_always_move_together_nothing_is_said) {
  Loop loop({Mast{}}, {on(0, 25.2), on(0, 25.2)});
  EXPECT_GE(loop.until_shared(0, 1, 60), 60);
}

TEST(SharedBottlenecks, an_idle_path_says_nothing) {
  Loop loop({Mast{}}, {on(0, 50.2), on(0, 0)});
  EXPECT_GE(loop.until_shared(0, 1, 60), 60);
}

TEST(SharedBottlenecks, an_empty_queue_says_nothing) {
  Loop loop({Mast{}}, {on(0, 10), on(0, 10, 0.6, 0.2)});
  EXPECT_GE(loop.until_shared(0, 1, 60), 60);
}

TEST(SharedBottlenecks, a_third_path_beside_two_that_share_stays_alone) {
  Loop loop({Mast{}, Mast{}}, {half, on(1, 50.2, 0.55, 0.1), other_half});
  EXPECT_LT(loop.until_shared(0, 2, 60), 6.0);
  loop.run(30);
  EXPECT_EQ(loop.group(0), 0u);
  EXPECT_EQ(loop.group(1), 1u);
  EXPECT_EQ(loop.group(2), 0u);
}

TEST(SharedBottlenecks, three_paths_of_one_bottleneck_are_one_group) {
  Loop loop({Mast{75}}, {half, other_half, on(0, 25.2, 0.7, 0.35)});
  loop.run(20);
  EXPECT_EQ(loop.group(1), 0u);
  EXPECT_EQ(loop.group(2), 0u);
}

TEST(SharedBottlenecks, a_path_that_moves_to_another_bottleneck_leaves_its_group) {
  Loop loop({Mast{}, Mast{}}, {half, other_half});
  loop.until_shared(0, 1, 60);
  loop.sender(0).mbps = loop.sender(1).mbps = 50.2;
  loop.sender(1).mast = 1;
  loop.run(20);
  EXPECT_EQ(loop.group(1), 1u);
}

TEST(SharedBottlenecks, a_path_that_was_away_is_alone_until_it_is_found_again) {
  Loop loop({Mast{}}, {half, other_half});
  loop.until_shared(0, 1, 60);
  EXPECT_TRUE(loop.found.forget(PathId{1}));
  EXPECT_EQ(loop.group(1), 1u);
  EXPECT_LT(loop.until_shared(0, 1, 60), 4.0);
}

TEST(SharedBottlenecks, a_path_that_is_used_no_more_may_prove_itself_after_two_minutes) {
  Loop loop({Mast{}}, {half, other_half});
  loop.until_shared(0, 1, 60);
  loop.sender(0).mbps = 50.2;
  loop.sender(1).mbps = 0;
  loop.run(115);
  EXPECT_EQ(loop.group(1), 0u);
  loop.run(10);
  EXPECT_EQ(loop.group(1), 1u);
}

}  // namespace
}  // namespace sennit
