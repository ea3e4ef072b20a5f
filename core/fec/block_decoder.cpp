#include "core/fec/block_decoder.h"

namespace sennit {

BlockDecoder::BlockDecoder(SymbolRing& ring) : ring_(ring) {
  free_.reserve(repairs_max);
  for (std::size_t i = 0; i < repairs_max; ++i) free_.push_back(static_cast<std::uint16_t>(i));
}

RepairUse BlockDecoder::handle_repair(const FecRepair& repair) {
  Block* block = find(repair.base);
  if (block == nullptr) block = create(repair);
  if (block == nullptr) return RepairUse::redundant;
  const bool fits = block->code == repair.code && block->shape.sources == repair.window &&
                    block->shape.repairs == repair.repairs && block->size == repair.coded.size();
  if (!fits) return RepairUse::useless;
  if ((block->rows >> repair.row & 1) != 0) return RepairUse::redundant;
  return keep(*block, repair) ? advance(*block) : RepairUse::redundant;
}

RepairUse BlockDecoder::handle_source(DataSeq sequence) {
  RepairUse use = RepairUse::used;
  for (std::size_t b = 0; open_.any() && b < blocks_max; ++b) {
    const std::uint64_t i = sequence.value - blocks_[b].base.value;
    if (!open_[b] || i >= blocks_[b].shape.sources) continue;
    if (advance(blocks_[b]) == RepairUse::useless) use = RepairUse::useless;
  }
  return use;
}

BlockDecoder::Block* BlockDecoder::find(DataSeq base) {
  for (std::size_t b = 0; open_.any() && b < blocks_max; ++b) {
    if (open_[b] && blocks_[b].base == base) return &blocks_[b];
  }
  return nullptr;
}

/// Null when the block misses nothing, or something that can no longer be learned.
BlockDecoder::Block* BlockDecoder::create(const FecRepair& repair) {
  Block block{.code = repair.code,
              .base = repair.base,
              .shape = {repair.window, repair.repairs},
              .size = repair.coded.size()};
  if (!look_up_known(block) || block.known == all_sources(block.shape.sources)) return nullptr;
  if (open_[next_]) close(next_);
  Block& place = blocks_[next_];
  place = block;
  open_[next_] = true;
  next_ = (next_ + 1) % blocks_max;
  return &place;
}

void BlockDecoder::close(std::size_t block) {
  Block& closed = blocks_[block];
  for (std::size_t j = 0; j < closed.shape.repairs; ++j) {
    if ((closed.rows >> j & 1) != 0) free_.push_back(closed.slot[j]);
  }
  open_[block] = false;
}

void BlockDecoder::close_oldest() {
  for (std::size_t i = 0; i < blocks_max; ++i) {
    const std::size_t b = (next_ + i) % blocks_max;
    if (open_[b]) return close(b);
  }
}

/// False when the ring has forgotten a source of the block.
bool BlockDecoder::look_up_known(Block& block) const {
  block.known = 0;
  for (std::size_t i = 0; i < block.shape.sources; ++i) {
    const Presence presence = ring_.presence(block.base.plus(i));
    if (presence == Presence::forgotten) return false;
    if (presence == Presence::known) block.known |= SourceMask{1} << i;
  }
  return true;
}

/// False when room was to be had only by giving up this very block.
bool BlockDecoder::keep(Block& block, const FecRepair& repair) {
  if (free_.empty()) close_oldest();
  if (!open_[index_of(block)]) return false;
  const std::uint16_t slot = free_.back();
  free_.pop_back();
  repairs_.assign(slot, repair.coded);
  block.slot[repair.row] = slot;
  block.rows |= RepairMask{1} << repair.row;
  return true;
}

/// Computes what can be computed, and closes the block when nothing is left to learn from it.
RepairUse BlockDecoder::advance(Block& block) {
  if (!look_up_known(block)) {
    close(index_of(block));
    return RepairUse::redundant;
  }
  const SourceMask wanted = recoverable(block.code, block.shape, block.known, block.rows);
  const bool sound = wanted == 0 || (all_fit(block) && compute(block, wanted));
  if (!sound || (block.known | wanted) == all_sources(block.shape.sources)) {
    close(index_of(block));
  }
  return sound ? RepairUse::used : RepairUse::useless;
}

/// A repair is as long as the longest symbol that it covers.
bool BlockDecoder::all_fit(const Block& block) const {
  for (std::size_t i = 0; i < block.shape.sources; ++i) {
    const bool known = (block.known >> i & 1) != 0;
    if (known && ring_.size(block.base.plus(i)) > block.size) return false;
  }
  return true;
}

bool BlockDecoder::compute(Block& block, SourceMask wanted) {
  std::array<std::uint8_t*, fec_source_max> sources{};
  std::array<const std::uint8_t*, fec_repair_max> repairs{};
  for (std::size_t i = 0; i < block.shape.sources; ++i) {
    const DataSeq sequence = block.base.plus(i);
    const bool is_wanted = (wanted >> i & 1) != 0;
    // One array names inputs and outputs; known sources are only read.
    sources[i] = is_wanted ? ring_.claim(sequence, block.size)
                           : const_cast<std::uint8_t*>(ring_.row(sequence));
  }
  for (std::size_t j = 0; j < block.shape.repairs; ++j) {
    if ((block.rows >> j & 1) != 0) repairs[j] = repairs_.row(block.slot[j]);
  }
  code_.reconstruct(block.code, block.shape, padded(block.size), block.known, wanted,
                    sources.data(), block.rows, repairs.data());
  bool sound = true;
  for (std::size_t i = 0; i < block.shape.sources; ++i) {
    if ((wanted >> i & 1) != 0 && !ring_.commit(block.base.plus(i))) sound = false;
  }
  return sound;
}

}  // namespace sennit
