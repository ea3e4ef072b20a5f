// Encoder and decoder of one class together: stories on a virtual clock.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/fec/fec_pair.h"
#include "core/rng.h"

namespace sennit {
namespace {

using namespace fec_test;

TEST(FecCodec, two_lost_of_ten_come_back_with_the_second_repair) {
  Pair pair(reed_solomon);
  pair.send(100, 109);
  ASSERT_EQ(pair.repairs.size(), 2U);
  pair.arrive_all_but(100, 109, {103, 109});
  EXPECT_EQ(pair.arrive_repair(1), RepairUse::used);
  EXPECT_EQ(pair.recovered, Set{});
  EXPECT_EQ(pair.arrive_repair(0), RepairUse::used);
  EXPECT_EQ(pair.recovered, (Set{103, 109}));
  EXPECT_EQ(pair.decoder.stats().recovered, 2U);
}

TEST(FecCodec, repairs_that_overtake_their_sources_wait_for_them) {
  for (const FecConfig& config : {reed_solomon, sliding}) {
    Pair pair(config);
    pair.send(0, 9);
    pair.arrive_repair(1);
    pair.arrive_repair(0);
    pair.arrive_all_but(0, 8, {4});
    EXPECT_EQ(pair.recovered, (Set{4, 9})) << "as soon as the eighth source is there";
    pair.arrive(9);
    pair.arrive(4);
    EXPECT_EQ(pair.recovered.size(), 2U);
  }
}

TEST(FecCodec, what_comes_twice_is_recovered_once) {
  for (const FecConfig& config : {reed_solomon, parity, sliding}) {
    Pair pair(config);
    pair.send(0, 9);
    pair.arrive_all_but(0, 9, {4});
    pair.arrive_all_but(0, 9, {4});
    for (int round = 0; round < 3; ++round) {
      pair.arrive_repair(0);
      pair.arrive_repair(1);
    }
    EXPECT_EQ(pair.recovered, Set{4});
    EXPECT_EQ(pair.decoder.stats().useless, 0U);
    EXPECT_GE(pair.decoder.stats().redundant, 4U);
  }
}

TEST(FecCodec, a_packet_that_arrives_before_its_recovery_is_polled_is_not_given_again) {
  Pair pair(reed_solomon);
  pair.send(0, 9);
  pair.arrive_all_but(0, 9, {4});
  ASSERT_EQ(pair.decoder.handle_repair(pair.repairs[0].view()), RepairUse::used);
  pair.arrive(4);
  EXPECT_EQ(pair.recovered, Set{});
}

TEST(FecCodec, parity_repairs_a_burst_as_long_as_its_columns_are_many) {
  Pair pair({.code = FecCode::parity, .source = 12, .repair = 4});
  pair.send(0, 11);
  ASSERT_EQ(pair.repairs.size(), 4U);
  pair.arrive_all_but(0, 11, {5, 6, 7, 8});
  pair.arrive_repair(2);
  EXPECT_EQ(pair.recovered, Set{6}) << "each column for itself";
  for (const std::size_t i : {0U, 1U, 3U}) pair.arrive_repair(i);
  EXPECT_EQ(pair.recovered, (Set{5, 6, 7, 8}));
}

TEST(FecCodec, an_incomplete_block_is_closed_when_nothing_came_for_a_while) {
  Pair pair(reed_solomon);
  EXPECT_EQ(pair.encoder.next_wake(), never);
  pair.send(0, 1, Instant{5ms});
  pair.send(2, Instant{8ms});
  EXPECT_EQ(pair.encoder.next_wake(), Instant{18ms});
  pair.expire(Instant{17ms});
  EXPECT_EQ(pair.repairs.size(), 0U);
  pair.expire(Instant{18ms});
  ASSERT_EQ(pair.repairs.size(), 2U);
  EXPECT_EQ(pair.repairs[0].fields.window, 3);
  EXPECT_EQ(pair.encoder.next_wake(), never);
  pair.arrive(1);
  pair.arrive_repair(0);
  pair.arrive_repair(1);
  EXPECT_EQ(pair.recovered, (Set{0, 2}));
}

TEST(FecCodec, a_block_of_one_packet_has_one_repair) {
  for (const FecConfig& config : {reed_solomon, parity}) {
    Pair pair(config);
    pair.send(7);
    pair.expire(Instant{10ms});
    ASSERT_EQ(pair.repairs.size(), 1U);
    EXPECT_EQ(pair.repairs[0].fields.repairs, 1);
    pair.arrive_repair(0);
    EXPECT_EQ(pair.recovered, Set{7});
  }
}

TEST(FecCodec, a_jump_in_sequence_closes_the_block) {
  Pair pair(reed_solomon);
  pair.send(0, 4);
  pair.send(1000, 1009);
  ASSERT_EQ(pair.repairs.size(), 4U);
  EXPECT_EQ(pair.repairs[0].fields.window, 5);
  EXPECT_EQ(pair.repairs[2].fields.base, DataSeq{1000});
  pair.arrive_all_but(0, 4, {0, 1});
  pair.arrive_all_but(1000, 1009, {1004});
  for (std::size_t i = 0; i < 4; ++i) pair.arrive_repair(i);
  EXPECT_EQ(pair.recovered, (Set{0, 1, 1004}));
}

TEST(FecCodec, a_jump_in_sequence_starts_a_new_window) {
  Pair pair({.code = FecCode::sliding_rlc, .source = 10, .repair = 10});
  pair.send(0, 4);
  pair.send(1000, 1001);
  ASSERT_EQ(pair.repairs.size(), 7U);
  EXPECT_EQ(pair.repairs[6].fields.base, DataSeq{1000});
  EXPECT_EQ(pair.repairs[6].fields.window, 2);
}

TEST(FecCodec, a_new_number_of_repairs_holds_from_the_next_block_on) {
  Pair pair(reed_solomon);
  pair.send(0, 4);
  pair.encoder.set_repair(4);
  pair.send(5, 9);
  EXPECT_EQ(pair.repairs.size(), 2U);
  pair.send(10, 19);
  EXPECT_EQ(pair.repairs.size(), 6U);
  pair.encoder.set_repair(0);
  pair.send(20, 49);
  EXPECT_EQ(pair.repairs.size(), 6U);
  EXPECT_EQ(pair.encoder.next_wake(), never);
  pair.encoder.set_repair(1);
  pair.send(50, 59);
  EXPECT_EQ(pair.repairs.size(), 7U);
}

TEST(FecCodec, a_sliding_window_sends_exactly_its_share_evenly_spread) {
  Pair pair({.code = FecCode::sliding_rlc, .source = 40, .repair = 8});
  for (std::uint64_t s = 0; s < 400; ++s) {
    pair.send(s);
    EXPECT_EQ(pair.repairs.size(), (s + 1) / 5);
  }
  EXPECT_EQ(pair.repairs.back().fields.window, 40);
  EXPECT_EQ(pair.repairs.back().fields.base, DataSeq{360});
}

TEST(FecCodec, the_last_packets_of_a_burst_are_covered_but_a_slow_flow_is_not_doubled) {
  Pair pair({.code = FecCode::sliding_rlc, .source = 10, .repair = 2});
  Instant now{};
  for (std::uint64_t s = 0; s < 100; ++s, now += 20ms) {  // slower than flush_after
    pair.send(s, now);
    pair.expire(now + 10ms);
  }
  EXPECT_GE(pair.repairs.size(), 20U);
  EXPECT_LE(pair.repairs.size(), 21U);
  Pair burst({.code = FecCode::sliding_rlc, .source = 10, .repair = 2});
  burst.send(0, 6);
  EXPECT_EQ(burst.encoder.next_wake(), Instant{10ms});
  burst.expire(Instant{10ms});
  burst.arrive_all_but(0, 6, {6});
  burst.arrive_repair(1);
  EXPECT_EQ(burst.recovered, Set{6});
}

TEST(FecCodec, repairs_that_nobody_sends_are_dropped_oldest_first) {
  FecEncoder encoder(reed_solomon);
  for (std::uint64_t s = 0; s < 400; ++s) encoder.add({}, {s}, 0, packet_of(s));
  EXPECT_EQ(encoder.overflowed(), 80U - 64U);
  FecRepair repair;
  ASSERT_TRUE(encoder.poll_repair(repair));
  EXPECT_EQ(repair.base, DataSeq{80});
}

TEST(FecCodec, without_a_code_nothing_is_made) {
  Pair pair(FecConfig{});
  pair.send(0, 99);
  pair.expire(Instant{1s});
  EXPECT_EQ(pair.repairs.size(), 0U);
  EXPECT_EQ(pair.encoder.next_wake(), never);
}

TEST(FecCodec, what_is_older_than_the_history_is_forgotten) {
  for (const FecConfig& config : {reed_solomon, parity, sliding}) {
    Pair pair(config);
    pair.send(0, 9);
    pair.arrive_all_but(0, 9, {3});
    for (std::uint64_t s = 10; s < 1200; ++s) pair.arrive(s);
    EXPECT_NE(pair.arrive_repair(0), RepairUse::used);
    EXPECT_NE(pair.arrive_repair(1), RepairUse::used);
    EXPECT_EQ(pair.recovered, Set{});
  }
}

TEST(FecCodec, a_repair_that_keeps_coming_again_takes_no_room) {
  Pair pair(reed_solomon);
  pair.send(0, 19);
  pair.arrive_all_but(0, 19, {3, 4, 13, 14});
  EXPECT_EQ(pair.arrive_repair(0), RepairUse::used);
  for (int round = 0; round < 300; ++round) EXPECT_EQ(pair.arrive_repair(0), RepairUse::redundant);
  for (const std::size_t i : {2U, 3U, 1U}) EXPECT_EQ(pair.arrive_repair(i), RepairUse::used);
  EXPECT_EQ(pair.recovered, (Set{3, 4, 13, 14}));
}

TEST(FecCodec, after_an_outage_the_oldest_blocks_make_room_for_the_newest) {
  Pair pair({.code = FecCode::reed_solomon, .source = 20, .repair = 8});
  pair.send(0, 20 * 33 - 1);
  for (std::size_t i = 1; i < 8 * 32 + 1; ++i) EXPECT_EQ(pair.arrive_repair(i), RepairUse::used);
  EXPECT_EQ(pair.arrive_repair(0), RepairUse::redundant) << "the oldest block had to go for it";
  for (std::size_t i = 8 * 32 + 1; i < 8 * 33; ++i) pair.arrive_repair(i);
  pair.arrive_all_but(640, 659, {640, 641, 642, 643, 644, 645, 646, 647});
  EXPECT_EQ(pair.recovered, (Set{640, 641, 642, 643, 644, 645, 646, 647}));
}

TEST(FecCodec, after_an_outage_a_sliding_window_repairs_again) {
  Pair pair({.code = FecCode::sliding_rlc, .source = 64, .repair = 32});
  pair.send(0, 230);
  for (std::size_t i = 0; i < 75; ++i) pair.arrive_repair(i);  // no source up to 150
  pair.arrive_all_but(151, 230, {220, 221, 222, 223});
  for (std::size_t i = 111; i < 115; ++i) pair.arrive_repair(i);
  EXPECT_EQ(pair.recovered, (Set{220, 221, 222, 223}));
}

TEST(FecCodec, a_very_late_repair_does_not_disturb_newer_losses) {
  Pair pair({.code = FecCode::sliding_rlc, .source = 10, .repair = 10});
  pair.send(0, 299);
  pair.arrive_all_but(0, 299, {3, 4, 259, 260});
  pair.arrive_repair(260);
  EXPECT_EQ(pair.arrive_repair(4), RepairUse::redundant) << "256 sequences older than a loss";
  pair.arrive_repair(261);
  EXPECT_EQ(pair.recovered, (Set{259, 260}));
}

TEST(FecCodec, packets_stay_intact_when_the_history_has_turned_round_many_times) {
  for (const FecConfig& config : {reed_solomon, parity, sliding}) {
    Pair pair(config, 256);
    Rng rng(11);
    std::size_t done = 0;
    for (std::uint64_t s = 0; s < 5000; ++s) {
      pair.send(s);
      if (!rng.chance(0.08)) pair.arrive(s);
      for (; done < pair.repairs.size(); ++done) pair.arrive_repair(done);
    }
    EXPECT_GT(pair.recovered.size(), 250U) << "seed 11";
    EXPECT_EQ(pair.decoder.stats().useless, 0U) << "seed 11";
  }
}

// --- random worlds ---

/// Sources (first) and repairs (second, an index) in the order of their arrival.
using Arrivals = std::multimap<std::uint64_t, std::pair<std::uint64_t, bool>>;

Arrivals run_sender(World& world, Pair& pair) {
  Arrivals arrivals;
  Instant now{};
  std::uint64_t sequence = world.rng.below(2) * 0xffffff00, position = 0;
  const auto transmit = [&](std::uint64_t what, bool is_repair) {
    ++position;
    if (world.rng.chance(world.loss)) return;
    do {
      arrivals.emplace(position + world.rng.below(world.reorder + 1), std::pair{what, is_repair});
    } while (world.rng.chance(world.duplicate));
  };
  for (int i = 0; i < 400; ++i) {
    if (world.rng.chance(world.jump)) sequence += 1 + world.rng.below(100);
    const std::size_t before = pair.repairs.size();
    pair.send(sequence, now);
    transmit(sequence++, false);
    now += 1ms;
    if (world.rng.chance(world.pause)) now += 15ms;
    pair.expire(now);
    for (std::size_t r = before; r < pair.repairs.size(); ++r) transmit(r, true);
  }
  return arrivals;
}

/// Every source that the repairs of its block determine when all has arrived.
Set repairable(const Pair& pair, const Set& repairs_arrived) {
  std::map<std::uint64_t, std::pair<BlockShape, RepairMask>> blocks;
  for (const std::uint64_t r : repairs_arrived) {
    const FecRepair& repair = pair.repairs[r].fields;
    auto& [shape, rows] = blocks[repair.base.value];
    shape = {repair.window, repair.repairs};
    rows |= RepairMask{1} << repair.row;
  }
  Set result;
  for (const auto& [base, block] : blocks) {
    SourceMask known = 0;
    const auto& [shape, rows] = block;
    for (std::size_t i = 0; i < shape.sources; ++i) {
      if (pair.arrived.contains(base + i)) known |= SourceMask{1} << i;
    }
    const SourceMask back = recoverable(pair.repairs.front().fields.code, shape, known, rows);
    for (std::size_t i = 0; i < shape.sources; ++i) {
      if ((back >> i & 1) != 0) result.insert(base + i);
    }
  }
  return result;
}

TEST(FecCodec, in_any_world_what_can_be_repaired_is_and_nothing_else) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    World world(seed);
    SCOPED_TRACE(::testing::Message()
                 << "seed " << seed << " code " << static_cast<int>(world.config.code) << " k "
                 << int{world.config.source} << " r " << int{world.config.repair} << " loss "
                 << world.loss << " reorder " << world.reorder);
    Pair pair(world.config);
    Set repairs_arrived;
    for (const auto& [at, arrival] : run_sender(world, pair)) {
      const auto& [what, is_repair] = arrival;
      if (is_repair) repairs_arrived.insert(what);
      is_repair ? static_cast<void>(pair.arrive_repair(what)) : pair.arrive(what);
    }
    EXPECT_EQ(pair.decoder.stats().useless, 0U);
    if (world.config.code != FecCode::sliding_rlc) {
      Set back = repairable(pair, repairs_arrived);
      for (const std::uint64_t s : pair.recovered) back.erase(s);
      EXPECT_EQ(back, Set{}) << "not recovered";
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace sennit
