// Systematic block codes: k source symbols, r repair symbols, sources sent as they are.
//
// reed_solomon: row j of the repairs has the coefficients 1 / ((k + j) xor i), a Cauchy matrix
// (ISA-L's gf_gen_cauchy1_matrix): every square part of it is invertible, so any k of the k + r
// symbols give all sources back. A row does not depend on r, so r may change from block to block
// and one cached matrix serves all. A block that is closed early has the matrix of its actual k.
//
// parity: repair j is the XOR of the sources with index % r == j. One loss per column is repaired;
// a burst of up to r neighbours falls into different columns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/bounds.h"
#include "core/config.h"

namespace sennit {

/// 1..fec_source_max sources, 1..fec_repair_max repairs.
struct BlockShape {
  std::size_t sources = 0;
  std::size_t repairs = 0;
};

/// Bit i stands for source i of a block.
using SourceMask = std::uint64_t;
/// Bit j stands for repair j of a block.
using RepairMask = std::uint32_t;
static_assert(fec_source_max <= 64 && fec_repair_max <= 32);

constexpr SourceMask all_sources(std::size_t sources) {
  return sources == 0 ? 0 : ~SourceMask{0} >> (64 - sources);
}

/// Which of the missing sources can be computed from the known sources and the repairs at hand.
SourceMask recoverable(FecCode code, BlockShape shape, SourceMask known, RepairMask repairs);

/// Allocates in its constructor only. Blocks of `sources_max` sources cost no set-up at all, others
/// one when their size differs from the one before.
class BlockEncoder {
 public:
  explicit BlockEncoder(std::size_t sources_max);

  /// Computes repairs[0 .. shape.repairs) of the sources; every vector has `length` bytes, shorter
  /// symbols end in zeros. `code` is parity or reed_solomon; shape.sources <= sources_max.
  void encode(FecCode code, BlockShape shape, std::size_t length,
              const std::uint8_t* const* sources, std::uint8_t* const* repairs);

 private:
  struct Tables {
    std::size_t sources = 0;  // the block size that they are for
    std::vector<std::uint8_t> bytes;
  };
  std::uint8_t* tables_for(std::size_t sources);

  std::size_t sources_max_;
  Tables full_, shortened_;
};

/// Allocates in its constructor only.
class BlockReconstructor {
 public:
  BlockReconstructor();

  /// Computes the sources of the mask `wanted`, which recoverable() gave for the same known sources
  /// and repairs. sources[i] is read where `known` has its bit, written where `wanted` has it;
  /// repairs[j] is read where `received` has its bit.
  void reconstruct(FecCode code, BlockShape shape, std::size_t length, SourceMask known,
                   SourceMask wanted, std::uint8_t* const* sources, RepairMask received,
                   const std::uint8_t* const* repairs);

 private:
  struct Plan;
  void reconstruct_parity(BlockShape shape, std::size_t length, SourceMask wanted,
                          std::uint8_t* const* sources, const std::uint8_t* const* repairs);
  void reconstruct_reed_solomon(BlockShape shape, std::size_t length, const Plan& plan);
  void solve(BlockShape shape, const Plan& plan);

  std::vector<std::uint8_t> inverse_, square_;  // of the lost sources' columns
  std::vector<std::uint8_t> matrix_, tables_;   // lost sources from known ones and repairs
};

}  // namespace sennit
