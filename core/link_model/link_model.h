// One direction of an emulated link, sans-IO: the same model stands behind the tests, the ns-3
// device and the testbed's emulator. Packets are opaque tokens; the caller keeps the bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <variant>
#include <vector>

#include "core/rng.h"
#include "core/units.h"

namespace sennit {

/// Delivery opportunities of a mahimahi trace: at each instant (ms from the start, non-decreasing)
/// the link may carry up to 1,500 bytes; unused room in an opportunity serves the packets that
/// follow at that instant only. The trace repeats after its last entry (Winstein et al., NSDI
/// 2013).
struct LinkTrace {
  std::vector<std::uint32_t> opportunity_ms;
  Duration period() const { return std::chrono::milliseconds{opportunity_ms.back()}; }
  static constexpr Bytes opportunity_bytes{1500};
};

/// Why a trace is unusable, in words ("line 7: …"); nothing when it is fine. `text` is the whole
/// file: one non-negative integer per line, non-decreasing, the last one above zero.
struct TraceParse {
  LinkTrace trace;
  std::optional<std::string> error;
};
TraceParse parse_mahimahi(std::string_view text);

struct NoLoss {};
struct RandomLoss {
  double probability = 0;  // of each packet, independently; [0, 1)
};
/// Two states, good without loss and bad with loss of every packet: mean loss and mean length of a
/// burst (packets) define it. mean in (0, 1), burst >= 1, and mean <= burst / (burst + 1).
struct GilbertElliott {
  double mean = 0;
  double burst = 1;
};
using LossModel = std::variant<NoLoss, RandomLoss, GilbertElliott>;

enum class JitterDistribution : std::uint8_t { normal, pareto };
struct JitterModel {
  Duration stddev{};  // 0 = none
  JitterDistribution distribution = JitterDistribution::normal;
  bool reorder = true;  // false keeps first-in first-out
};

struct QueuePackets {
  std::size_t limit = 1000;
};
struct QueueBytes {
  Bytes limit;
};
struct QueueTime {
  Duration limit;  // at the current rate (a trace: at its mean rate)
};
using QueueLimit = std::variant<QueuePackets, QueueBytes, QueueTime>;

enum class LinkState : std::uint8_t {
  up,
  blackhole,    // everything vanishes silently
  carrier_down  // the device says so
};

struct LinkConfig {
  std::variant<BitRate, std::shared_ptr<const LinkTrace>> capacity = BitRate::from_mbps(100);
  Duration delay{};  // one way, propagation
  JitterModel jitter{};
  LossModel loss = NoLoss{};
  QueueLimit queue = QueuePackets{};
  std::uint16_t mtu = 1500;  // IP packet; larger ones are dropped
  LinkState state = LinkState::up;
};

/// What became of an offered packet.
enum class Offer : std::uint8_t { queued, queue_full, too_big, link_down };

/// A packet that left the link.
struct Exit {
  std::uint64_t token;
  Instant at;         // when the far end sees it, or when the loss was drawn; at <= now
  bool lost;          // took its capacity and vanished
  Duration queueing;  // time between its offer and the start of its transmission
};

/// Counters only rise.
struct LinkStats {
  std::uint64_t offered_packets = 0, offered_bytes = 0;
  std::uint64_t carried_packets = 0, carried_bytes = 0;  // arrived at the far end
  std::uint64_t lost_packets = 0;                        // by the loss model or a black hole
  std::uint64_t dropped_packets = 0;                     // queue full, too big or down
};

/// A transmitter that several links share: only one of their packets is on it at a time, at its own
/// rate. (`shared_bottleneck:` of a scenario; the first link's rate is the shared one.)
class SharedBottleneck;

/// Drop-tail queue -> transmitter (rate or trace) -> loss -> propagation delay and jitter.
///
/// Sizes are bytes of the IP packet. Contract as for the tunnel: handle_packet and configure with a
/// `now` that never runs backwards, then poll_exit until empty, then sleep until next_wake().
class LinkModel {
 public:
  LinkModel(const LinkConfig& config, Rng rng, Instant now,
            std::shared_ptr<SharedBottleneck> shared = nullptr);
  ~LinkModel();
  LinkModel(LinkModel&&) noexcept;

  /// Offers one packet. Anything but `queued` means that the model forgot it.
  Offer handle_packet(Instant now, Bytes size, std::uint64_t token);
  /// Run-time change of anything. Packets in the queue stay, those in transmission finish at the
  /// old rate, a black hole loses what is on the way, carrier_down also empties the queue (as lost
  /// exits).
  void configure(Instant now, const LinkConfig& config);
  /// The next packet that has left by `now`, in order of arrival.
  [[nodiscard]] std::optional<Exit> poll_exit(Instant now);
  [[nodiscard]] Instant next_wake() const;

  const LinkConfig& config() const;
  const LinkStats& stats() const;
  std::size_t queued_packets() const;
  Bytes queued_bytes() const;
  /// Time that a packet offered now would wait before its transmission starts.
  Duration queueing_delay(Instant now) const;
  /// Bytes that the link could have carried between two instants if it had been full, by its
  /// current configuration.
  Bytes capacity_between(Instant from, Instant to) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sennit
