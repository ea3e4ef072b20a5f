// One direction of an emulated link, sans-IO: the same model stands behind the tests, the ns-3
// device and the testbed's emulator. Packets are opaque tokens; the caller keeps the bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/rng.h"
#include "core/units.h"

namespace sennit {

/// Delivery opportunities of a mahimahi trace: at each instant (ms from the start, non-decreasing)
/// the link may carry up to 1,500 bytes, of several packets or of a part of one, whose rest goes
/// with the next opportunity. Room that nobody waits for at that instant is wasted. The trace
/// repeats after its last entry (Winstein et al., NSDI 2013).
struct LinkTrace {
  std::vector<std::uint32_t> opportunity_ms;  // never empty; the last one above zero
  static constexpr Bytes opportunity_bytes{1500};

  Duration period() const { return std::chrono::milliseconds{opportunity_ms.back()}; }
  BitRate mean_rate() const {
    const auto count = static_cast<std::int64_t>(opportunity_ms.size());
    return BitRate::from({count * opportunity_bytes.count}, period());
  }
  bool operator==(const LinkTrace&) const = default;
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
/// Two states, good without loss and bad with loss of every packet (Gilbert 1960): mean loss and
/// mean length of a burst (packets) define it. mean in (0, 1), burst >= 1, and
/// mean <= burst / (burst + 1). From bad to good with probability 1 / burst, from good to bad with
/// mean / (burst (1 - mean)).
struct GilbertElliott {
  double mean = 0;
  double burst = 1;
};
using LossModel = std::variant<NoLoss, RandomLoss, GilbertElliott>;

enum class JitterDistribution : std::uint8_t { normal, pareto };
/// Each packet's delay is drawn independently with the link's `delay` as its mean and `stddev`, and
/// is never below zero, so the mean and deviation are as stated while `delay` is some deviations
/// above zero (at delay = 0 and normal, half of the packets get 0 and the mean is 0.4 stddev).
/// normal: delay + N(0, stddev). pareto: shape 3, as netem's table: no packet is faster than
/// delay - 0.577 stddev, and one in a thousand is slower than delay + 9.8 stddev.
/// Without `reorder` a packet arrives no earlier than its predecessor, which lengthens the mean by
/// as much as closely spaced packets wait for each other.
struct JitterModel {
  Duration stddev{};  // 0 = none
  JitterDistribution distribution = JitterDistribution::normal;
  bool reorder = true;  // false keeps first-in first-out
};

/// Drop-tail. The packet in transmission is not in the queue, and an empty queue takes any packet.
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
  blackhole,    // everything vanishes silently: the queue drains as before, into nothing
  carrier_down  // the device says so
};

/// A constant rate (zero: nothing moves, the queue stays) or a trace, which is never null.
using LinkCapacity = std::variant<BitRate, std::shared_ptr<const LinkTrace>>;

struct LinkConfig {
  LinkCapacity capacity = BitRate::from_mbps(100);
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
  Instant at;         // when the far end sees it; if lost, when it would have or when the link
                      // went down; at <= now
  bool lost;          // took its capacity and vanished, or was on the way when the link went down
  Duration queueing;  // time between its offer and the start of its transmission
};

/// Counters only rise. A packet is carried or lost when poll_exit returns it.
struct LinkStats {
  std::uint64_t offered_packets = 0, offered_bytes = 0;
  std::uint64_t carried_packets = 0, carried_bytes = 0;  // arrived at the far end
  std::uint64_t lost_packets = 0;                        // by the loss model or a black hole
  std::uint64_t dropped_packets = 0;                     // queue full, too big or down
};

class Bottleneck;  // bottleneck.h

/// A transmitter that several links share: it serves the packets of all of them in the order of
/// their offers, one at a time. Each link keeps its own queue bound, loss, delay and state. The
/// capacity is that of the link that was constructed first; the others' is ignored. All links of it
/// must see the same clock, and after configure() of one of them the others' next_wake() may have
/// changed.
class SharedBottleneck {
 public:
  SharedBottleneck();
  ~SharedBottleneck();
  SharedBottleneck(const SharedBottleneck&) = delete;
  SharedBottleneck& operator=(const SharedBottleneck&) = delete;

 private:
  friend class LinkModel;
  std::unique_ptr<Bottleneck> bottleneck_;
};

/// Drop-tail queue -> transmitter (rate or trace) -> loss -> propagation delay and jitter.
///
/// Sizes are bytes of the IP packet. Contract as for the tunnel: handle_packet and configure with a
/// `now` that never runs backwards, then poll_exit until empty, then sleep until next_wake(). When
/// and how often it is polled changes nothing in what exits and when.
class LinkModel {
 public:
  /// `shared`: the transmitter to use together with other links; null = one of its own. A trace
  /// starts at `now`.
  LinkModel(const LinkConfig& config, Rng rng, Instant now,
            std::shared_ptr<SharedBottleneck> shared = nullptr);
  ~LinkModel();
  LinkModel(LinkModel&&) noexcept;
  LinkModel& operator=(LinkModel&&) noexcept;

  /// Offers one packet of `size` > 0. Anything but `queued` means that the model forgot it.
  Offer handle_packet(Instant now, Bytes size, std::uint64_t token);
  /// Run-time change of anything. Packets in the queue stay (also beyond a smaller bound), those in
  /// transmission finish at the old rate and with the old delay. A trace that is equal to the one
  /// in force goes on; another starts at `now`. A black hole loses what is on the way; carrier_down
  /// also empties the queue (as lost exits).
  void configure(Instant now, const LinkConfig& config);
  /// The next packet that has left by `now`, in order of arrival.
  [[nodiscard]] std::optional<Exit> poll_exit(Instant now);
  /// The earliest instant at which a packet may exit (none need do so then). `never` when nothing
  /// is under way; in the past when the link was not polled in time.
  [[nodiscard]] Instant next_wake() const;

  const LinkConfig& config() const;
  const LinkStats& stats() const;
  /// What waits for the transmitter, as of the last call that had a `now`.
  std::size_t queued_packets() const;
  Bytes queued_bytes() const;
  /// Time that a packet offered now would wait before its transmission starts. A century when the
  /// rate is zero.
  Duration queueing_delay(Instant now) const;
  /// Bytes that the link could have carried in [from, to) if it had been full, by its current
  /// configuration (for all of its history; nothing when it is not up, or before a trace started).
  /// Shared: what all links together could have carried.
  Bytes capacity_between(Instant from, Instant to) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sennit
