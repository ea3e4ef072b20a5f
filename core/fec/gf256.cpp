#include "core/fec/gf256.h"

#include <isa-l.h>

#include <array>

namespace sennit::gf256 {

namespace {

struct ScaleTables {
  std::array<std::array<std::uint8_t, table_bytes>, 256> of{};
  ScaleTables() {
    for (std::size_t c = 0; c < of.size(); ++c) {
      auto coefficient = static_cast<std::uint8_t>(c);
      ec_init_tables(1, 1, &coefficient, of[c].data());
    }
  }
};

// 8 KiB, a constant of the field: computed once, never written again.
std::uint8_t* scale_table(std::uint8_t factor) {
  static ScaleTables tables;
  return tables.of[factor].data();
}

struct OnesTables {
  std::array<std::uint8_t, add_all_max * table_bytes> bytes{};
  OnesTables() {
    std::array<std::uint8_t, add_all_max> ones;
    ones.fill(1);
    ec_init_tables(static_cast<int>(ones.size()), 1, ones.data(), bytes.data());
  }
};

}  // namespace

std::uint8_t multiply(std::uint8_t a, std::uint8_t b) { return gf_mul(a, b); }
std::uint8_t inverse(std::uint8_t a) { return gf_inv(a); }
bool invert(std::uint8_t* in, std::uint8_t* out, std::size_t n) {
  return gf_invert_matrix(in, out, static_cast<int>(n)) == 0;
}

void expand(const std::uint8_t* matrix, std::size_t rows, std::size_t columns,
            std::uint8_t* tables) {
  ec_init_tables(static_cast<int>(columns), static_cast<int>(rows),
                 const_cast<std::uint8_t*>(matrix), tables);
}

void combine(std::size_t length, std::uint8_t* tables, const std::uint8_t* const* in,
             std::size_t columns, std::uint8_t* const* out, std::size_t rows) {
  ec_encode_data(static_cast<int>(length), static_cast<int>(columns), static_cast<int>(rows),
                 tables, const_cast<std::uint8_t**>(in), const_cast<std::uint8_t**>(out));
}

void add_scaled(std::uint8_t* to, std::uint8_t factor, const std::uint8_t* from,
                std::size_t length) {
  ec_encode_data_update(static_cast<int>(length), 1, 1, 0, scale_table(factor),
                        const_cast<std::uint8_t*>(from), &to);
}

// Multiplying by one in the widest vectors is faster than a plain loop in the compiler's; ISA-L's
// xor_gen is not for us: it stores around the cache, and the repair is sealed right after.
void add_all(std::size_t length, const std::uint8_t* const* in, std::size_t count,
             std::uint8_t* out) {
  static OnesTables tables;
  combine(length, tables.bytes.data(), in, count, &out, 1);
}

}  // namespace sennit::gf256
