// The sliding code against what no code can beat over the same windows, and against a block code of
// the same overhead and delay, on a bursty channel.
#include "core/fec/sliding_rlc.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "core/fec/fec_trial.h"
#include "core/fec/gf256.h"
#include "core/rng.h"

namespace sennit {
namespace {

using namespace fec_test;

constexpr FecConfig sliding_40{.code = FecCode::sliding_rlc, .source = 40, .repair = 8};
constexpr FecConfig block_40{.code = FecCode::reed_solomon, .source = 40, .repair = 8};
constexpr FecConfig block_20{.code = FecCode::reed_solomon, .source = 20, .repair = 4};
constexpr std::uint64_t seed = 5;
Channel bursty() { return {0.02, 3, Rng(seed)}; }
Channel scattered() { return {0.05, 1 / 0.95, Rng(seed)}; }

TEST(SlidingRlc, loses_hardly_more_than_the_ideal_window) {
  const Outcome burst = simulate(sliding_40, {}, bursty(), seed);
  ASSERT_GT(burst.ideal, 300U) << "too little to compare";
  EXPECT_LE(static_cast<double>(burst.residual), 1.3 * static_cast<double>(burst.ideal));
  RecordProperty("residual", static_cast<int>(burst.residual));
  RecordProperty("ideal", static_cast<int>(burst.ideal));
  const FecConfig small{.code = FecCode::sliding_rlc, .source = 10, .repair = 2};
  const Outcome chance = simulate(small, {}, scattered(), seed);
  ASSERT_GT(chance.ideal, 300U) << "too little to compare";
  EXPECT_LE(static_cast<double>(chance.residual), 1.3 * static_cast<double>(chance.ideal));
}

// A block that may make a packet wait no longer than the window does is half as long: its repairs
// exist only when its last source is there, and need as long again to leave among the next ones.
TEST(SlidingRlc, loses_far_less_than_a_block_of_equal_overhead_and_delay) {
  const Outcome sliding = simulate(sliding_40, {}, bursty(), seed);
  const Outcome block = simulate(block_20, {}, bursty(), seed);
  EXPECT_EQ(block.late, 0U);
  EXPECT_NEAR(sliding.mean_wait, block.mean_wait, 2.0);
  EXPECT_GE(static_cast<double>(block.residual), 2.5 * static_cast<double>(sliding.residual));
  EXPECT_GE(static_cast<double>(block.residual),
            1.8 * static_cast<double>(sliding.residual + sliding.late));
}

// Against a block as long as the window whose repairs leave at once, most of what remains lost is
// bursts of more than eight packets, for which neither has the repairs: the gain is smaller.
TEST(SlidingRlc, loses_less_than_a_block_as_long_as_its_window) {
  const Flow at_once{.paced = false};
  const Outcome sliding = simulate(sliding_40, at_once, bursty(), seed);
  const Outcome block = simulate(block_40, at_once, bursty(), seed);
  EXPECT_GE(static_cast<double>(block.residual), 1.3 * static_cast<double>(sliding.residual));
  EXPECT_LT(sliding.mean_wait, block.mean_wait);
}

TEST(SlidingRlc, scattered_losses_come_back_many_times_sooner_and_nearly_all) {
  const Flow at_once{.paced = false};
  const Outcome sliding = simulate(sliding_40, at_once, scattered(), seed);
  const Outcome block = simulate(block_40, at_once, scattered(), seed);
  EXPECT_LT(3 * sliding.mean_wait, block.mean_wait);
  ASSERT_GT(block.residual, 10U) << "too little to compare";
  EXPECT_GE(static_cast<double>(block.residual),
            2.5 * static_cast<double>(sliding.residual + sliding.late));
}

// --- the decoder against an elimination that starts afresh each time ---

/// The lost sources that the equations received so far determine.
std::set<std::uint64_t> determined(const std::vector<FecRepair>& repairs,
                                   const std::set<std::uint64_t>& arrived) {
  std::vector<std::map<std::uint64_t, std::uint8_t>> rows;
  for (const FecRepair& repair : repairs) {
    std::vector<std::uint8_t> coefficients(repair.window);
    rlc_coefficients(repair.base, repair.row, coefficients);
    auto& row = rows.emplace_back();
    for (std::uint64_t i = 0; i < repair.window; ++i) {
      if (!arrived.contains(repair.base.value + i)) row[repair.base.value + i] = coefficients[i];
    }
  }
  for (std::size_t p = 0; p < rows.size(); ++p) {
    if (rows[p].empty()) continue;
    const auto [pivot, scale] = *rows[p].begin();
    for (std::size_t other = 0; other < rows.size(); ++other) {
      if (other == p || !rows[other].contains(pivot)) continue;
      const auto factor = gf256::multiply(rows[other].at(pivot), gf256::inverse(scale));
      for (const auto& [source, coefficient] : rows[p]) {
        std::uint8_t& sum = rows[other][source];
        sum ^= gf256::multiply(factor, coefficient);
        if (sum == 0) rows[other].erase(source);
      }
    }
  }
  std::set<std::uint64_t> result;
  for (const auto& row : rows) {
    if (row.size() == 1) result.insert(row.begin()->first);
  }
  return result;
}

TEST(SlidingRlc, recovers_exactly_what_the_equations_determine_at_every_moment) {
  for (std::uint64_t world = 1; world <= 300; ++world) {
    SCOPED_TRACE(::testing::Message() << "seed " << world);
    Rng rng(world);
    SlidingEncoder encoder(2 + rng.below(14));
    SymbolRing ring(256);
    SlidingDecoder decoder(ring);
    SymbolRows coded(64);
    std::vector<FecRepair> repairs;  // that arrived
    std::set<std::uint64_t> arrived, recovered;
    std::deque<std::uint64_t> delayed;
    const auto drain = [&] {
      while (const auto back = ring.poll_recovered()) {
        EXPECT_EQ(back->packet.front(), std::byte(back->sequence.value));
        EXPECT_FALSE(arrived.contains(back->sequence.value));
        EXPECT_TRUE(recovered.insert(back->sequence.value).second);
      }
    };
    const auto arrive = [&](std::uint64_t s) {
      if (ring.store({s}, 0, std::array<std::byte, 3>{std::byte(s)})) decoder.handle_source({s});
      arrived.insert(s);
      drain();
    };
    const double loss = 0.1 + 0.5 * rng.uniform();
    for (std::uint64_t s = 100; s < 150; ++s) {
      encoder.add({s}, 0, std::array<std::byte, 3>{std::byte(s)});
      if (rng.chance(loss)) {
        if (rng.chance(0.3)) delayed.push_back(s);
      } else {
        arrive(s);
      }
      if (rng.chance(0.4)) {
        FecRepair repair = encoder.next_repair();
        const std::size_t size = encoder.coded_size();
        encoder.encode(coded.open(repairs.size(), size));
        repair.coded = coded.bytes(repairs.size());
        repairs.push_back(repair);
        decoder.handle_repair(repair);
        drain();
      }
      if (!delayed.empty() && rng.chance(0.2)) {
        arrive(delayed.front());
        delayed.pop_front();
      }
      std::set<std::uint64_t> expected = determined(repairs, arrived);
      for (const std::uint64_t source : recovered) {
        if (arrived.contains(source)) expected.insert(source);  // came after all
      }
      ASSERT_EQ(recovered, expected) << "after source " << s;
    }
  }
}

TEST(SlidingRlc, coefficients_are_never_zero_and_depend_on_base_length_and_key) {
  std::vector<std::uint8_t> a(40), b(40), longer(41);
  rlc_coefficients({7}, 3, a);
  EXPECT_EQ(std::count(a.begin(), a.end(), 0), 0);
  rlc_coefficients({7 + (std::uint64_t{1} << 32)}, 3, b);
  EXPECT_EQ(a, b) << "only the bits on the wire count";
  rlc_coefficients({8}, 3, b);
  EXPECT_NE(a, b);
  rlc_coefficients({7}, 4, b);
  EXPECT_NE(a, b);
  rlc_coefficients({7}, 3, longer);
  longer.pop_back();
  EXPECT_NE(a, longer);
}

// Both ends must agree for ever: a change of these numbers is a change of the protocol.
TEST(SlidingRlc, coefficients_are_a_known_answer) {
  std::vector<std::uint8_t> coefficients(8);
  rlc_coefficients({1000}, 5, coefficients);
  EXPECT_EQ(coefficients, (std::vector<std::uint8_t>{151, 180, 19, 219, 29, 14, 149, 210}));
}

}  // namespace
}  // namespace sennit
