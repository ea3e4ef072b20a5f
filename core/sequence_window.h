// Which of the last N sequence numbers were seen: the anti-replay bitmap of RFC 6479 (a ring of
// words, cleared as the window moves, never shifted). Serves as replay window per path, from which
// acknowledgement ranges are read as well, and as duplicate filter per traffic class.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/units.h"

namespace sennit {

/// N is a power of two and a multiple of 128.
template <class Seq, std::size_t N>
class SequenceWindow {
 public:
  enum class Verdict : std::uint8_t { fresh, seen, too_old };

  Verdict check(Seq sequence) const {
    if (empty_ || sequence > largest_) return Verdict::fresh;
    if (static_cast<std::uint64_t>(largest_ - sequence) >= depth) return Verdict::too_old;
    return test(sequence.value) ? Verdict::seen : Verdict::fresh;
  }

  /// Marks a fresh sequence as seen.
  void commit(Seq sequence) {
    if (empty_ || sequence > largest_) {
      advance(sequence.value);
      largest_ = sequence;
      empty_ = false;
    }
    word(sequence.value) |= bit(sequence.value);
  }

  bool empty() const { return empty_; }
  Seq largest() const { return largest_; }

  struct Range {
    Seq first, last;
  };
  /// Runs of seen sequences, newest first; returns how many of `out` were filled.
  std::size_t ranges(std::span<Range> out) const {
    if (empty_ || out.empty()) return 0;
    const std::uint64_t floor = largest_.value >= depth ? largest_.value - depth + 1 : 0;
    std::size_t count = 0;
    std::uint64_t at = largest_.value;  // always a seen one at the top of the loop
    while (count < out.size()) {
      const std::uint64_t first = run_start(at, floor, true);
      out[count++] = {Seq{first}, Seq{at}};
      if (first == floor) break;
      const std::uint64_t gap_first = run_start(first - 1, floor, false);
      if (gap_first == floor) break;
      at = gap_first - 1;
    }
    return count;
  }

 private:
  static constexpr std::uint64_t words = N / 64;
  static constexpr std::uint64_t depth = N - 64;  // one word is always being cleared

  static constexpr std::uint64_t bit(std::uint64_t v) { return std::uint64_t{1} << (v % 64); }
  std::uint64_t& word(std::uint64_t v) { return bits_[v / 64 % words]; }
  const std::uint64_t& word(std::uint64_t v) const { return bits_[v / 64 % words]; }
  bool test(std::uint64_t v) const { return (word(v) & bit(v)) != 0; }

  void advance(std::uint64_t to) {
    if (empty_) {
      bits_.fill(0);
      return;
    }
    const std::uint64_t from_word = largest_.value / 64, to_word = to / 64;
    const std::uint64_t steps = to_word - from_word < words ? to_word - from_word : words;
    for (std::uint64_t i = 1; i <= steps; ++i) bits_[(from_word + i) % words] = 0;
  }

  /// The lowest v' <= v, not below floor, such that [v', v] are all seen (or all unseen).
  std::uint64_t run_start(std::uint64_t v, std::uint64_t floor, bool seen) const {
    for (;;) {
      const unsigned offset = static_cast<unsigned>(v % 64);
      std::uint64_t run = seen ? word(v) : ~word(v);
      run <<= 63 - offset;  // v's bit on top; what was above it falls off
      const auto length = static_cast<std::uint64_t>(std::countl_one(run));
      if (length > v - floor) return floor;
      if (length <= offset) return v - length + 1;
      v -= offset + 1;  // the run goes on in the word below, unless its top bit differs
      const bool top = test(v);
      if (top != seen) return v + 1;
    }
  }

  std::array<std::uint64_t, words> bits_{};
  Seq largest_{};
  bool empty_ = true;
};

}  // namespace sennit
