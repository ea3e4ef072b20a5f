#include "core/fec/symbol_ring.h"

#include <bit>

#include "core/assert.h"

namespace sennit {

SymbolRing::SymbolRing(std::size_t capacity)
    : rows_(capacity), slots_(capacity), recovered_(capacity) {
  SENNIT_ASSERT(std::has_single_bit(capacity) && capacity >= 2 * fec_source_max);
}

Presence SymbolRing::presence(DataSeq sequence) const {
  const Slot& slot = slots_[slot_of(sequence)];
  if (slot.state == State::empty || slot.sequence < sequence) return Presence::missing;
  if (slot.sequence > sequence) return Presence::forgotten;
  return slot.state == State::missing ? Presence::missing : Presence::known;
}

bool SymbolRing::store(DataSeq sequence, std::uint32_t flow_field,
                       std::span<const std::byte> packet) {
  Slot& slot = slots_[slot_of(sequence)];
  if (presence(sequence) != Presence::missing) {
    if (slot.sequence == sequence) slot.state = State::known;  // no longer to be polled
    return false;
  }
  rows_.put(slot_of(sequence), flow_field, packet);
  slot = {sequence, State::known};
  return true;
}

std::uint8_t* SymbolRing::claim(DataSeq sequence, std::size_t size) {
  SENNIT_ASSERT(presence(sequence) == Presence::missing);
  slots_[slot_of(sequence)] = {sequence, State::missing};
  return rows_.open(slot_of(sequence), size);
}

bool SymbolRing::commit(DataSeq sequence) {
  const std::size_t at = slot_of(sequence);
  SENNIT_ASSERT(slots_[at].sequence == sequence && slots_[at].state == State::missing);
  const std::size_t size = symbol_header + rows_.packet_size(at);
  if (size == symbol_header || size > rows_.size(at)) return false;
  rows_.truncate(at, size);
  slots_[at].state = State::recovered;
  if (recovered_count_ == recovered_.size()) {  // nobody polls: the oldest are overwritten anyway
    recovered_first_ = (recovered_first_ + 1) % recovered_.size();
    --recovered_count_;
  }
  recovered_[(recovered_first_ + recovered_count_++) % recovered_.size()] = sequence;
  return true;
}

std::optional<FecRecovered> SymbolRing::poll_recovered() {
  while (recovered_count_ > 0) {
    const DataSeq sequence = recovered_[recovered_first_];
    recovered_first_ = (recovered_first_ + 1) % recovered_.size();
    --recovered_count_;
    Slot& slot = slots_[slot_of(sequence)];
    if (slot.sequence != sequence || slot.state != State::recovered) continue;
    slot.state = State::known;
    return rows_.packet(slot_of(sequence), sequence);
  }
  return std::nullopt;
}

}  // namespace sennit
