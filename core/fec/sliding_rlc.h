// Sliding-window random linear code over GF(256), in the manner of RFC 8681: every repair is a
// random combination of the last W sources. A block code repairs a loss when its block ends, and
// wastes the repairs of a block without loss; here each repair helps whatever is missing in the
// window before it, so at equal overhead and delay less remains lost.
//
// The coefficients are never sent: both ends derive them from (base, window length, key). All are
// non-zero (RFC 8681's density threshold 15).
//
// The decoder keeps what it has learned as a system of equations over the missing sources, always
// fully reduced: every equation has a pivot that no other equation contains. Then an equation with
// one unknown is a recovered packet, and there is no other way for a packet to be recoverable.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/bounds.h"
#include "core/fec/block_decoder.h"
#include "core/fec/symbol.h"
#include "core/fec/symbol_ring.h"
#include "core/units.h"

namespace sennit {

/// The coefficients of the repair (base, coefficients.size() <= fec_source_max, key): coefficient i
/// belongs to source base + i, and is not zero. Only the low 32 bits of base matter.
void rlc_coefficients(DataSeq base, std::uint8_t key, std::span<std::uint8_t> coefficients);

/// The window of a sender. Allocates in its constructor only.
class SlidingEncoder {
 public:
  /// `window` sources, 0..fec_source_max (0: never used).
  explicit SlidingEncoder(std::size_t window);

  /// Takes the next source. A sequence that does not follow the last one starts a new window.
  void add(DataSeq sequence, std::uint32_t flow_field, std::span<const std::byte> packet);
  void clear() { filled_ = 0; }

  /// The next repair, without its coded bytes. The window must not be empty.
  FecRepair next_repair() const;
  /// Length of its coded bytes.
  std::size_t coded_size() const;
  /// Writes them, padded(coded_size()) bytes, and turns to the next key.
  void encode(std::uint8_t* out);

 private:
  std::size_t row_of(std::size_t i) const { return (base_.value + i) % rows_.rows(); }

  SymbolRows rows_;  // source s is in row s % W
  DataSeq base_{};
  std::size_t filled_ = 0;
  std::uint8_t key_ = 0;
  std::vector<std::uint8_t> tables_;
};

/// On-line Gaussian elimination. Allocates in its constructor only.
class SlidingDecoder {
 public:
  /// `ring` outlives the decoder; what is recovered goes into it.
  explicit SlidingDecoder(SymbolRing& ring);

  /// A sliding_rlc repair whose fields are within their bounds.
  RepairUse handle_repair(const FecRepair& repair);
  /// The ring has just learned `sequence`. `useless` when that uncovered nonsense.
  RepairUse handle_source(DataSeq sequence);

 private:
  // An unknown sequence s has column s % columns_max, so unknowns of at most this many consecutive
  // sequences are worked on; an older one is given up when a newer one needs its column.
  static constexpr std::size_t columns_max = 256;
  static constexpr std::size_t equations_max = 64;
  static constexpr std::size_t row_bytes = columns_max + symbol_stride;
  static constexpr std::uint16_t none = 0xffff;

  /// Row e of rows_ is [coefficients by column | sum of the symbols]: one kernel call treats both.
  struct Equation {
    bool used = false;
    std::uint16_t pivot = none;  // a column
    std::size_t size = 0;        // of the sum
  };
  struct Column {
    bool used = false;  // some equation may contain it
    DataSeq sequence{};
  };
  static std::size_t column_of(DataSeq sequence) { return sequence.value % columns_max; }
  std::uint8_t* row(std::size_t e) { return rows_.data() + e * row_bytes; }
  std::uint8_t& coefficient(std::size_t e, std::size_t c) { return row(e)[c]; }

  struct Window;
  RepairUse look_up(const FecRepair& repair, Window& window) const;
  void reserve_columns(const FecRepair& repair, const Window& window);
  std::size_t free_equation();
  void write_equation(std::size_t e, const FecRepair& repair, const Window& window);
  void subtract(std::size_t from, std::size_t e, std::size_t column);
  void reduce(std::size_t e);
  bool choose_pivot(std::size_t e);
  void drop(std::size_t e) { equations_[e] = {}; }
  void forget(std::size_t column);
  void forget_oldest();
  RepairUse harvest();
  bool solve(std::size_t e);

  SymbolRing& ring_;
  std::vector<std::uint8_t> rows_;
  std::array<Equation, equations_max> equations_{};
  std::array<Column, columns_max> columns_{};
  std::array<std::uint8_t, symbol_stride> scratch_{};
  std::vector<std::uint8_t> tables_;
};

}  // namespace sennit
