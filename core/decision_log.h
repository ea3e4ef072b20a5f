// Why did a path not carry packets? Each decision about a packet is one answer per path, far too
// many to write down. So they are counted by (class, path, outcome, reason) and leave as one trace
// record each at the end of every 10 ms in which they occurred: some hundred records a second
// beside tens of thousands of packets. Exists only while the packet trace is on, and nothing reads
// it back, so the digest cannot depend on it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/bounds.h"
#include "core/packet.h"
#include "core/units.h"

namespace sennit {

/// Why a path did not take a packet: see decision_reasons.def.
enum class Reason : std::uint8_t {
#define SENNIT_REASON(reason, a_means, b_means) reason,
#include "core/decision_reasons.def"
#undef SENNIT_REASON
  count
};
inline constexpr std::size_t reason_count = static_cast<std::size_t>(Reason::count);

/// What became of the packet instead.
enum class Outcome : std::uint8_t {
  elsewhere,  // another path took it
  held,       // it waits in the ingress queue; counted each time that this is decided
  stopped,    // it waits in this path's own queue; counted each time that it could not leave
  count
};
inline constexpr std::size_t outcome_count = static_cast<std::size_t>(Outcome::count);
std::string_view to_string(Outcome);

class DecisionLog {
 public:
  /// Length of what one record sums up. Records carry the instant at which it began, a multiple of
  /// it, and leave with the first transmission after its end.
  static constexpr Duration slice = std::chrono::milliseconds{10};

  struct Entry {
    ClassId class_id;
    std::uint8_t path;
    Outcome outcome;
    Reason reason;
  };
  struct Tally {
    std::uint32_t packets;
    std::int64_t a_sum, b_sum;
  };

  DecisionLog() : tallies_(entries_max) { touched_.reserve(entries_max); }

  /// `path` did not take `packets` packets of that class, for this reason; a and b of each as
  /// decision_reasons.def says.
  void add(const Entry& entry, std::int64_t a = 0, std::int64_t b = 0, std::uint32_t packets = 1) {
    const std::size_t at = position(entry);
    Tally& tally = tallies_[at];
    if (tally.packets == 0) touched_.push_back(static_cast<std::uint16_t>(at));
    tally.packets += packets;
    tally.a_sum += a * packets;
    tally.b_sum += b * packets;
  }

  Instant begin() const { return begin_; }
  bool ended(Instant now) const { return now >= begin_ + slice; }
  /// Calls visit(entry, tally) for all that was counted and begins the slice of `now`.
  template <class Visit>
  void restart(Instant now, Visit visit) {
    for (const std::uint16_t at : touched_) {
      visit(entry_at(at), tallies_[at]);
      tallies_[at] = {};
    }
    touched_.clear();
    begin_ = now - now.time_since_epoch() % slice;
  }

 private:
  static constexpr std::size_t entries_max = classes_max * paths_max * outcome_count * reason_count;
  static_assert(entries_max <= 65536, "positions are 16 bits");

  static std::size_t position(const Entry& e) {
    return ((index(e.class_id) * paths_max + e.path) * outcome_count +
            static_cast<std::size_t>(e.outcome)) *
               reason_count +
           static_cast<std::size_t>(e.reason);
  }
  static Entry entry_at(std::size_t at) {
    const std::size_t path = at / reason_count / outcome_count;
    return {ClassId{static_cast<std::uint8_t>(path / paths_max)},
            static_cast<std::uint8_t>(path % paths_max),
            static_cast<Outcome>(at / reason_count % outcome_count),
            static_cast<Reason>(at % reason_count)};
  }

  std::vector<Tally> tallies_;          // by position()
  std::vector<std::uint16_t> touched_;  // positions that count something
  Instant begin_{};
};

}  // namespace sennit
