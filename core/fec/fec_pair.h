// For tests only: encoder and decoder of one class together, and random settings for them.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "core/fec/fec_decoder.h"
#include "core/fec/fec_encoder.h"
#include "core/rng.h"

namespace sennit::fec_test {

using PacketBytes = std::vector<std::byte>;

/// The packet of a sequence: length and contents follow from it.
inline PacketBytes packet_of(std::uint64_t sequence, std::size_t size_max = 1400) {
  Rng rng(sequence + 1);
  PacketBytes packet(20 + rng.below(size_max - 19));
  for (auto& byte : packet) byte = static_cast<std::byte>(rng.next());
  return packet;
}
inline std::uint32_t flow_of(std::uint64_t sequence) {
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
  PacketBytes coded;
};

/// Both ends of a class, and what has become of every packet. Checks at every step that a packet is
/// recovered as it was sent, once, and never after it arrived.
class Pair {
 public:
  explicit Pair(const FecConfig& config, std::size_t history = 1024)
      : encoder(config), decoder(history) {}

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
      EXPECT_EQ(PacketBytes(back.packet.begin(), back.packet.end()), packet_of(sequence))
          << sequence;
      EXPECT_EQ(back.flow_field, flow_of(sequence)) << sequence;
    }
  }
};

using Set = std::set<std::uint64_t>;
inline constexpr FecConfig reed_solomon{.code = FecCode::reed_solomon, .source = 10, .repair = 2};
inline constexpr FecConfig parity{.code = FecCode::parity, .source = 10, .repair = 2};
inline constexpr FecConfig sliding{.code = FecCode::sliding_rlc, .source = 10, .repair = 2};

/// The settings of a random test, drawn from its seed.
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

}  // namespace sennit::fec_test
