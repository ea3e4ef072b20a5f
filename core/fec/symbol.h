// What the codes work on. A symbol is one inner packet with all that its receiver needs beside the
// sequence: [length 2 | flow field 4 | inner packet], big-endian. Packets differ in length and
// codes do not care for it, so a symbol is padded with zeros to the longest one that it meets; the
// length inside says where the packet ends.
//
// Rows of symbols lie in one allocation, each on cache lines of its own, and every byte behind a
// symbol is zero up to the end of its row. So any row may be read as if it were as long as the
// longest, in whole vectors, and no kernel ever handles a tail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/bounds.h"
#include "core/config.h"
#include "core/units.h"

namespace sennit {

inline constexpr std::size_t symbol_header = 6;
inline constexpr std::size_t symbol_max = symbol_header + packet_max;
inline constexpr std::size_t symbol_line = 64;  // the widest vector of the kernels

/// `size` rounded up to whole lines: what the kernels process.
constexpr std::size_t padded(std::size_t size) {
  return (size + symbol_line - 1) / symbol_line * symbol_line;
}
/// Not a power of two: rows at such distances would all fall into the same few cache sets.
inline constexpr std::size_t symbol_stride = padded(symbol_max);

/// One repair symbol, as it goes into a REPAIR frame and comes out of one.
struct FecRepair {
  FecCode code = FecCode::none;
  DataSeq base{};            // first source that it covers
  std::uint8_t window = 0;   // consecutive sources that it covers, 1..fec_source_max
  std::uint8_t row = 0;      // of the block's code; for sliding_rlc the key of its coefficients
  std::uint8_t repairs = 0;  // repair symbols of the block; 1 for sliding_rlc
  std::span<const std::byte> coded{};  // as long as the longest symbol that it covers
};

/// Keys of sliding_rlc and rows of a block fit below this.
inline constexpr std::size_t fec_rows_max = 64;

/// A source that was lost and has been computed.
struct FecRecovered {
  DataSeq sequence{};
  std::uint32_t flow_field = 0;  // as handed to FecEncoder::add
  std::span<const std::byte> packet{};
};

/// `rows` symbols. Allocates in its constructor only.
class SymbolRows {
 public:
  explicit SymbolRows(std::size_t rows)
      : lines_(std::make_unique<Line[]>(rows * (symbol_stride / symbol_line))), sizes_(rows) {}

  std::uint8_t* row(std::size_t i) { return lines_[i * (symbol_stride / symbol_line)].bytes; }
  const std::uint8_t* row(std::size_t i) const {
    return lines_[i * (symbol_stride / symbol_line)].bytes;
  }
  std::size_t rows() const { return sizes_.size(); }
  std::size_t size(std::size_t i) const { return sizes_[i]; }
  std::span<const std::byte> bytes(std::size_t i) const {
    return {reinterpret_cast<const std::byte*>(row(i)), size(i)};
  }

  /// Row i becomes the symbol of a packet of at most packet_max bytes.
  void put(std::size_t i, std::uint32_t flow_field, std::span<const std::byte> packet);
  /// Row i becomes a copy of at most symbol_max bytes.
  void assign(std::size_t i, std::span<const std::byte> symbol);
  /// Row i will be `size` bytes; the caller writes all padded(size) bytes, zeros behind `size`.
  std::uint8_t* open(std::size_t i, std::size_t size);
  /// Row i ends after `size` bytes, no more than before.
  void truncate(std::size_t i, std::size_t size);

  /// Length of the inner packet that row i claims to hold; may be nonsense after decoding nonsense.
  std::size_t packet_size(std::size_t i) const;
  /// Row i without its header. packet_size must have been checked.
  FecRecovered packet(std::size_t i, DataSeq sequence) const;

 private:
  struct alignas(symbol_line) Line {
    std::uint8_t bytes[symbol_line];
  };
  void resize(std::size_t i, std::size_t size);

  std::unique_ptr<Line[]> lines_;
  std::vector<std::uint16_t> sizes_;
};

}  // namespace sennit
