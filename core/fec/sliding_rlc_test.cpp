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

#include "core/fec/fec_decoder.h"
#include "core/fec/fec_encoder.h"
#include "core/fec/gf256.h"
#include "core/rng.h"

namespace sennit {
namespace {

/// The two-state channel of the profiles: mean loss and mean burst length in packets.
class Channel {
 public:
  Channel(double mean, double burst, Rng rng)
      : to_good_(1 / burst), to_bad_(mean / (1 - mean) / burst), rng_(rng) {}
  bool loses() {
    bad_ = bad_ ? !rng_.chance(to_good_) : rng_.chance(to_bad_);
    return bad_;
  }

 private:
  double to_good_, to_bad_;
  Rng rng_;
  bool bad_ = false;
};

/// Solves the same windows with random coefficients modulo a prime of 61 bits, where no combination
/// is ever dependent by chance: whatever any linear code could recover at that moment.
class IdealWindow {
 public:
  explicit IdealWindow(Rng rng) : rng_(rng) {}

  void lose(std::uint64_t source) { missing_.insert(source); }
  void repair(std::uint64_t base, std::uint64_t window) {
    Row row;
    const auto end = missing_.lower_bound(base + window);
    for (auto it = missing_.lower_bound(base); it != end; ++it)
      row[*it] = 1 + rng_.below(prime - 1);
    for (const auto& [pivot, other] : rows_) eliminate(row, other, pivot);
    if (row.empty()) return;
    const std::uint64_t pivot = row.begin()->first;
    for (auto& entry : rows_) eliminate(entry.second, row, pivot);
    rows_[pivot] = row;
    harvest();
    forget_before(base);
  }
  std::size_t recovered() const { return recovered_; }

 private:
  static constexpr std::uint64_t prime = (std::uint64_t{1} << 61) - 1;
  using Row = std::map<std::uint64_t, std::uint64_t>;
  __extension__ using Wide = unsigned __int128;

  static std::uint64_t times(std::uint64_t a, std::uint64_t b) {
    return static_cast<std::uint64_t>(Wide{a} * b % prime);
  }
  static std::uint64_t inverse(std::uint64_t a) {
    std::uint64_t result = 1;
    for (std::uint64_t power = prime - 2; power != 0; power >>= 1, a = times(a, a)) {
      if ((power & 1) != 0) result = times(result, a);
    }
    return result;
  }
  /// row -= (its coefficient at pivot / other's) * other.
  static void eliminate(Row& row, const Row& other, std::uint64_t pivot) {
    const auto at = row.find(pivot);
    if (at == row.end()) return;
    const std::uint64_t factor = prime - times(at->second, inverse(other.at(pivot)));
    for (const auto& [source, coefficient] : other) {
      std::uint64_t& sum = row[source];
      sum = (sum + times(factor, coefficient)) % prime;
      if (sum == 0) row.erase(source);
    }
  }
  void harvest() {
    for (auto it = rows_.begin(); it != rows_.end();) {
      if (it->second.size() > 1) {
        ++it;
        continue;
      }
      missing_.erase(it->first);
      ++recovered_;
      it = rows_.erase(it);
    }
  }
  /// Far behind the window nothing new will be said about a source.
  void forget_before(std::uint64_t base) {
    while (!missing_.empty() && *missing_.begin() + 512 < base) {
      const std::uint64_t source = *missing_.begin();
      missing_.erase(missing_.begin());
      std::erase_if(rows_, [source](const auto& row) { return row.second.contains(source); });
    }
  }

  Rng rng_;
  std::set<std::uint64_t> missing_;
  std::map<std::uint64_t, Row> rows_;  // by pivot
  std::size_t recovered_ = 0;
};

struct Outcome {
  std::size_t lost = 0;      // on the channel
  std::size_t residual = 0;  // after the code
  std::size_t late = 0;      // of those recovered: later than the deadline
  std::size_t ideal = 0;     // residual of the ideal window
  double mean_wait = 0;      // symbols sent between a lost source and its recovery
};

struct Flow {
  std::size_t sources = 300'000;
  bool paced = true;          // repairs leave one by one among the sources, as a sliding code's do;
                              // otherwise all at once when they are ready
  std::size_t deadline = 48;  // symbols
};

/// Sends sources and repairs, one symbol after the other, through the channel.
Outcome simulate(const FecConfig& config, Flow flow, Channel channel, std::uint64_t seed) {
  FecEncoder encoder(config);
  FecDecoder decoder;
  IdealWindow ideal{Rng(seed)};
  Outcome outcome;
  std::map<std::uint64_t, std::size_t> sent_at;  // of the lost ones
  const std::array<std::byte, 8> packet{std::byte{0x45}};
  const std::size_t spacing = config.source / config.repair;
  std::size_t now = 0, recovered_count = 0;
  for (std::uint64_t s = 0; s < flow.sources; ++s, ++now) {
    encoder.add(Instant{}, {s}, 0, packet);
    if (channel.loses()) {
      sent_at[s] = now;
      ideal.lose(s);
      ++outcome.lost;
    } else {
      decoder.handle_source({s}, 0, packet);
    }
    std::size_t may_leave = !flow.paced ? fec_repair_max : s % spacing == spacing - 1 ? 1 : 0;
    for (FecRepair repair; may_leave > 0 && encoder.poll_repair(repair); --may_leave) {
      ++now;
      if (channel.loses()) continue;
      decoder.handle_repair(repair);
      ideal.repair(repair.base.value, repair.window);
    }
    for (FecRecovered recovered; decoder.poll_recovered(recovered); ++recovered_count) {
      const std::size_t wait = now - sent_at.at(recovered.sequence.value);
      outcome.late += wait > flow.deadline;
      outcome.mean_wait += static_cast<double>(wait);
    }
    while (!sent_at.empty() && sent_at.begin()->first + 2048 < s) sent_at.erase(sent_at.begin());
  }
  outcome.mean_wait /= static_cast<double>(std::max<std::size_t>(recovered_count, 1));
  outcome.residual = outcome.lost - recovered_count;
  outcome.ideal = outcome.lost - ideal.recovered();
  return outcome;
}

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
