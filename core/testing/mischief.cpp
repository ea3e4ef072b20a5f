#include "core/testing/mischief.h"

#include <utility>

namespace sennit {

Mischief::Mischief(Pair& pair, const MischiefOdds& odds, Rng rng)
    : pair_(pair), odds_(odds), rng_(rng) {
  recordings_.reserve(recordings_max);
  pair.tamper = [this](std::size_t link, Pair::End from, Bytestring& bytes) {
    meddle(link, from, bytes);
  };
}

void Mischief::meddle(std::size_t link, Pair::End from, Bytestring& bytes) {
  const Pair::End to = from == Pair::a ? Pair::b : Pair::a;
  record(link, to, bytes);
  if (rng_.chance(odds_.duplication)) {
    const Duration delay = pair_.link(link, from).config().delay;
    replay({link, to, bytes}, delay + scaled(Duration{20ms}, rng_.uniform()));
  }
  if (rng_.chance(odds_.replay)) replay(recordings_[rng_.below(recordings_.size())], 0ms);
  if (rng_.chance(odds_.corruption)) corrupt(bytes);
}

// Reservoir sampling (Vitter 1985, algorithm R).
void Mischief::record(std::size_t link, Pair::End to, const Bytestring& bytes) {
  ++seen_;
  if (recordings_.size() < recordings_max) {
    recordings_.push_back({link, to, bytes});
    return;
  }
  const std::uint64_t at = rng_.below(seen_);
  if (at < recordings_max) recordings_[at] = {link, to, bytes};
}

// Some come to where they came from.
void Mischief::replay(const Recording& recording, Duration later) {
  const Pair::End from = recording.to == Pair::a ? Pair::b : Pair::a;
  const Pair::End to = rng_.chance(0.1) ? from : recording.to;
  pair_.at(pair_.now() + later, [this, link = recording.link, to, bytes = recording.bytes] {
    pair_.inject(link, to, bytes);
  });
}

void Mischief::replay_all(Duration over) {
  for (const Recording& recording : recordings_) replay(recording, scaled(over, rng_.uniform()));
}

void Mischief::corrupt(Bytestring& bytes) {
  if (rng_.chance(0.1)) {
    bytes.resize(rng_.below(bytes.size()));
    return;
  }
  const std::uint64_t bits = 1 + rng_.below(3);
  for (std::uint64_t i = 0; i < bits; ++i) {
    bytes[rng_.below(bytes.size())] ^= static_cast<std::byte>(1u << rng_.below(8));
  }
}

}  // namespace sennit
