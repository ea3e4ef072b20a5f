// Arithmetic in GF(2^8) (polynomial 0x11d) on whole symbols, by ISA-L's vector kernels. Only the
// pair ec_init_tables / ec_encode_data[_update] is used: their table layout is ISA-L's own affair
// and differs between its versions, so no table is ever taken apart.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sennit::gf256 {

std::uint8_t multiply(std::uint8_t a, std::uint8_t b);
/// Of a != 0.
std::uint8_t inverse(std::uint8_t a);
/// Inverts the n x n matrix `in` (row-major, destroyed); false when it is singular.
bool invert(std::uint8_t* in, std::uint8_t* out, std::size_t n);

inline constexpr std::size_t table_bytes = 32;  // per coefficient, at most

/// Expands a matrix of `rows` x `columns` coefficients (row-major) for combine(). The tables of
/// fewer rows are a prefix, and of a single row those of fewer columns.
void expand(const std::uint8_t* matrix, std::size_t rows, std::size_t columns,
            std::uint8_t* tables);

/// out[j] = sum over i of matrix[j][i] * in[i], all of `length` bytes; no out may be an in.
void combine(std::size_t length, std::uint8_t* tables, const std::uint8_t* const* in,
             std::size_t columns, std::uint8_t* const* out, std::size_t rows);

/// to += factor * from.
void add_scaled(std::uint8_t* to, std::uint8_t factor, const std::uint8_t* from,
                std::size_t length);

inline constexpr std::size_t add_all_max = 65;
/// out = XOR of 1..add_all_max vectors.
void add_all(std::size_t length, const std::uint8_t* const* in, std::size_t count,
             std::uint8_t* out);

}  // namespace sennit::gf256
