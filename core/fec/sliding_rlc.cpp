#include "core/fec/sliding_rlc.h"

#include <algorithm>
#include <cstring>

#include "core/assert.h"
#include "core/fec/gf256.h"
#include "core/rng.h"

namespace sennit {

void rlc_coefficients(DataSeq base, std::uint8_t key, std::span<std::uint8_t> coefficients) {
  Rng rng((base.value & 0xffffffff) << 32 | std::uint64_t{key} << 8 | coefficients.size());
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    if (i % 4 == 0) bits = rng.next();
    coefficients[i] = static_cast<std::uint8_t>(1 + (bits & 0xffff) % 255);
    bits >>= 16;
  }
}

// --- sender ---

SlidingEncoder::SlidingEncoder(std::size_t window)
    : rows_(window), tables_(window * gf256::table_bytes) {
  SENNIT_ASSERT(window <= fec_source_max);
}

void SlidingEncoder::add(DataSeq sequence, std::uint32_t flow_field,
                         std::span<const std::byte> packet) {
  if (filled_ == 0 || sequence != base_.plus(filled_)) {
    base_ = sequence;
    filled_ = 0;
  } else if (filled_ == rows_.rows()) {
    base_ = base_.next();
    --filled_;
  }
  rows_.put(row_of(filled_++), flow_field, packet);
}

std::size_t SlidingEncoder::coded_size() const {
  std::size_t size = 0;
  for (std::size_t i = 0; i < filled_; ++i) size = std::max(size, rows_.size(row_of(i)));
  return size;
}

FecRepair SlidingEncoder::next_repair() const {
  SENNIT_ASSERT(filled_ > 0);
  return {.code = FecCode::sliding_rlc,
          .base = base_,
          .window = static_cast<std::uint8_t>(filled_),
          .row = key_,
          .repairs = 1};
}

void SlidingEncoder::encode(std::uint8_t* out) {
  SENNIT_ASSERT(filled_ > 0);
  std::array<std::uint8_t, fec_source_max> coefficients;
  std::array<const std::uint8_t*, fec_source_max> in;
  rlc_coefficients(base_, key_, {coefficients.data(), filled_});
  for (std::size_t i = 0; i < filled_; ++i) in[i] = rows_.row(row_of(i));
  gf256::expand(coefficients.data(), 1, filled_, tables_.data());
  gf256::combine(padded(coded_size()), tables_.data(), in.data(), filled_, &out, 1);
  key_ = static_cast<std::uint8_t>((key_ + 1U) % fec_rows_max);
}

// --- receiver ---

/// What a repair covers, split by what the receiver has.
struct SlidingDecoder::Window {
  std::array<std::uint8_t, fec_source_max> coefficients;
  std::bitset<fec_source_max> known;
};

SlidingDecoder::SlidingDecoder(SymbolRing& ring)
    : ring_(ring),
      rows_(equations_max * row_bytes),
      tables_((fec_source_max + 1) * gf256::table_bytes) {}

RepairUse SlidingDecoder::handle_repair(const FecRepair& repair) {
  Window window;
  const RepairUse use = look_up(repair, window);
  if (use != RepairUse::used) return use;
  const std::size_t e = free_equation();
  reserve_columns(repair, window);
  write_equation(e, repair, window);
  reduce(e);
  if (!choose_pivot(e)) return RepairUse::redundant;
  return harvest();
}

RepairUse SlidingDecoder::handle_source(DataSeq sequence) {
  const std::size_t column = column_of(sequence);
  if (!columns_[column].used || columns_[column].sequence != sequence) {
    return RepairUse::redundant;
  }
  const std::size_t size = ring_.size(sequence);
  for (std::size_t e = 0; e < equations_max; ++e) {
    Equation& equation = equations_[e];
    if (!equation.used || coefficient(e, column) == 0) continue;
    gf256::add_scaled(row(e) + columns_max, coefficient(e, column), ring_.row(sequence),
                      padded(size));
    coefficient(e, column) = 0;
    equation.size = std::max(equation.size, size);
    if (equation.pivot == column) choose_pivot(e);
  }
  columns_[column].used = false;
  return harvest();
}

/// `used` when the repair says something new that can be kept.
RepairUse SlidingDecoder::look_up(const FecRepair& repair, Window& window) const {
  for (std::size_t i = 0; i < repair.window; ++i) {
    const DataSeq sequence = repair.base.plus(i);
    const Presence presence = ring_.presence(sequence);
    if (presence == Presence::forgotten) return RepairUse::redundant;
    window.known[i] = presence == Presence::known;
    if (window.known[i] && ring_.size(sequence) > repair.coded.size()) return RepairUse::useless;
    const Column& column = columns_[column_of(sequence)];
    const bool outdated = column.used && column.sequence > sequence;
    if (!window.known[i] && outdated) return RepairUse::redundant;
  }
  if (window.known.count() == repair.window) return RepairUse::redundant;
  rlc_coefficients(repair.base, repair.row, {window.coefficients.data(), repair.window});
  return RepairUse::used;
}

void SlidingDecoder::reserve_columns(const FecRepair& repair, const Window& window) {
  for (std::size_t i = 0; i < repair.window; ++i) {
    if (window.known[i]) continue;
    const DataSeq sequence = repair.base.plus(i);
    const std::size_t column = column_of(sequence);
    if (columns_[column].used && columns_[column].sequence != sequence) forget(column);
    columns_[column] = {.used = true, .sequence = sequence};
  }
}

