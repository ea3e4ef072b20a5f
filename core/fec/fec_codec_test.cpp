// Encoder and decoder of one class together: stories on a virtual clock.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "core/fec/counting_new.h"
#include "core/fec/fec_decoder.h"
#include "core/fec/fec_encoder.h"
#include "core/fec/gf256.h"
#include "core/rng.h"

namespace sennit {
namespace {

using Bytes8 = std::vector<std::byte>;

/// The packet of a sequence: length and contents follow from it.
Bytes8 packet_of(std::uint64_t sequence, std::size_t size_max = 1400) {
  Rng rng(sequence + 1);
  Bytes8 packet(20 + rng.below(size_max - 19));
  for (auto& byte : packet) byte = static_cast<std::byte>(rng.next());
  return packet;
}
std::uint32_t flow_of(std::uint64_t sequence) {
  return static_cast<std::uint32_t>(sequence * 2654435761u);
}

/// A repair with bytes of its own, so that it may be delayed.
struct Kept {
  explicit Kept(const FecRepair& repair)
      : fields(repair), coded(repair.coded.begin(), repair.coded.end()) {}
  FecRepair view() const {
    FecRepair repair = fields;
    repair.coded = coded;
    return repair;
  }
  FecRepair fields;
  Bytes8 coded;
};

/// Both ends of a class, and what has become of every packet. Checks at every step that a packet is
/// recovered as it was sent, once, and never after it arrived.
class Pair {
 public:
  explicit Pair(const FecConfig& config) : encoder(config) {}

  void send(std::uint64_t sequence, Instant now = Instant{}) {
    encoder.add(now, {sequence}, flow_of(sequence), packet_of(sequence));
    collect();
  }
  void send(std::uint64_t first, std::uint64_t last, Instant now = Instant{}) {
    for (std::uint64_t s = first; s <= last; ++s) send(s, now);
  }
  void expire(Instant now) {
    encoder.handle_timeout(now);
    collect();
  }
  void arrive(std::uint64_t sequence) {
    decoder.handle_source({sequence}, flow_of(sequence), packet_of(sequence));
    arrived.insert(sequence);
    drain();
  }
  void arrive_all_but(std::uint64_t first, std::uint64_t last, std::set<std::uint64_t> lost) {
    for (std::uint64_t s = first; s <= last; ++s) {
      if (!lost.contains(s)) arrive(s);
    }
  }
  RepairUse arrive(const FecRepair& repair) {
    const RepairUse use = decoder.handle_repair(repair);
    drain();
    return use;
  }
  RepairUse arrive_repair(std::size_t i) { return arrive(repairs.at(i).view()); }

  FecEncoder encoder;
  FecDecoder decoder;
  std::vector<Kept> repairs;  // that the encoder made
  std::set<std::uint64_t> arrived, recovered;

