// What a bad network does to datagrams besides losing, delaying and reordering them: it repeats and
// damages them, and it records them and brings them back when nobody expects them any more.
#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "core/testing/pair.h"

namespace sennit {

/// Of each datagram.
struct MischiefOdds {
  double corruption = 0;   // some bits anywhere are flipped, or it is cut short
  double duplication = 0;  // it comes a second time within some 20 ms
  double replay = 0;       // a recorded one comes as well
};

class Mischief {
 public:
  /// Takes over `pair.tamper`; must live as long as the pair runs.
  Mischief(Pair& pair, const MischiefOdds& odds, Rng rng);
  Mischief(const Mischief&) = delete;
  Mischief& operator=(const Mischief&) = delete;

  /// Only records from now on.
  void stop() { odds_ = {}; }
  /// All that is recorded comes once more, at random instants of the next `over`.
  void replay_all(Duration over);

 private:
  using Bytestring = std::vector<std::byte>;
  struct Recording {
    std::size_t link;
    Pair::End to;
    Bytestring bytes;
  };
  static constexpr std::size_t recordings_max = 256;

  void meddle(std::size_t link, Pair::End from, Bytestring& bytes);
  void record(std::size_t link, Pair::End to, const Bytestring& bytes);
  void replay(const Recording& recording, Duration later);
  void corrupt(Bytestring& bytes);

  Pair& pair_;
  MischiefOdds odds_;
  Rng rng_;
  std::uint64_t seen_ = 0;
  std::vector<Recording> recordings_;  // an even choice of all that was seen
};

}  // namespace sennit