std::size_t SlidingDecoder::free_equation() {
  const auto is_free = [](const Equation& equation) { return !equation.used; };
  auto free = std::find_if(equations_.begin(), equations_.end(), is_free);
  while (free == equations_.end()) {
    forget_oldest();
    free = std::find_if(equations_.begin(), equations_.end(), is_free);
  }
  return static_cast<std::size_t>(free - equations_.begin());
}

/// coded bytes - known sources = sum over the missing ones.
void SlidingDecoder::write_equation(std::size_t e, const FecRepair& repair, const Window& window) {
  const std::size_t size = repair.coded.size();
  std::memset(row(e), 0, row_bytes);
  std::memcpy(scratch_.data(), repair.coded.data(), size);
  std::memset(scratch_.data() + size, 0, padded(size) - size);
  std::array<std::uint8_t, fec_source_max + 1> factors;
  std::array<const std::uint8_t*, fec_source_max + 1> in;
  factors[0] = 1;
  in[0] = scratch_.data();
  std::size_t inputs = 1;
  for (std::size_t i = 0; i < repair.window; ++i) {
    const DataSeq sequence = repair.base.plus(i);
    if (window.known[i]) {
      factors[inputs] = window.coefficients[i];
      in[inputs++] = ring_.row(sequence);
    } else {
      coefficient(e, column_of(sequence)) = window.coefficients[i];
    }
  }
  std::uint8_t* out = row(e) + columns_max;
  gf256::expand(factors.data(), 1, inputs, tables_.data());
  gf256::combine(padded(size), tables_.data(), in.data(), inputs, &out, 1);
  equations_[e] = {.used = true, .size = size};
}

/// Removes `column` from equation `from` by means of `e`, which contains it.
void SlidingDecoder::subtract(std::size_t from, std::size_t e, std::size_t column) {
  const std::uint8_t factor =
      gf256::multiply(coefficient(from, column), gf256::inverse(coefficient(e, column)));
  gf256::add_scaled(row(from), factor, row(e), columns_max + padded(equations_[e].size));
  equations_[from].size = std::max(equations_[from].size, equations_[e].size);
}

/// Removes all pivots of others from a new equation. An equation contains no pivot but its own, so
/// the order does not matter.
void SlidingDecoder::reduce(std::size_t e) {
  for (std::size_t other = 0; other < equations_max; ++other) {
    const std::uint16_t pivot = equations_[other].pivot;
    if (other == e || !equations_[other].used) continue;
    if (coefficient(e, pivot) != 0) subtract(e, other, pivot);
  }
}

/// Gives equation e a pivot and removes that from all others; drops e when it is empty, and says
/// so.
bool SlidingDecoder::choose_pivot(std::size_t e) {
  const std::uint8_t* coefficients = row(e);
  const std::uint8_t* found =
      std::find_if(coefficients, coefficients + columns_max, [](std::uint8_t c) { return c != 0; });
  if (found == coefficients + columns_max) {
    drop(e);
    return false;
  }
  const auto pivot = static_cast<std::size_t>(found - coefficients);
  for (std::size_t other = 0; other < equations_max; ++other) {
    if (other == e || !equations_[other].used || coefficient(other, pivot) == 0) continue;
    subtract(other, e, pivot);
  }
  equations_[e].pivot = static_cast<std::uint16_t>(pivot);
  return true;
}

/// Gives an unknown up at the cost of one equation at most: one that contains it takes it out of
/// all others, and goes.
void SlidingDecoder::forget(std::size_t column) {
  std::size_t victim = equations_max;
  for (std::size_t e = 0; e < equations_max; ++e) {
    if (!equations_[e].used || coefficient(e, column) == 0) continue;
    if (victim == equations_max) {
      victim = e;
    } else {
      subtract(e, victim, column);
    }
  }
  if (victim != equations_max) drop(victim);
  columns_[column].used = false;
}

void SlidingDecoder::forget_oldest() {
  std::size_t oldest = columns_max;
  for (std::size_t c = 0; c < columns_max; ++c) {
    if (!columns_[c].used) continue;
    if (oldest == columns_max || columns_[c].sequence < columns_[oldest].sequence) oldest = c;
  }
  SENNIT_ASSERT(oldest != columns_max);
  forget(oldest);
}

/// Turns every equation with a single unknown into a recovered symbol.
RepairUse SlidingDecoder::harvest() {
  RepairUse use = RepairUse::used;
  for (std::size_t e = 0; e < equations_max; ++e) {
    if (!equations_[e].used) continue;
    const std::uint8_t* coefficients = row(e);
    const auto zeros = std::count(coefficients, coefficients + columns_max, std::uint8_t{0});
    if (static_cast<std::size_t>(zeros) != columns_max - 1) continue;
    if (!solve(e)) use = RepairUse::useless;
  }
  return use;
}

/// False when equation e gives nonsense. It is done with either way.
bool SlidingDecoder::solve(std::size_t e) {
  const Equation solved = equations_[e];
  const DataSeq sequence = columns_[solved.pivot].sequence;
  columns_[solved.pivot].used = false;
  const std::uint8_t scale = gf256::inverse(coefficient(e, solved.pivot));
  drop(e);
  if (ring_.presence(sequence) != Presence::missing) return true;
  std::uint8_t* out = ring_.claim(sequence, solved.size);
  std::memset(out, 0, padded(solved.size));
  gf256::add_scaled(out, scale, row(e) + columns_max, padded(solved.size));
  return ring_.commit(sequence);
}

}  // namespace sennit
