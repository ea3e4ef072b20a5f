#include "core/fec/block_code.h"

#include <bit>

#include "core/assert.h"
#include "core/fec/gf256.h"

namespace sennit {

namespace {

std::uint8_t cauchy(std::size_t sources, std::size_t repair, std::size_t source) {
  return gf256::inverse(static_cast<std::uint8_t>((sources + repair) ^ source));
}

SourceMask column_of(BlockShape shape, std::size_t repair) {
  SourceMask column = 0;
  for (std::size_t i = repair; i < shape.sources; i += shape.repairs) column |= SourceMask{1} << i;
  return column;
}

bool valid(BlockShape shape) {
  return shape.sources >= 1 && shape.sources <= fec_source_max && shape.repairs >= 1 &&
         shape.repairs <= fec_repair_max;
}

}  // namespace

SourceMask recoverable(FecCode code, BlockShape shape, SourceMask known, RepairMask repairs) {
  const SourceMask missing = all_sources(shape.sources) & ~known;
  if (code == FecCode::reed_solomon) {
    return std::popcount(missing) <= std::popcount(repairs) ? missing : 0;
  }
  SourceMask single = 0;
  for (std::size_t j = 0; j < shape.repairs; ++j) {
    const SourceMask lost = missing & column_of(shape, j);
    if ((repairs >> j & 1) != 0 && std::popcount(lost) == 1) single |= lost;
  }
  return single;
}

BlockEncoder::BlockEncoder(std::size_t sources_max) : sources_max_(sources_max) {
  SENNIT_ASSERT(sources_max <= fec_source_max);
  const std::size_t room = sources_max * fec_repair_max * gf256::table_bytes;
  full_.bytes.resize(room);
  shortened_.bytes.resize(room);
}

std::uint8_t* BlockEncoder::tables_for(std::size_t sources) {
  Tables& tables = sources == sources_max_ ? full_ : shortened_;
  if (tables.sources != sources) {
    std::array<std::uint8_t, fec_source_max * fec_repair_max> matrix;
    for (std::size_t j = 0; j < fec_repair_max; ++j) {
      for (std::size_t i = 0; i < sources; ++i) matrix[j * sources + i] = cauchy(sources, j, i);
    }
    gf256::expand(matrix.data(), fec_repair_max, sources, tables.bytes.data());
    tables.sources = sources;
  }
  return tables.bytes.data();
}

void BlockEncoder::encode(FecCode code, BlockShape shape, std::size_t length,
                          const std::uint8_t* const* sources, std::uint8_t* const* repairs) {
  SENNIT_ASSERT(valid(shape) && shape.sources <= sources_max_);
  if (code == FecCode::reed_solomon) {
    gf256::combine(length, tables_for(shape.sources), sources, shape.sources, repairs,
                   shape.repairs);
    return;
  }
  SENNIT_ASSERT(code == FecCode::parity && shape.repairs <= shape.sources);
  for (std::size_t j = 0; j < shape.repairs; ++j) {
    std::array<const std::uint8_t*, fec_source_max> column;
    std::size_t count = 0;
    for (std::size_t i = j; i < shape.sources; i += shape.repairs) column[count++] = sources[i];
    gf256::add_all(length, column.data(), count, repairs[j]);
  }
}

/// The inputs and outputs of one reconstruction, in the order of the matrix's columns and rows.
struct BlockReconstructor::Plan {
  std::array<std::size_t, fec_source_max> known;
  std::array<std::size_t, fec_repair_max> lost, rows;
  std::size_t known_count = 0, lost_count = 0;
  std::array<const std::uint8_t*, fec_source_max + fec_repair_max> in;  // known, then rows
  std::array<std::uint8_t*, fec_repair_max> out;
};

BlockReconstructor::BlockReconstructor()
    : inverse_(fec_repair_max * fec_repair_max),
      square_(fec_repair_max * fec_repair_max),
      matrix_(fec_repair_max * fec_source_max),
      tables_(fec_repair_max * fec_source_max * gf256::table_bytes) {}

void BlockReconstructor::reconstruct(FecCode code, BlockShape shape, std::size_t length,
                                     SourceMask known, SourceMask wanted,
                                     std::uint8_t* const* sources, RepairMask received,
                                     const std::uint8_t* const* repairs) {
  SENNIT_ASSERT(valid(shape) && (wanted & known) == 0);
  if (wanted == 0) return;
  if (code == FecCode::parity) return reconstruct_parity(shape, length, wanted, sources, repairs);
  SENNIT_ASSERT(code == FecCode::reed_solomon && (wanted | known) == all_sources(shape.sources) &&
                std::popcount(wanted) <= std::popcount(received));
  Plan plan;
  for (std::size_t i = 0; i < shape.sources; ++i) {
    if ((known >> i & 1) != 0) {
      plan.in[plan.known_count] = sources[i];
      plan.known[plan.known_count++] = i;
    } else {
      plan.out[plan.lost_count] = sources[i];
      plan.lost[plan.lost_count++] = i;
    }
  }
  for (std::size_t j = 0, used = 0; used < plan.lost_count; ++j) {
    if ((received >> j & 1) == 0) continue;
    plan.in[plan.known_count + used] = repairs[j];
    plan.rows[used++] = j;
  }
  reconstruct_reed_solomon(shape, length, plan);
}

void BlockReconstructor::reconstruct_parity(BlockShape shape, std::size_t length, SourceMask wanted,
                                            std::uint8_t* const* sources,
                                            const std::uint8_t* const* repairs) {
  for (; wanted != 0; wanted &= wanted - 1) {
    const auto lost = static_cast<std::size_t>(std::countr_zero(wanted));
    const std::size_t j = lost % shape.repairs;
    std::array<const std::uint8_t*, fec_source_max + 1> in;
    std::size_t count = 0;
    in[count++] = repairs[j];
    for (std::size_t i = j; i < shape.sources; i += shape.repairs) {
      if (i != lost) in[count++] = sources[i];
    }
    gf256::add_all(length, in.data(), count, sources[lost]);
  }
}

void BlockReconstructor::reconstruct_reed_solomon(BlockShape shape, std::size_t length,
                                                  const Plan& plan) {
  solve(shape, plan);
  gf256::expand(matrix_.data(), plan.lost_count, shape.sources, tables_.data());
  gf256::combine(length, tables_.data(), plan.in.data(), shape.sources, plan.out.data(),
                 plan.lost_count);
}

// repairs = A known + B lost, so lost = B^-1 A known + B^-1 repairs. Only B is inverted, as large
// as the loss and not as the block; then one pass over the data gives every lost symbol.
void BlockReconstructor::solve(BlockShape shape, const Plan& plan) {
  const std::size_t n = plan.lost_count;
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b < n; ++b) {
      square_[a * n + b] = cauchy(shape.sources, plan.rows[a], plan.lost[b]);
    }
  }
  SENNIT_ASSERT(gf256::invert(square_.data(), inverse_.data(), n));
  for (std::size_t b = 0; b < n; ++b) {
    std::uint8_t* row = matrix_.data() + b * shape.sources;
    for (std::size_t c = 0; c < plan.known_count; ++c) {
      std::uint8_t sum = 0;
      for (std::size_t a = 0; a < n; ++a) {
        sum ^= gf256::multiply(inverse_[b * n + a],
                               cauchy(shape.sources, plan.rows[a], plan.known[c]));
      }
      row[c] = sum;
    }
    for (std::size_t a = 0; a < n; ++a) row[plan.known_count + a] = inverse_[b * n + a];
  }
}

}  // namespace sennit
