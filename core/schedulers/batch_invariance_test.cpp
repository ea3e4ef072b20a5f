// How packets are cut into calls must not change any decision: every policy decides the same for a
// batch as for its packets one by one, and for any cut between.
#include <gtest/gtest.h>

#include "core/schedulers/sample_paths.h"

namespace sennit {
namespace {

/// What a scheduler may meet in one call, drawn from a seed.
struct Round {
  std::vector<PathView> paths;
  std::vector<PacketView> packets;
  std::int64_t backlog = 0;
};

Round draw(Rng& rng) {
  Round round;
  const bool tight = rng.chance(0.5);  // small rates, windows and differences: much is held
  for (std::uint8_t id = 0; id < paths_max; ++id) {
    if (!rng.chance(0.3)) continue;
    samples::Link link;
    link.id = id;
    link.mbps = 0.5 + (tight ? 20 : 200) * rng.uniform() * rng.uniform();
    link.one_way = from_seconds((tight ? 0.005 : 0.2) * rng.uniform() * rng.uniform());
    link.window = static_cast<std::int64_t>(rng.below(tight ? 30000 : 200000)) - 20000;
    link.queued = rng.chance(0.5) ? 0 : static_cast<std::int64_t>(rng.below(20000));
    link.deviation = from_seconds(0.01 * rng.uniform());
    link.cost = static_cast<std::uint8_t>(rng.below(3));
    link.mtu = rng.chance(0.1) ? 1233 : 1433;
    round.paths.push_back(samples::row(link));
  }
  if (round.paths.empty()) round.paths.push_back(samples::row({}));
  round.paths.front().mtu = 1433;  // every packet fits somewhere
  const auto class_id = static_cast<std::uint8_t>(rng.below(3));
  const std::uint8_t realtime = class_id == 0 ? PacketView::realtime : 0;
  for (std::size_t n = 1 + rng.below(batch_max); n > 0; --n) {
    const auto size = static_cast<std::uint16_t>(40 + rng.below(1394));
    const auto flags =
        static_cast<std::uint8_t>(realtime | (rng.chance(0.2) ? PacketView::sparse : 0));
    round.packets.push_back({0, static_cast<std::uint32_t>(rng.below(5)), size, class_id, flags});
    round.backlog += size;
  }
  if (rng.chance(0.5)) round.backlog += static_cast<std::int64_t>(rng.below(1000000));
  return round;
}

/// Assigns in pieces of the lengths that `cut` draws; stops at the first hold, as the tunnel does.
template <class Cut>
std::vector<PathMask> assign(Scheduler& scheduler, Round round, Cut cut) {
  std::vector<PathMask> choice(round.packets.size(), 0);
  Rng unused{1};
  for (std::size_t at = 0; at < choice.size();) {
    const std::size_t n = std::min(cut(), choice.size() - at);
    const std::span<PathMask> part{&choice[at], n};
    scheduler.assign({Instant{1s}, round.paths, {&round.packets[at], n}, unused, round.backlog},
                     part);
    for (std::size_t i = 0; i < n; ++i, ++at) {
      if (part[i] == 0) return choice;
      round.backlog -= round.packets[at].size;
    }
  }
  return choice;
}

void expect_sound(const Round& round, std::span<const PathMask> choice) {
  bool held = false;
  for (std::size_t i = 0; i < choice.size(); ++i) {
    EXPECT_FALSE(held && choice[i] != 0) << "packet " << i << " overtakes a held one";
    held = choice[i] == 0;
    EXPECT_EQ(choice[i] >> round.paths.size(), 0u) << "a path that does not exist";
    for (std::size_t p = 0; p < round.paths.size(); ++p) {
      if ((choice[i] >> p & 1) == 0) continue;
      EXPECT_LE(round.packets[i].size, round.paths[p].mtu);
    }
  }
}

std::unique_ptr<Scheduler> make(std::string_view name) {
  SchedulerConfig config;
  config.algorithm = name;
  config.weights = {{"a", 2.5}, {"b", 0.7}};
  auto scheduler = make_scheduler(config);
  scheduler->set_path_name(PathId{0}, "a");
  scheduler->set_path_name(PathId{3}, "b");
  return scheduler;
}

TEST(BatchInvariance, the_cut_into_calls_changes_no_decision) {
  for (const std::string_view name : scheduler_names()) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE(std::string{name} + ", seed " + std::to_string(seed));
      const auto whole = make(name), single = make(name), pieces = make(name);
      Rng worlds{seed}, cuts{seed + 1000};
      for (int step = 0; step < 50; ++step) {  // state from round to round must agree too
        const Round round = draw(worlds);
        const auto expected = assign(*whole, round, [] { return batch_max; });
        expect_sound(round, expected);
        ASSERT_EQ(assign(*single, round, [] { return std::size_t{1}; }), expected)
            << "round " << step;
        ASSERT_EQ(assign(*pieces, round, [&] { return 1 + cuts.below(9); }), expected)
            << "round " << step;
      }
    }
  }
}

TEST(BatchInvariance, the_rounds_exercise_both_sending_and_holding) {
  for (const std::string_view name : scheduler_names()) {
    const auto scheduler = make(name);
    Rng worlds{1};
    std::size_t sent = 0, held = 0;
    for (int step = 0; step < 50; ++step) {
      for (const PathMask mask : assign(*scheduler, draw(worlds), [] { return batch_max; })) {
        ++(mask == 0 ? held : sent);
      }
    }
    EXPECT_GT(sent, 100u) << name;
    EXPECT_GT(held, 10u) << name;
  }
}

}  // namespace
}  // namespace sennit
