// What a receiver knows of one class: its most recent symbols, by sequence, whether they arrived or
// were computed. A slot always belongs to the newest sequence that asked for it, so the ring
// forgets by itself and never grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/fec/symbol.h"
#include "core/units.h"

namespace sennit {

enum class Presence : std::uint8_t {
  missing,
  known,
  forgotten  // a newer symbol has its place
};

/// Allocates in its constructor only.
class SymbolRing {
 public:
  /// `capacity` is a power of two, at least 2 * fec_source_max.
  explicit SymbolRing(std::size_t capacity);

  std::size_t capacity() const { return slots_.size(); }
  Presence presence(DataSeq sequence) const;

  /// Keeps a packet that arrived; false when it is known or forgotten already.
  bool store(DataSeq sequence, std::uint32_t flow_field, std::span<const std::byte> packet);

  /// Room for the computed symbol of a missing sequence: the caller writes all padded(size) bytes,
  /// then calls commit().
  std::uint8_t* claim(DataSeq sequence, std::size_t size);
  /// Accepts what was computed, to be polled once. False, and still missing, when the length inside
  /// is nonsense.
  bool commit(DataSeq sequence);
  /// Each computed symbol, once, unless it arrived in the meantime; valid until the ring changes.
  std::optional<FecRecovered> poll_recovered();

  /// Of known symbols only.
  const std::uint8_t* row(DataSeq sequence) const { return rows_.row(slot_of(sequence)); }
  std::size_t size(DataSeq sequence) const { return rows_.size(slot_of(sequence)); }

 private:
  enum class State : std::uint8_t { empty, missing, recovered, known };
  struct Slot {
    DataSeq sequence{};
    State state = State::empty;
  };
  std::size_t slot_of(DataSeq sequence) const { return sequence.value & (slots_.size() - 1); }

  SymbolRows rows_;
  std::vector<Slot> slots_;
  std::vector<DataSeq> recovered_;  // a ring as well
  std::size_t recovered_first_ = 0, recovered_count_ = 0;
};

}  // namespace sennit