 private:
  void collect() {
    for (FecRepair repair; encoder.poll_repair(repair);) repairs.emplace_back(repair);
  }
  void drain() {
    for (FecRecovered back; decoder.poll_recovered(back);) {
      const std::uint64_t sequence = back.sequence.value;
      EXPECT_FALSE(arrived.contains(sequence)) << sequence << " had arrived";
      EXPECT_TRUE(recovered.insert(sequence).second) << sequence << " came twice";
      EXPECT_EQ(Bytes8(back.packet.begin(), back.packet.end()), packet_of(sequence)) << sequence;
      EXPECT_EQ(back.flow_field, flow_of(sequence)) << sequence;
    }
  }
};

using Set = std::set<std::uint64_t>;
constexpr FecConfig reed_solomon{.code = FecCode::reed_solomon, .source = 10, .repair = 2};
constexpr FecConfig parity{.code = FecCode::parity, .source = 10, .repair = 2};
constexpr FecConfig sliding{.code = FecCode::sliding_rlc, .source = 10, .repair = 2};

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

// --- random worlds ---

struct World {
  explicit World(std::uint64_t seed) : rng(seed) {
    const std::array codes{FecCode::parity, FecCode::reed_solomon, FecCode::sliding_rlc};
    config.code = codes[rng.below(3)];
    config.source = static_cast<std::uint8_t>(1 + rng.below(rng.chance(0.2) ? 64 : 20));
    config.repair = static_cast<std::uint8_t>(1 + rng.below(rng.chance(0.2) ? 32 : 5));
    loss = 0.4 * rng.uniform() * rng.uniform();
    reorder = rng.chance(0.5) ? 0 : rng.below(60);
    jump = rng.chance(0.5) ? 0 : 0.02;
    pause = rng.chance(0.5) ? 0 : 0.05;
    duplicate = rng.chance(0.5) ? 0 : 0.1;
  }
  Rng rng;
  FecConfig config;
  double loss, jump, pause, duplicate;
  std::uint64_t reorder;  // an arrival may be this many places late
};

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

// --- nonsense from an authenticated peer ---

TEST(FecCodec, impossible_fields_are_useless) {
  Pair pair(reed_solomon);
  pair.send(100, 109);
  pair.arrive_all_but(100, 109, {103});
  const FecRepair good = pair.repairs[0].view();
  const auto use_with = [&](auto&& change) {
    FecRepair repair = good;
    change(repair);
    return pair.arrive(repair);
  };
  const Bytes8 long_symbol(symbol_max + 1), short_symbol(symbol_header);
  const std::vector uses{
      use_with([](FecRepair& r) { r.row = r.repairs; }),
      use_with([](FecRepair& r) { r.repairs = 0; }),
      use_with([](FecRepair& r) { r.repairs = 33; }),
      use_with([](FecRepair& r) { r.window = 0; }),
      use_with([](FecRepair& r) { r.window = 65; }),
      use_with([](FecRepair& r) { r.base = r.base.plus(5000); }),
      use_with([](FecRepair& r) { r.base = {~std::uint64_t{0} - 3}; }),
      use_with([](FecRepair& r) { r.code = FecCode::none; }),
      use_with([](FecRepair& r) { r.code = static_cast<FecCode>(77); }),
      use_with([&](FecRepair& r) { r.coded = long_symbol; }),
      use_with([&](FecRepair& r) { r.coded = short_symbol; }),
      use_with([](FecRepair& r) { r.coded = {}; }),
      use_with([](FecRepair& r) { r.code = FecCode::parity, r.repairs = 11; }),
      use_with([](FecRepair& r) { r.code = FecCode::sliding_rlc, r.row = 64; }),
  };
  for (std::size_t i = 0; i < uses.size(); ++i) EXPECT_EQ(uses[i], RepairUse::useless) << i;
  EXPECT_EQ(pair.decoder.stats().useless, uses.size());
  EXPECT_EQ(pair.arrive(good), RepairUse::used);
  EXPECT_EQ(pair.recovered, Set{103});
}

TEST(FecCodec, repairs_of_different_sizes_within_a_block_are_useless) {
  Pair pair(reed_solomon);
  pair.send(0, 9);
  pair.arrive_all_but(0, 9, {3, 4});
  pair.arrive_repair(0);
  FecRepair cut = pair.repairs[1].view();
  cut.coded = cut.coded.first(cut.coded.size() - 1);
  EXPECT_EQ(pair.arrive(cut), RepairUse::useless);
  EXPECT_EQ(pair.recovered, Set{});
}

TEST(FecCodec, a_repair_shorter_than_its_sources_is_useless) {
  for (const FecConfig& config : {reed_solomon, sliding}) {
    Pair pair(config);
    pair.send(0, 9);
    pair.arrive_all_but(0, 9, {9});
    FecRepair cut = pair.repairs[1].view();
    cut.coded = cut.coded.first(30);
    EXPECT_EQ(pair.arrive(cut), RepairUse::useless);
    EXPECT_EQ(pair.recovered, Set{});
  }
}

TEST(FecCodec, a_recovered_length_beyond_the_symbol_is_useless) {
  for (const FecCode code : {FecCode::parity, FecCode::reed_solomon, FecCode::sliding_rlc}) {
    for (const std::byte fill : {std::byte{0}, std::byte{0xff}}) {
      FecDecoder decoder;
      const Bytes8 coded(100, fill);  // alone in its block: the repair is the source itself
      EXPECT_EQ(decoder.handle_repair({code, {5}, 1, 0, 1, coded}), RepairUse::useless);
      FecRecovered back;
      EXPECT_FALSE(decoder.poll_recovered(back));
      decoder.handle_source({5}, 9, packet_of(5));  // its place is not spoilt
      Bytes8 sane{std::byte{0}, std::byte{1}, {}, {}, {}, {}, std::byte{42}};
      std::uint8_t factor = 1;
      if (code == FecCode::sliding_rlc) rlc_coefficients({6}, 0, {&factor, 1});
      for (auto& byte : sane)
        byte = std::byte{gf256::multiply(factor, std::to_integer<std::uint8_t>(byte))};
      EXPECT_EQ(decoder.handle_repair({code, {6}, 1, 0, 1, sane}), RepairUse::used)
          << "code " << static_cast<int>(code);
    }
  }
}

/// A repair that is partly right, partly anything.
FecRepair garbage(Rng& rng, const Pair& pair, std::span<const std::byte> noise) {
  FecRepair repair = pair.repairs[rng.below(pair.repairs.size())].view();
  if (rng.chance(0.3)) repair.code = static_cast<FecCode>(rng.below(5));
  if (rng.chance(0.3)) repair.base = {repair.base.value + rng.below(200) - 100};
  if (rng.chance(0.02)) repair.base = {rng.next()};
  if (rng.chance(0.3)) repair.window = static_cast<std::uint8_t>(rng.below(70));
  if (rng.chance(0.3)) repair.row = static_cast<std::uint8_t>(rng.below(70));
  if (rng.chance(0.3)) repair.repairs = static_cast<std::uint8_t>(rng.below(40));
  if (rng.chance(0.3)) repair.coded = repair.coded.first(rng.below(repair.coded.size() + 1));
  if (rng.chance(0.3)) repair.coded = noise.first(rng.below(noise.size() + 1));
  return repair;
}

TEST(FecCodec, garbage_neither_crashes_nor_allocates_nor_yields_impossible_packets) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    World world(seed);
    Pair pair(world.config);
    std::uint64_t first = 0;
    pair.send(first, first + 500);
    if (pair.repairs.empty()) continue;
    Bytes8 noise(symbol_max + 20);
    for (auto& byte : noise) byte = static_cast<std::byte>(world.rng.next());
    noise[0] = std::byte{0};  // a length that may fit
    std::vector<Bytes8> packets;
    for (std::uint64_t s = 0; s < 600; ++s) packets.push_back(packet_of(s));
    const std::size_t before = allocations_so_far();
    std::size_t impossible = 0;
    for (int i = 0; i < 3000; ++i) {
      const std::uint64_t s = world.rng.below(600);
      if (world.rng.chance(0.3)) pair.decoder.handle_source({s}, 0, packets[s]);
      if (world.rng.chance(0.001)) pair.decoder.handle_source({world.rng.next()}, 0, noise);
      pair.decoder.handle_repair(garbage(world.rng, pair, noise));
      for (FecRecovered back; pair.decoder.poll_recovered(back);) {
        impossible += back.packet.empty() || back.packet.size() > packet_max;
      }
    }
    EXPECT_EQ(allocations_so_far(), before);
    EXPECT_EQ(impossible, 0U);
    EXPECT_GT(pair.decoder.stats().useless, 0U);
  }
}

