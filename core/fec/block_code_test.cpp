// Step one of the codes: every loss that a block code promises to repair is repaired, bit by bit.
#include "core/fec/block_code.h"

#include <gtest/gtest.h>
#include <isa-l.h>

#include <bit>
#include <cstring>
#include <vector>

#include "core/fec/symbol.h"
#include "core/rng.h"

namespace sennit {
namespace {

/// A block of random symbols of different lengths, encoded; losses and their repair.
class Block {
 public:
  Block(FecCode code, BlockShape shape, std::uint64_t seed)
      : code_(code),
        shape_(shape),
        sources_(shape.sources),
        repairs_(shape.repairs),
        work_(shape.sources) {
    Rng rng(seed);
    for (std::size_t i = 0; i < shape.sources; ++i) {
      std::vector<std::byte> packet(1 + rng.below(200));
      for (auto& byte : packet) byte = static_cast<std::byte>(rng.next());
      sources_.put(i, static_cast<std::uint32_t>(rng.next()), packet);
      length_ = std::max(length_, sources_.size(i));
    }
  }
  Block& encode(BlockEncoder& encoder) {
    std::vector<const std::uint8_t*> in;
    std::vector<std::uint8_t*> out;
    for (std::size_t i = 0; i < shape_.sources; ++i) in.push_back(sources_.row(i));
    for (std::size_t j = 0; j < shape_.repairs; ++j) out.push_back(repairs_.open(j, length_));
    encoder.encode(code_, shape_, padded(length_), in.data(), out.data());
    return *this;
  }
  /// The sources that come back when only those of the masks arrive; all of them bit by bit right.
  SourceMask repair(BlockReconstructor& reconstructor, SourceMask known, RepairMask received) {
    std::vector<std::uint8_t*> sources;
    std::vector<const std::uint8_t*> repairs;
    for (std::size_t i = 0; i < shape_.sources; ++i) {
      const bool lost = (known >> i & 1) == 0;
      work_.assign(i, lost ? std::span<const std::byte>{} : sources_.bytes(i));
      sources.push_back(lost ? work_.open(i, length_) : work_.row(i));
    }
    for (std::size_t j = 0; j < shape_.repairs; ++j) {
      repairs.push_back((received >> j & 1) != 0 ? repairs_.row(j) : nullptr);
    }
    const SourceMask wanted = recoverable(code_, shape_, known, received);
    reconstructor.reconstruct(code_, shape_, padded(length_), known, wanted, sources.data(),
                              received, repairs.data());
    for (std::size_t i = 0; i < shape_.sources; ++i) {
      if (((known | wanted) >> i & 1) == 0) continue;
      EXPECT_EQ(0, std::memcmp(sources[i], sources_.row(i), padded(length_))) << "source " << i;
    }
    return wanted;
  }
  const std::uint8_t* repair_row(std::size_t j) const { return repairs_.row(j); }
  const SymbolRows& sources() const { return sources_; }
  std::size_t length() const { return length_; }

