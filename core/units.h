// Strong types for time, bytes, rates and sequence numbers. No other file may spell a raw integer
// for these, so a millisecond cannot become a microsecond and a path's packet number cannot become
// a tunnel's sequence.
#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace sennit {

using namespace std::chrono_literals;

/// The clock of the core has a time_point but no now(): reading the wall clock inside core/ does
/// not compile. Time enters only as an argument, from ns-3 (Simulator::Now) or from the daemon
/// (CLOCK_MONOTONIC).
struct CoreClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<CoreClock>;
  static constexpr bool is_steady = true;
};
using Duration = CoreClock::duration;
using Instant = CoreClock::time_point;
inline constexpr Instant never = Instant::max();

/// Seconds as a floating number, for ratios and statistics; never for comparing instants.
constexpr double to_seconds(Duration d) { return static_cast<double>(d.count()) * 1e-9; }
constexpr Duration from_seconds(double s) { return Duration{static_cast<std::int64_t>(s * 1e9)}; }
/// `d` times a dimensionless factor, rounded towards zero.
constexpr Duration scaled(Duration d, double factor) {
  return Duration{static_cast<std::int64_t>(static_cast<double>(d.count()) * factor)};
}

/// A count of octets. Signed, so that a difference of two counts is again a count.
struct Bytes {
  std::int64_t count = 0;

  constexpr auto operator<=>(const Bytes&) const = default;
  constexpr Bytes& operator+=(Bytes b) {
    count += b.count;
    return *this;
  }
  constexpr Bytes& operator-=(Bytes b) {
    count -= b.count;
    return *this;
  }
  friend constexpr Bytes operator+(Bytes a, Bytes b) { return {a.count + b.count}; }
  friend constexpr Bytes operator-(Bytes a, Bytes b) { return {a.count - b.count}; }
};
/// The size of anything in memory as a count of octets.
constexpr Bytes bytes_of(std::size_t n) { return {static_cast<std::int64_t>(n)}; }

/// A rate, stored in bits per second. The unit is in the name of every way in and out.
class BitRate {
 public:
  constexpr BitRate() = default;
  static constexpr BitRate from_bits_per_second(std::int64_t n) { return BitRate{n}; }
  static constexpr BitRate from_mbps(double n) {
    return BitRate{static_cast<std::int64_t>(n * 1e6)};
  }
  /// `sent` bytes over `over` > 0.
  static constexpr BitRate from(Bytes sent, Duration over) {
    return BitRate{product_over(sent.count, bits_per_byte * ns_per_second, over.count())};
  }
  constexpr std::int64_t bits_per_second() const { return bits_per_second_; }
  constexpr double mbps() const { return static_cast<double>(bits_per_second_) * 1e-6; }
  constexpr bool is_zero() const { return bits_per_second_ <= 0; }
  /// Time that `b` takes at this rate; a century when the rate is zero.
  constexpr Duration time_to_send(Bytes b) const {
    if (is_zero()) return std::chrono::hours{24 * 36525};
    return Duration{product_over(b.count, bits_per_byte * ns_per_second, bits_per_second_)};
  }
  constexpr Bytes sent_in(Duration d) const {
    return {product_over(bits_per_second_, d.count(), bits_per_byte * ns_per_second)};
  }
  constexpr BitRate scaled_by(double factor) const {
    return BitRate{static_cast<std::int64_t>(static_cast<double>(bits_per_second_) * factor)};
  }
  friend constexpr BitRate operator+(BitRate a, BitRate b) {
    return BitRate{a.bits_per_second_ + b.bits_per_second_};
  }
  friend constexpr BitRate operator-(BitRate a, BitRate b) {
    return BitRate{a.bits_per_second_ - b.bits_per_second_};
  }
  constexpr auto operator<=>(const BitRate&) const = default;

 private:
  static constexpr std::int64_t bits_per_byte = 8, ns_per_second = 1'000'000'000;
  /// a b / c. The product of bits and nanoseconds exceeds 64 bits beyond 1.1 GB, which is rare, and
  /// to divide 128 bits takes three times as long.
  static constexpr std::int64_t product_over(std::int64_t a, std::int64_t b, std::int64_t c) {
    __extension__ using Wide = __int128;
    std::int64_t product = 0;
    if (!__builtin_mul_overflow(a, b, &product)) return product / c;
    return static_cast<std::int64_t>(Wide{a} * b / c);
  }
  explicit constexpr BitRate(std::int64_t n) : bits_per_second_(n) {}
  std::int64_t bits_per_second_ = 0;
};

/// A sequence number in one named space. Two spaces never mix: PathSeq + 1 is a PathSeq, and
/// PathSeq < DataSeq does not compile.
template <class Space>
struct Sequence {
  std::uint64_t value = 0;

  constexpr auto operator<=>(const Sequence&) const = default;
  constexpr Sequence next() const { return {value + 1}; }
  constexpr Sequence plus(std::uint64_t n) const { return {value + n}; }
  friend constexpr std::int64_t operator-(Sequence a, Sequence b) {
    return static_cast<std::int64_t>(a.value - b.value);
  }

  /// The sequence nearest to `expected` whose low `bits` bits (1..63) are `wire`: what a header
  /// that carries only the low bits means. Never below zero.
  static constexpr Sequence expand(std::uint64_t wire, unsigned bits, Sequence expected) {
    const std::uint64_t span = std::uint64_t{1} << bits;
    const std::uint64_t half = span / 2;
    const std::uint64_t candidate = (expected.value & ~(span - 1)) | (wire & (span - 1));
    if (candidate + half < expected.value) return {candidate + span};
    if (candidate > expected.value + half && candidate >= span) return {candidate - span};
    return {candidate};
  }
};
using PathSeq = Sequence<struct PathSpace>;  // per path: nonce, replay window, loss detection
using DataSeq = Sequence<struct DataSpace>;  // per traffic class: proof of loss, FEC, duplicates
using FlowSeq = Sequence<struct FlowSpace>;  // per flow bucket of a class: order of delivery

enum class PathId : std::uint8_t {};
constexpr std::size_t index(PathId p) { return static_cast<std::size_t>(p); }

enum class ClassId : std::uint8_t {};
constexpr std::size_t index(ClassId c) { return static_cast<std::size_t>(c); }

/// The ECN field of an IP header (RFC 3168).
enum class Ecn : std::uint8_t { not_ect = 0, ect1 = 1, ect0 = 2, ce = 3 };

}  // namespace sennit
