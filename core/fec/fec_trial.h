// For tests and measurements only: one class's encoder and decoder with a channel between them that
// loses symbols, beside what no linear code over the same windows could do better.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>

#include "core/fec/fec_decoder.h"
#include "core/fec/fec_encoder.h"
#include "core/rng.h"

namespace sennit::fec_test {

/// The two-state channel of the profiles: mean loss and mean burst length in packets.
class Channel {
 public:
  Channel(double mean, double burst, Rng rng)
      : to_good_(1 / burst), to_bad_(mean / (1 - mean) / burst), rng_(rng) {}
  bool loses() {
    bad_ = bad_ ? !rng_.chance(to_good_) : rng_.chance(to_bad_);
    return bad_;
  }

 private:
  double to_good_, to_bad_;
  Rng rng_;
  bool bad_ = false;
};

/// Solves the same windows with random coefficients modulo a prime of 61 bits, where no combination
/// is ever dependent by chance: whatever any linear code could recover at that moment.
class IdealWindow {
 public:
  explicit IdealWindow(Rng rng) : rng_(rng) {}

  void lose(std::uint64_t source) { missing_.insert(source); }
  void repair(std::uint64_t base, std::uint64_t window) {
    Row row;
    const auto end = missing_.lower_bound(base + window);
    for (auto it = missing_.lower_bound(base); it != end; ++it)
      row[*it] = 1 + rng_.below(prime - 1);
    for (const auto& [pivot, other] : rows_) eliminate(row, other, pivot);
    if (row.empty()) return;
    const std::uint64_t pivot = row.begin()->first;
    for (auto& entry : rows_) eliminate(entry.second, row, pivot);
    rows_[pivot] = row;
    harvest();
    forget_before(base);
  }
  std::size_t recovered() const { return recovered_; }

 private:
  static constexpr std::uint64_t prime = (std::uint64_t{1} << 61) - 1;
  using Row = std::map<std::uint64_t, std::uint64_t>;
  __extension__ using Wide = unsigned __int128;

  static std::uint64_t times(std::uint64_t a, std::uint64_t b) {
    return static_cast<std::uint64_t>(Wide{a} * b % prime);
  }
  static std::uint64_t inverse(std::uint64_t a) {
    std::uint64_t result = 1;
    for (std::uint64_t power = prime - 2; power != 0; power >>= 1, a = times(a, a)) {
      if ((power & 1) != 0) result = times(result, a);
    }
    return result;
  }
  /// row -= (its coefficient at pivot / other's) * other.
  static void eliminate(Row& row, const Row& other, std::uint64_t pivot) {
    const auto at = row.find(pivot);
    if (at == row.end()) return;
    const std::uint64_t factor = prime - times(at->second, inverse(other.at(pivot)));
    for (const auto& [source, coefficient] : other) {
      std::uint64_t& sum = row[source];
      sum = (sum + times(factor, coefficient)) % prime;
      if (sum == 0) row.erase(source);
    }
  }
  void harvest() {
    for (auto it = rows_.begin(); it != rows_.end();) {
      if (it->second.size() > 1) {
        ++it;
        continue;
      }
      missing_.erase(it->first);
      ++recovered_;
      it = rows_.erase(it);
    }
  }
  /// Far behind the window nothing new will be said about a source.
  void forget_before(std::uint64_t base) {
    while (!missing_.empty() && *missing_.begin() + 512 < base) {
      const std::uint64_t source = *missing_.begin();
      missing_.erase(missing_.begin());
      std::erase_if(rows_, [source](const auto& row) { return row.second.contains(source); });
    }
  }

  Rng rng_;
  std::set<std::uint64_t> missing_;
  std::map<std::uint64_t, Row> rows_;  // by pivot
  std::size_t recovered_ = 0;
};

struct Outcome {
  std::size_t lost = 0;      // on the channel
  std::size_t residual = 0;  // after the code
  std::size_t late = 0;      // of those recovered: later than the deadline
  std::size_t ideal = 0;     // residual of the ideal window
  double mean_wait = 0;      // symbols sent between a lost source and its recovery
};

struct Flow {
  std::size_t sources = 300'000;
  bool paced = true;          // repairs leave one by one among the sources, as a sliding code's do;
                              // otherwise all at once when they are ready
  std::size_t deadline = 48;  // symbols
};

/// Sends sources and repairs, one symbol after the other, through the channel.
inline Outcome simulate(const FecConfig& config, Flow flow, Channel channel, std::uint64_t seed) {
  FecEncoder encoder(config);
  FecDecoder decoder;
  IdealWindow ideal{Rng(seed)};
  Outcome outcome;
  std::map<std::uint64_t, std::size_t> sent_at;  // of the lost ones
  const std::array<std::byte, 8> packet{std::byte{0x45}};
  const std::size_t spacing = config.source / config.repair;
  std::size_t now = 0, recovered_count = 0;
  for (std::uint64_t s = 0; s < flow.sources; ++s, ++now) {
    encoder.add(Instant{}, {s}, 0, packet);
    if (channel.loses()) {
      sent_at[s] = now;
      ideal.lose(s);
      ++outcome.lost;
    } else {
      decoder.handle_source({s}, 0, packet);
    }
    std::size_t may_leave = !flow.paced ? fec_repair_max : s % spacing == spacing - 1 ? 1 : 0;
    for (FecRepair repair; may_leave > 0 && encoder.poll_repair(repair); --may_leave) {
      ++now;
      if (channel.loses()) continue;
      decoder.handle_repair(repair);
      ideal.repair(repair.base.value, repair.window);
    }
    for (FecRecovered recovered; decoder.poll_recovered(recovered); ++recovered_count) {
      const std::size_t wait = now - sent_at.at(recovered.sequence.value);
      outcome.late += wait > flow.deadline;
      outcome.mean_wait += static_cast<double>(wait);
    }
    while (!sent_at.empty() && sent_at.begin()->first + 2048 < s) sent_at.erase(sent_at.begin());
  }
  outcome.mean_wait /= static_cast<double>(std::max<std::size_t>(recovered_count, 1));
  outcome.residual = outcome.lost - recovered_count;
  outcome.ideal = outcome.lost - ideal.recovered();
  return outcome;
}

}  // namespace sennit::fec_test