 private:
  FecCode code_;
  BlockShape shape_;
  std::size_t length_ = 0;
  SymbolRows sources_, repairs_, work_;
};

TEST(BlockCode, reed_solomon_repairs_every_pattern_of_up_to_r_losses) {
  BlockEncoder encoder(10);
  BlockReconstructor reconstructor;
  for (std::size_t k = 1; k <= 10; ++k) {
    for (std::size_t r = 1; r <= 4; ++r) {
      Block block(FecCode::reed_solomon, {k, r}, 100 * k + r);
      block.encode(encoder);
      for (std::uint64_t lost = 0; lost < std::uint64_t{1} << (k + r); ++lost) {
        const SourceMask known = ~lost & all_sources(k);
        const auto received = static_cast<RepairMask>(~lost >> k & ((1U << r) - 1));
        const SourceMask back = block.repair(reconstructor, known, received);
        const bool repairable = std::popcount(lost) <= static_cast<int>(r);
        ASSERT_EQ(back, repairable ? ~known & all_sources(k) : SourceMask{0})
            << "k " << k << " r " << r << " lost " << lost;
        if (HasFailure()) FAIL() << "k " << k << " r " << r << " lost " << lost;
      }
    }
  }
}

TEST(BlockCode, reed_solomon_repairs_random_losses_of_the_largest_block) {
  BlockEncoder encoder(fec_source_max);
  BlockReconstructor reconstructor;
  Block block(FecCode::reed_solomon, {fec_source_max, fec_repair_max}, 7);
  block.encode(encoder);
  Rng rng(8);
  for (int round = 0; round < 50; ++round) {
    SourceMask known = all_sources(fec_source_max);
    RepairMask received = 0;
    const std::size_t losses = 1 + rng.below(fec_repair_max);
    while (fec_source_max - static_cast<std::size_t>(std::popcount(known)) < losses) {
      known &= ~(SourceMask{1} << rng.below(fec_source_max));
    }
    while (static_cast<std::size_t>(std::popcount(received)) < losses) {
      received |= RepairMask{1} << rng.below(fec_repair_max);
    }
    ASSERT_EQ(block.repair(reconstructor, known, received), ~known) << "round " << round;
  }
}

TEST(BlockCode, reed_solomon_is_the_cauchy_code_of_isal) {
  for (const std::size_t k : {1U, 2U, 7U, 10U, 33U, 64U}) {
    constexpr std::size_t r = 5;
    Block block(FecCode::reed_solomon, {k, r}, k);
    BlockEncoder encoder(k);
    block.encode(encoder);
    std::vector<std::uint8_t> matrix((k + r) * k);
    gf_gen_cauchy1_matrix(matrix.data(), static_cast<int>(k + r), static_cast<int>(k));
    for (std::size_t j = 0; j < r; ++j) {
      for (std::size_t at = 0; at < block.length(); ++at) {
        std::uint8_t sum = 0;
        for (std::size_t i = 0; i < k; ++i) {
          sum ^= gf_mul(matrix[(k + j) * k + i], block.sources().row(i)[at]);
        }
        ASSERT_EQ(sum, block.repair_row(j)[at]) << "k " << k << " row " << j << " byte " << at;
      }
    }
  }
}

TEST(BlockCode, parity_repairs_one_loss_in_each_column) {
  BlockReconstructor reconstructor;
  for (std::size_t k = 1; k <= 12; ++k) {
    for (std::size_t r = 1; r <= std::min<std::size_t>(k, 4); ++r) {
      Block block(FecCode::parity, {k, r}, 1000 * k + r);
      BlockEncoder encoder(k);
      block.encode(encoder);
      for (SourceMask lost = 0; lost < SourceMask{1} << k; ++lost) {
        SourceMask expected = 0;
        for (std::size_t j = 0; j < r; ++j) {
          SourceMask column = 0;
          for (std::size_t i = j; i < k; i += r) column |= lost & SourceMask{1} << i;
          if (std::popcount(column) == 1) expected |= column;
        }
        const auto all_repairs = static_cast<RepairMask>((1U << r) - 1);
        const SourceMask known = ~lost & all_sources(k);
        ASSERT_EQ(block.repair(reconstructor, known, all_repairs), expected)
            << "k " << k << " r " << r << " lost " << lost;
        if (HasFailure()) FAIL() << "k " << k << " r " << r << " lost " << lost;
      }
    }
  }
}

TEST(BlockCode, parity_without_the_columns_repair_recovers_nothing_there) {
  EXPECT_EQ(recoverable(FecCode::parity, {6, 2}, 0b111011, 0b10), 0U);
  EXPECT_EQ(recoverable(FecCode::parity, {6, 2}, 0b111011, 0b01), 0b000100U);
  EXPECT_EQ(recoverable(FecCode::parity, {6, 2}, 0b110011, 0b11), 0b001100U);
}

TEST(BlockCode, a_shortened_block_between_full_ones_has_its_own_matrix) {
  BlockEncoder encoder(10);
  BlockReconstructor reconstructor;
  for (const std::size_t k : {10U, 3U, 10U, 7U, 3U, 10U}) {
    Block block(FecCode::reed_solomon, {k, 2}, k);
    block.encode(encoder);
    EXPECT_EQ(block.repair(reconstructor, all_sources(k) & ~SourceMask{0b11}, 0b11), 0b11U);
  }
}

TEST(BlockCode, lengths_that_are_no_whole_vector_are_coded_to_the_last_byte) {
  for (const FecCode code : {FecCode::reed_solomon, FecCode::parity}) {
    for (std::size_t length = 1; length <= 200; ++length) {
      std::vector<std::uint8_t> a(length, 0x5a), b(length, 0xc3), repair(length + 1, 0xee);
      const std::array<const std::uint8_t*, 2> in{a.data(), b.data()};
      const std::array<std::uint8_t*, 1> out{repair.data()};
      BlockEncoder(2).encode(code, {2, 1}, length, in.data(), out.data());
      for (std::size_t i = 0; i < length; ++i) ASSERT_EQ(repair[i], repair[0]) << length;
      ASSERT_EQ(repair[length], 0xee) << length;
      std::vector<std::uint8_t> back(length);
      const std::array<std::uint8_t*, 2> sources{a.data(), back.data()};
      const std::array<const std::uint8_t*, 1> repairs{repair.data()};
      BlockReconstructor().reconstruct(code, {2, 1}, length, 0b01, 0b10, sources.data(), 1,
                                       repairs.data());
      ASSERT_EQ(back, b) << length;
    }
  }
}

}  // namespace
}  // namespace sennit