// --- no allocation ---

TEST(FecCodec, steady_traffic_allocates_nothing) {
  std::vector<Bytes8> packets;
  for (std::uint64_t s = 0; s < 64; ++s) packets.push_back(packet_of(s));
  for (const FecConfig& config : {reed_solomon, parity, sliding}) {
    FecEncoder encoder(config);
    FecDecoder decoder;
    Rng rng(3);
    std::size_t recovered = 0;
    const std::size_t before = allocations_so_far();
    Instant now{};
    for (std::uint64_t s = 0; s < 20000; ++s) {
      now += rng.chance(0.01) ? 20ms : 1ms;
      encoder.handle_timeout(now);
      encoder.add(now, {s}, 0, packets[s % packets.size()]);
      if (s % 1000 == 0) encoder.set_repair(1 + rng.below(5));
      if (!rng.chance(0.05)) decoder.handle_source({s}, 0, packets[s % packets.size()]);
      for (FecRepair repair; encoder.poll_repair(repair);) {
        if (!rng.chance(0.05)) decoder.handle_repair(repair);
      }
      for (FecRecovered back; decoder.poll_recovered(back);) ++recovered;
    }
    EXPECT_EQ(allocations_so_far(), before) << "code " << static_cast<int>(config.code);
    EXPECT_GT(recovered, 500U);
  }
}

}  // namespace
}  // namespace sennit
