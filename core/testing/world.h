// A random world, all of it drawn from one seed: links, what goes wrong on them and when, what is
// sent through. A test that fails prints the seed; the seed brings the same world back.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <vector>

#include "core/testing/mischief.h"
#include "core/testing/pair.h"

namespace sennit {

struct World {
  enum class Fault : std::uint8_t {
    blackhole,
    one_way_blackhole,  // from end a only
    carrier_down,
    blocked,  // end a's socket
    slow,     // a tenth of the rate
    lossy,    // a quarter of all packets, both directions
    count
  };
  struct Trouble {
    Fault fault;
    std::size_t link;
    Duration at, lasts;
  };
  /// `end` forgets everything, and the peer learns of the new session `handshake` later.
  struct Reboot {
    Pair::End end;
    Duration at, handshake;
  };
  struct Flow {
    Pair::End from;
    std::uint16_t id;
    BitRate rate;
    std::size_t size;
    std::uint8_t dscp;
  };

  std::uint64_t seed = 0;
  std::vector<PairLink> links;
  TunnelConfig config;
  PairOptions options;
  MischiefOdds odds;
  std::vector<Trouble> troubles;  // all over at `calm`
  std::vector<Reboot> reboots;    // the same, one after the other
  std::vector<Flow> flows;        // all end at `calm`
  Duration idle{};                // nothing is sent for so long before old datagrams come back
  static constexpr Duration calm = 1500ms;
};

World draw_world(std::uint64_t seed);

/// The world at its beginning: links, flows and troubles are under way as soon as it runs. From
/// `calm` on links neither lose nor reorder, and nothing is corrupted or repeated unless somebody
/// asks `mischief` for it.
struct OpenWorld {
  std::unique_ptr<Pair> pair;
  std::unique_ptr<Mischief> mischief;
};
OpenWorld open(const World& world, std::size_t batch = batch_max);

std::ostream& operator<<(std::ostream& out, const World& world);

}  // namespace sennit
