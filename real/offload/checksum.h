// The Internet checksum (RFC 1071) at the speed of memory. Sums are taken over words in the
// machine's own byte order, which the one's complement allows (RFC 1071 section 2(B)), so nothing
// is swapped but the few header fields that are added by value.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sennit::offload {

/// A partial sum, not yet folded; sums of parts that begin at even offsets add up.
using Sum = std::uint64_t;

/// Of 16-bit words in memory order; an odd last byte counts as if a zero followed it. At most
/// 64 KiB, so that nothing overflows.
Sum sum_of(std::span<const std::byte> bytes);
/// The same, and copies the bytes to `to` on the way: the payload is touched once.
Sum copy_and_sum(std::span<const std::byte> from, std::byte* to);

/// A big-endian field's share in a sum over memory.
inline Sum word(std::uint16_t value) {
  if constexpr (std::endian::native == std::endian::big) return value;
  return static_cast<std::uint16_t>(value << 8 | value >> 8);
}
inline Sum word32(std::uint32_t value) {
  return word(static_cast<std::uint16_t>(value >> 16)) + word(static_cast<std::uint16_t>(value));
}

/// 16 bits, in memory order; 0xffff for a range whose checksum is right.
inline std::uint16_t fold(Sum sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

}  // namespace sennit::offload
