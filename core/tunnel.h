// One bonded association with one peer, as a pure state machine: no sockets, no clock, no threads,
// no allocation per packet. State after any history is a function of (configuration, seed, the
// sequence of handle_ calls) and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

#include "core/config.h"
#include "core/observe.h"
#include "core/packet.h"
#include "core/scheduler.h"

namespace sennit {

/// A transport address, opaque to the core: compared, stored, handed back.
struct Address {
  std::array<std::byte, 28> bytes{};
  /// Asked for each datagram, and the default compares byte by byte.
  bool operator==(const Address& other) const {
    return std::memcmp(bytes.data(), other.bytes.data(), sizeof bytes) == 0;
  }
};

/// A datagram as it came in (UDP payload).
struct Datagram {
  Packet packet;
  Instant arrived{};  // when the kernel (or ns-3) saw it, which may be before `now`
  Address source{};
  PathId path{};  // the path whose socket it came in on; the header must agree
  Ecn ecn = Ecn::not_ect;
};

/// Datagrams for one path, ready to send in order. All have `segment_size` bytes but the last,
/// which may be shorter: one sendmsg(UDP_SEGMENT) with one iovec per packet sends them all.
struct Transmit {
  PathId path{};
  Ecn ecn = Ecn::not_ect;
  std::uint16_t segment_size = 0;
  Address destination{};
  Batch<Packet, batch_max> datagrams;
};

/// When to call handle_timeout next, and which timer asked for it: a tunnel that wakes too often
/// says why.
enum class Timer : std::uint8_t {
  none,
  pace,        // a pacer lets the next datagram go
  ingress,     // a rate-limited class may send again
  probe,       // PING an idle path
  loss,        // a packet in flight is overdue (RACK timer or probe timeout)
  path_state,  // a silent path changes state
  report,      // tell the peer what arrived
  resequence,  // give up a gap
  fec_flush,   // close an incomplete block
  count
};
struct Wake {
  Instant at = never;
  Timer why = Timer::none;
};

/// Which end: the two derive mirrored keys from the same secret.
enum class Role : std::uint8_t { a, b };

/// 32 bytes that both ends share; each direction's AES-256-GCM key and IV come from it by
/// HKDF-SHA256. (The handshake will fill it from Noise.)
using SessionSecret = std::array<std::byte, 32>;

/// Names give the direction: handle_ = the world tells the core; poll_ = the core tells the world;
/// nouns only look.
///
/// The contract, the same for ns-3 and for the daemon:
///   1. call any handle_ functions, with a `now` that never runs backwards;
///   2. drain: poll_transmit, poll_deliver and poll_event, until each has nothing more;
///   3. sleep until next_wake().at, or until there is something to handle; at that instant call
///      handle_timeout, and go to 2.
/// Paths are chosen late, inside poll_transmit. How packets are cut into calls at one `now` changes
/// no decision.
class Tunnel {
 public:
  /// `config` must have no fault (find_fault). `pool` outlives the tunnel and all its packets.
  /// `scheduler` replaces the one that the configuration names (Python, experiments).
  /// `first_number` (below 2^40) is where packet numbers, data and flow sequences begin; both ends
  /// must agree. Other than zero it shows how a long session goes on: the wire has 32 and 22 bits.
  Tunnel(const TunnelConfig& config, Role role, const SessionSecret& secret, PacketPool& pool,
         std::uint64_t seed, Instant now, std::unique_ptr<Scheduler> scheduler = nullptr,
         std::uint64_t first_number = 0);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  // --- the world tells the core (each takes the packets that it is given, leaving empty handles)
  // ---
  void handle_inner(Instant now, std::span<Packet> from_tun);
  void handle_datagrams(Instant now, std::span<Datagram> from_network);
  void handle_timeout(Instant now);
  /// The socket's buffer is full: choose other paths until it is writable again.
  void handle_blocked(PathId);
  void handle_writable(Instant now, PathId);
  /// The link's own word (netlink): acts at once, without waiting for silence.
  void handle_carrier(Instant now, PathId, bool up);
  /// An id names one path only, for as long as the tunnel lives: also after remove_path().
  void add_path(Instant now, PathId, const PathConfig&, const Address& remote);
  void remove_path(Instant now, PathId);

  // --- the core tells the world ---
  /// Fills `out` (cleared first) with datagrams for one path; false when nothing may go now.
  [[nodiscard]] bool poll_transmit(Instant now, Transmit& out);
  /// Inner packets for the TUN, in order; returns how many of `to_tun` were filled.
  [[nodiscard]] std::size_t poll_deliver(Instant now, std::span<Packet> to_tun);
  [[nodiscard]] std::optional<Event> poll_event();
  [[nodiscard]] std::size_t poll_trace(std::span<TraceRecord> out);
  [[nodiscard]] Wake next_wake() const;  // valid after a drain

  // --- only look ---
  Metrics metrics(Instant now) const;
  /// Largest inner packet that every path can carry: what the TUN's MTU should be.
  std::uint16_t inner_mtu() const;
  /// Of every decision so far (path, sequence, size, time); equal digests = equal runs.
  std::uint64_t digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The pool that one tunnel needs so that it never starves: its queues, what it retains, what it
/// holds back for order, and a batch each way.
inline constexpr std::size_t tunnel_pool_slots = 32768;

}  // namespace sennit
