#include "core/retention.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "core/rng.h"

namespace sennit {
namespace {

struct Kept {
  PacketPool pool{retained_max + 1, 64};
  Retention retention;

  RetainedRef keep(std::uint32_t label) {
    Packet packet = pool.allocate();
    packet.info().flow_hash = label;
    return retention.keep(std::move(packet));
  }
  void release(RetainedRef ref) {
    Retained* entry = retention.find(ref);
    ASSERT_NE(entry, nullptr);
    entry->waiting = 0;
    entry->in_flight = 0;
    retention.release_if_done(ref, *entry);
  }
};

TEST(Retention, a_kept_packet_is_found_by_its_reference) {
  Kept kept;
  const RetainedRef ref = kept.keep(7);
  ASSERT_NE(kept.retention.find(ref), nullptr);
  EXPECT_EQ(kept.retention.find(ref)->packet.info().flow_hash, 7u);
  EXPECT_EQ(kept.retention.size(), 1u);
}

TEST(Retention, it_is_released_when_nobody_waits_and_every_fate_is_known) {
  Kept kept;
  const RetainedRef ref = kept.keep(1);
  Retained* entry = kept.retention.find(ref);
  entry->waiting = 1;
  entry->in_flight = 1;
  kept.retention.release_if_done(ref, *entry);
  EXPECT_NE(kept.retention.find(ref), nullptr) << "it waits and is in flight";
  entry->waiting = 0;
  kept.retention.release_if_done(ref, *entry);
  EXPECT_NE(kept.retention.find(ref), nullptr) << "it may yet be lost";
  entry->in_flight = 0;
  kept.retention.release_if_done(ref, *entry);
  EXPECT_EQ(kept.retention.find(ref), nullptr);
  EXPECT_EQ(kept.pool.available(), kept.pool.slots());
}

TEST(Retention, an_acknowledged_one_need_not_wait_for_its_copies) {
  Kept kept;
  const RetainedRef ref = kept.keep(1);
  Retained* entry = kept.retention.find(ref);
  entry->in_flight = 2;
  entry->settled = true;
  entry->waiting = 1;
  kept.retention.release_if_done(ref, *entry);
  EXPECT_NE(kept.retention.find(ref), nullptr) << "a path queue still refers to it";
  entry->waiting = 0;
  kept.retention.release_if_done(ref, *entry);
  EXPECT_EQ(kept.retention.find(ref), nullptr);
}

TEST(Retention, a_stale_reference_finds_nothing_though_its_slot_is_used_again) {
  Kept kept;
  std::vector<RetainedRef> stale;
  for (std::uint32_t i = 0; i < 1000; ++i) {  // last in, first out: one slot serves them all
    const RetainedRef ref = kept.keep(i);
    for (const RetainedRef old : stale) ASSERT_EQ(kept.retention.find(old), nullptr);
    ASSERT_EQ(kept.retention.find(ref)->packet.info().flow_hash, i);
    kept.release(ref);
    stale.push_back(ref);
  }
}

TEST(Retention, a_slot_starts_its_next_life_without_memory) {
  Kept kept;
  const RetainedRef first = kept.keep(1);
  Retained* entry = kept.retention.find(first);
  entry->settled = true;
  entry->rounds = 3;
  kept.release(first);
  const Retained& next = *kept.retention.find(kept.keep(2));
  EXPECT_FALSE(next.settled);
  EXPECT_EQ(next.rounds, 0);
}

TEST(Retention, is_full_at_its_bound_and_usable_again_after_one_release) {
  Kept kept;
  std::vector<RetainedRef> refs;
  while (!kept.retention.full()) refs.push_back(kept.keep(0));
  EXPECT_EQ(refs.size(), retained_max);
  EXPECT_EQ(kept.retention.size(), retained_max);
  kept.release(refs[5000]);
  EXPECT_FALSE(kept.retention.full());
  kept.keep(1);
  EXPECT_TRUE(kept.retention.full());
}

TEST(Retention, any_history_matches_a_map) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Kept kept;
    Rng rng{seed};
    std::map<std::uint32_t, std::uint32_t> live;  // reference, label
    std::vector<std::uint32_t> dead;
    for (std::uint32_t i = 0; i < 20'000; ++i) {
      if (rng.chance(0.55)) {
        const RetainedRef ref = kept.keep(i);
        ASSERT_TRUE(live.emplace(ref.value, i).second) << "seed " << seed;
      } else if (!live.empty()) {
        auto victim = live.begin();
        std::advance(
            victim, static_cast<std::ptrdiff_t>(rng.below(std::min<std::size_t>(live.size(), 50))));
        kept.release({victim->first});
        dead.push_back(victim->first);
        live.erase(victim);
      }
      if (!dead.empty()) {
        const RetainedRef old{dead[rng.below(dead.size())]};
        ASSERT_EQ(kept.retention.find(old), nullptr) << "seed " << seed;
      }
      ASSERT_EQ(kept.retention.size(), live.size());
      ASSERT_EQ(kept.pool.available(), kept.pool.slots() - live.size());
    }
    for (const auto& [ref, label] : live) {
      ASSERT_EQ(kept.retention.find({ref})->packet.info().flow_hash, label) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace sennit
