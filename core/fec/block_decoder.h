// The receiving side of the block codes: collects the repairs of blocks that miss sources, and
// computes these as soon as enough is there, whatever came first. A block that is complete costs
// nothing: its repairs are never even copied.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/fec/block_code.h"
#include "core/fec/symbol.h"
#include "core/fec/symbol_ring.h"
#include "core/units.h"

namespace sennit {

/// What became of a repair symbol.
enum class RepairUse : std::uint8_t {
  used,       // kept, or it recovered something
  redundant,  // nothing was missing, came twice, or too late: expected
  useless     // contradicts itself or what is known: the peer is wrong
};

/// Allocates in its constructor only.
class BlockDecoder {
 public:
  /// `ring` outlives the decoder; what is recovered goes into it.
  explicit BlockDecoder(SymbolRing& ring);

  /// A parity or reed_solomon repair whose fields are within their bounds.
  RepairUse handle_repair(const FecRepair& repair);
  /// The ring has just learned `sequence`. `useless` when that completed a block of nonsense.
  RepairUse handle_source(DataSeq sequence);

 private:
  struct Block {
    FecCode code = FecCode::none;
    DataSeq base{};
    BlockShape shape{};
    std::size_t size = 0;  // of each repair
    SourceMask known = 0;
    RepairMask rows = 0;
    std::array<std::uint16_t, fec_repair_max> slot{};  // of each row in repairs_
  };
  static constexpr std::size_t blocks_max = 64;    // open at a time
  static constexpr std::size_t repairs_max = 256;  // kept at a time, of all blocks

  std::size_t index_of(const Block& block) const {
    return static_cast<std::size_t>(&block - blocks_.data());
  }
  Block* find(DataSeq base);
  Block* create(const FecRepair& repair);
  void close(std::size_t block);
  void close_oldest();
  bool look_up_known(Block& block) const;
  bool keep(Block& block, const FecRepair& repair);
  RepairUse advance(Block& block);
  bool all_fit(const Block& block) const;
  bool compute(Block& block, SourceMask wanted);

  SymbolRing& ring_;
  BlockReconstructor code_;
  SymbolRows repairs_{repairs_max};
  std::vector<std::uint16_t> free_;
  std::array<Block, blocks_max> blocks_{};
  std::bitset<blocks_max> open_;
  std::size_t next_ = 0;  // blocks_ is filled round and round: the next one is the oldest
};

}  // namespace sennit
