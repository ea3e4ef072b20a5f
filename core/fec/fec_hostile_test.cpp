// What an authenticated but broken peer may send, and that nothing of it, nor any steady traffic,
// makes the codec ask for memory.
#include <gtest/gtest.h>

#include <new>
#include <span>
#include <vector>

#include "core/fec/counting_new.h"
#include "core/fec/fec_pair.h"
#include "core/fec/gf256.h"
#include "core/fec/sliding_rlc.h"
#include "core/rng.h"

namespace sennit {
namespace {

using namespace fec_test;

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
  const PacketBytes long_symbol(symbol_max + 1), short_symbol(symbol_header);
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

// What is behind the end of the repair would end up behind the end of the packet.
TEST(FecCodec, a_repair_shorter_than_its_sources_is_useless_even_if_it_yields_a_packet) {
  FecDecoder decoder;
  const PacketBytes packet(100, std::byte{7});
  SymbolRows rows(1);
  rows.put(0, 0, packet);
  PacketBytes coded(rows.bytes(0).begin(), rows.bytes(0).begin() + 20);
  coded[1] ^= std::byte{10};  // of a packet of ten bytes
  decoder.handle_source({0}, 0, packet);
  EXPECT_EQ(decoder.handle_repair({FecCode::parity, {0}, 2, 0, 1, coded}), RepairUse::useless);
  FecRecovered back;
  EXPECT_FALSE(decoder.poll_recovered(back));
}

TEST(FecCodec, a_recovered_length_beyond_the_symbol_is_useless) {
  for (const FecCode code : {FecCode::parity, FecCode::reed_solomon, FecCode::sliding_rlc}) {
    for (const std::byte fill : {std::byte{0}, std::byte{0xff}}) {
      FecDecoder decoder;
      const PacketBytes coded(100, fill);  // alone in its block: the repair is the source itself
      EXPECT_EQ(decoder.handle_repair({code, {5}, 1, 0, 1, coded}), RepairUse::useless);
      FecRecovered back;
      EXPECT_FALSE(decoder.poll_recovered(back));
      decoder.handle_source({5}, 9, packet_of(5));  // its place is not spoilt
      PacketBytes sane{std::byte{0}, std::byte{1}, {}, {}, {}, {}, std::byte{42}};
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
    PacketBytes noise(symbol_max + 20);
    for (auto& byte : noise) byte = static_cast<std::byte>(world.rng.next());
    noise[0] = std::byte{0};  // a length that may fit
    std::vector<PacketBytes> packets;
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

// Called by name: a compiler may leave out a new-expression whose result nobody needs.
TEST(CountingNew, every_form_of_new_is_counted) {
  const std::align_val_t line{64};
  const std::size_t before = allocations_so_far();
  ::operator delete(::operator new(8));
  ::operator delete[](::operator new[](8));
  ::operator delete(::operator new(8, line), line);
  ::operator delete[](::operator new[](8, line), line);
  ::operator delete(::operator new(8, std::nothrow));
  EXPECT_EQ(allocations_so_far(), before + 5);
}

TEST(FecCodec, steady_traffic_allocates_nothing) {
  std::vector<PacketBytes> packets;
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
