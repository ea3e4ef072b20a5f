// Random traffic of many flows over two paths with loss, reordering and stragglers. Whatever
// happens: nothing is delivered twice or lost, each flow keeps its order but for packets counted as
// late, and nothing is held longer than its class allows.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "core/resequencer.h"
#include "core/rng.h"
#include "core/wire.h"

namespace sennit {
namespace {

struct Sent {
  std::uint32_t flow;
  std::uint64_t number;
  ClassId class_id;
  DataSeq sequence;
  std::uint8_t path;
  Duration one_way;
};

/// What arrives, in order of arrival: flows of two classes, packets 100 us apart.
std::multimap<Instant, Sent> random_traffic(Rng& rng, int packets) {
  std::multimap<Instant, Sent> arrivals;
  std::map<std::pair<std::uint32_t, std::size_t>, std::uint64_t> next_number;
  std::array<std::uint64_t, 2> next_sequence{};
  const double loss = rng.uniform() * 0.1, straggling = rng.uniform() * 0.05;
  const std::uint64_t flows = 1 + rng.below(20);
  const Duration skew = 1ms * static_cast<int>(rng.below(80));
  for (int i = 0; i < packets; ++i) {
    const Instant now = Instant{10s} + i * 100us;
    Sent sent{};
    sent.flow = static_cast<std::uint32_t>(rng.below(flows));
    sent.class_id = ClassId{static_cast<std::uint8_t>(rng.below(2))};
    sent.number = next_number[{sent.flow, index(sent.class_id)}]++;
    sent.sequence = DataSeq{next_sequence[index(sent.class_id)]++};
    sent.path = static_cast<std::uint8_t>(rng.below(2));
    sent.one_way = 10ms + (sent.path == 1 ? skew : 0ms);
    if (rng.chance(loss)) continue;
    if (rng.chance(straggling)) sent.one_way += 1ms * static_cast<int>(rng.below(300));
    arrivals.emplace(now + sent.one_way, sent);
  }
  return arrivals;
}

class Check {
 public:
  explicit Check(Rng& rng) : rng_(rng) {
    classes_[0].hold_max = 150ms;
    classes_[1].hold_max = 20ms;
    classes_[1].realtime = true;
  }

  void run(const std::multimap<Instant, Sent>& arrivals) {
    Instant now{};
    for (const auto& [at, sent] : arrivals) {
      while (resequencer_.next_wake() < at) advance(now = resequencer_.next_wake());
      push(now = at, sent);
      advance(now);
      if (::testing::Test::HasFatalFailure()) return;
    }
    while (resequencer_.next_wake() != never) advance(now = resequencer_.next_wake());
    EXPECT_EQ(resequencer_.held(), 0u);
    EXPECT_EQ(pushed_.size(), delivered_.size() + late_drops());
    EXPECT_EQ(resequencer_.delivered_late(), out_of_order_);
    EXPECT_EQ(pool_.available(), pool_.slots());
  }
  std::size_t delivered() const { return delivered_.size(); }

 private:
  using Key = std::tuple<std::size_t, std::uint32_t, std::uint64_t>;  // class, flow, number

  void push(Instant now, const Sent& sent) {
    Packet packet = pool_.allocate();
    ASSERT_TRUE(packet);
    PacketInfo& info = packet.info();
    info.since = now;
    info.sequence = sent.sequence;
    info.flow_hash = sent.flow;
    info.flow_sequence = static_cast<std::uint32_t>(sent.number);
    info.class_id = sent.class_id;
    pushed_.insert({index(sent.class_id), sent.flow, sent.number});
    resequencer_.push(now, std::move(packet), sent.one_way);
    DataSeq& newest = newest_[index(sent.class_id)][sent.path];
    newest = std::max(newest, sent.sequence);
    deliver(now);
  }

  /// Horizons are honest, generous or absurd: the promises hold whatever the tunnel believes.
  void advance(Instant now) {
    for (std::size_t i = 0; i < classes_.size(); ++i) {
      horizons_[i].settled = std::min(newest_[i][0], newest_[i][1]);
      if (rng_.chance(0.01)) horizons_[i].one_way_max = 1ms * static_cast<int>(rng_.below(500));
      if (rng_.chance(0.01)) horizons_[i].repair_wait = 1ms * static_cast<int>(rng_.below(100));
      if (rng_.chance(0.3)) horizons_[i].repair_wait = {};
    }
    resequencer_.advance(now, horizons_);
    deliver(now);
  }

  void deliver(Instant now) {
    while (const Packet packet = resequencer_.pop()) {
      const PacketInfo& info = packet.info();
      const Key key{index(info.class_id), info.flow_hash, info.flow_sequence};
      ASSERT_TRUE(pushed_.contains(key));
      ASSERT_TRUE(delivered_.insert(key).second) << "twice";
      ASSERT_LE(now - info.since, classes_[index(info.class_id)].hold_max);
      std::uint64_t& next = next_[{index(info.class_id), info.flow_hash}];
      if (info.flow_sequence < next) {
        ASSERT_FALSE(classes_[index(info.class_id)].realtime) << "late realtime is dropped";
        ++out_of_order_;
      }
      next = std::max<std::uint64_t>(next, info.flow_sequence + 1);
    }
  }
  std::size_t late_drops() const {
    return static_cast<std::size_t>(observer_.drops()[static_cast<std::size_t>(Drop::late)]);
  }

  Rng& rng_;
  std::vector<ClassConfig> classes_{2};
  Observer observer_{false};
  PacketPool pool_{resequence_max + 64, 64};
  Resequencer resequencer_{classes_, observer_};
  std::vector<ArrivalHorizon> horizons_{2};
  std::array<std::array<DataSeq, 2>, 2> newest_{};
  std::set<Key> pushed_, delivered_;
  std::map<std::pair<std::size_t, std::uint32_t>, std::uint64_t> next_;
  std::uint64_t out_of_order_ = 0;
};

TEST(ResequencerProperty, any_traffic_keeps_its_promises) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng{seed};
    Check check{rng};
    const auto arrivals = random_traffic(rng, 5000);
    check.run(arrivals);
    if (HasFailure()) return;
    EXPECT_GT(check.delivered(), arrivals.size() / 2);
  }
}

}  // namespace
}  // namespace sennit
