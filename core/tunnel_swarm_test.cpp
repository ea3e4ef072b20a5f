// Random worlds, watched from outside: whatever links and hosts do, nothing is delivered twice,
// touched, out of order without being counted, or held too long; and when the trouble is over all
// paths carry traffic again and every slot is back in its pool.
//
// SENNIT_SEED=n starts at another world, SENNIT_WORLDS=n runs so many.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "core/testing/world.h"

namespace sennit {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

constexpr std::uint16_t heartbeat = 100;

class Watched {
 public:
  explicit Watched(const World& world) : world_(world), pair_(open(world)) {
    pair_->on_trace = [this](Pair::End, const TraceRecord& record) {
      if (record.kind != TraceKind::delivered) return;
      Duration& longest = longest_hold_[record.class_id];
      longest = std::max(longest, Duration{static_cast<std::int64_t>(record.a)});
    };
  }

  void run() {
    pair_->run(World::calm + 3s);  // a path that flapped may wait for more than a second
    expect_all_up();
    // Some policies send a flow over one slow link only: what it left behind takes its time.
    for (int i = 0; i < 60 && busy(); ++i) pair_->run(1s);
    for (const Pair::End end : {Pair::a, Pair::b}) {
      pair_->send_stream(end, heartbeat, BitRate::from_mbps(0.2), 500ms, 500, dscp_interactive);
    }
    pair_->run(1500ms);
    expect_all_well();
    expect_each_once_intact_and_in_order();
    expect_held_no_longer_than_allowed();
  }

 private:
  bool busy() {
    return pair_->metrics(Pair::a).ingress_packets + pair_->metrics(Pair::b).ingress_packets > 0;
  }
  void expect_each_once_intact_and_in_order() {
    for (const Pair::End end : {Pair::a, Pair::b}) {
      const auto& delivered = pair_->delivered(end);
      EXPECT_TRUE(all_intact(delivered));
      std::size_t late = 0;
      for (const World::Flow& flow : world_.flows) {
        EXPECT_EQ(repeated(delivered, flow.id), 0u) << "flow " << flow.id;
        const std::size_t overtaken = out_of_order(delivered, flow.id);
        const std::size_t class_id = class_of(flow.dscp);
        if (!world_.config.classes[class_id].ordered) continue;
        if (world_.config.classes[class_id].realtime) {
          EXPECT_EQ(overtaken, 0u) << "flow " << flow.id;
        }
        late += overtaken;
      }
      EXPECT_LE(late, pair_->metrics(end).delivered_late) << "at end " << end;
    }
  }
  void expect_held_no_longer_than_allowed() {
    for (std::size_t i = 0; i < world_.config.classes.size(); ++i) {
      const Duration cap = world_.config.classes[i].hold_max + world_.options.coalescing;
      EXPECT_LE(longest_hold_[i], cap + 1us) << world_.config.classes[i].name;
    }
  }
  void expect_all_up() {
    for (const Pair::End end : {Pair::a, Pair::b}) {
      for (std::size_t i = 0; i < world_.links.size(); ++i) {
        EXPECT_EQ(to_string(pair_->state(end, i)), "up") << "link " << i << " at end " << end;
      }
    }
  }
  void expect_all_well() {
    for (const Pair::End end : {Pair::a, Pair::b}) {
      EXPECT_EQ(pair_->missing(end, heartbeat), 0u) << "from end " << end;
      EXPECT_EQ(pair_->metrics(end).held_packets, 0u);
      EXPECT_EQ(pair_->pool(end).available(), pair_->pool(end).slots()) << "at end " << end;
    }
  }
  static std::size_t class_of(std::uint8_t dscp) {
    return dscp == dscp_realtime ? 0 : dscp == dscp_interactive ? 1 : 2;
  }

  const World& world_;
  std::unique_ptr<Pair> pair_;
  std::array<Duration, classes_max> longest_hold_{};
};

TEST(Swarm, random_worlds_are_survived) {
  const std::uint64_t first = from_environment("SENNIT_SEED", 1);
  const std::uint64_t worlds = from_environment("SENNIT_WORLDS", 100);
  for (std::uint64_t seed = first; seed < first + worlds; ++seed) {
    const World world = draw_world(seed);
    Watched{world}.run();
    if (HasFailure()) {
      ADD_FAILURE() << world;
      return;
    }
  }
}

}  // namespace
}  // namespace sennit
