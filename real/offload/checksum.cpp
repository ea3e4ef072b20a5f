#include "real/offload/checksum.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sennit::offload {
namespace {

std::uint64_t load(const std::byte* from, std::size_t n) {
  std::uint64_t w = 0;
  std::memcpy(&w, from, n);
  return w;
}

/// Every 64-bit word as two of 32, so that no carry is lost.
Sum halves(std::uint64_t w) { return (w & 0xffffffff) + (w >> 32); }

/// In memory order whatever the machine: the bytes beyond `n` are the zeros that load() leaves.
template <bool copies>
Sum plain(const std::byte* from, std::byte* to, std::size_t n) {
  Sum sum = 0;
  for (; n >= 8; from += 8, n -= 8) {
    sum += halves(load(from, 8));
    if constexpr (copies) {
      std::memcpy(to, from, 8);
      to += 8;
    }
  }
  if (n > 0) {
    sum += halves(load(from, n));
    if constexpr (copies) std::memcpy(to, from, n);
  }
  return sum;
}

#if defined(__x86_64__)
/// 64 bytes a turn, low and high halves of 64-bit lanes apart.
template <bool copies>
__attribute__((target("avx2"))) Sum wide(const std::byte* from, std::byte* to, std::size_t n) {
  const __m256i low = _mm256_set1_epi64x(0xffffffff);
  __m256i even = _mm256_setzero_si256(), odd = even;
  for (; n >= 64; from += 64, n -= 64) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32));
    if constexpr (copies) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), a);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 32), b);
      to += 64;
    }
    even = _mm256_add_epi64(even, _mm256_and_si256(a, low));
    odd = _mm256_add_epi64(odd, _mm256_srli_epi64(a, 32));
    even = _mm256_add_epi64(even, _mm256_and_si256(b, low));
    odd = _mm256_add_epi64(odd, _mm256_srli_epi64(b, 32));
  }
  alignas(32) std::uint64_t lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), _mm256_add_epi64(even, odd));
  return lanes[0] + lanes[1] + lanes[2] + lanes[3] + plain<copies>(from, to, n);
}

bool has_avx2() {
  static const bool known = __builtin_cpu_supports("avx2") != 0;
  return known;
}
#endif

template <bool copies>
Sum sum(const std::byte* from, std::byte* to, std::size_t n) {
#if defined(__x86_64__)
  if (n >= 64 && has_avx2()) return wide<copies>(from, to, n);
#endif
  return plain<copies>(from, to, n);
}

}  // namespace

Sum sum_of(std::span<const std::byte> bytes) {
  return sum<false>(bytes.data(), nullptr, bytes.size());
}

Sum copy_and_sum(std::span<const std::byte> from, std::byte* to) {
  return sum<true>(from.data(), to, from.size());
}

}  // namespace sennit::offload
