// Two tunnels with nothing between them: what one sends, the other handles at the same instant, and
// the packets themselves change hands (one pool serves both), so that all that is measured is the
// core. Virtual time runs as on a link of the offered rate; reports flow back all the while.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "core/tunnel.h"

namespace sennit {

class BackToBack {
 public:
  static constexpr std::size_t batch = 32;
  static constexpr std::size_t packet_size = 1400;

  BackToBack(std::size_t paths, bool trace, BitRate offered);

  /// Until the rate control lets the offered rate through: at most so much virtual time. False when
  /// it never did.
  bool warm_up(Duration limit);
  /// One batch into `a`, all there is to do at both ends, and what comes out of `b`.
  void run_batch();

  std::uint64_t offered() const { return offered_packets_; }
  std::uint64_t delivered() const { return delivered_packets_; }
  Metrics metrics() const { return a_.metrics(now_); }

 private:
  void fill_batch();
  void wake(Tunnel& tunnel);
  void carry(Tunnel& from, Tunnel& to);
  void take_deliveries();
  void take_records(Tunnel& tunnel);

  Instant now_{};
  Duration interval_;
  PacketPool pool_;
  Tunnel a_, b_;
  std::uint64_t offered_packets_ = 0, delivered_packets_ = 0;
  std::array<Packet, batch> entering_;
  std::array<Packet, batch_max> leaving_;
  std::array<Datagram, batch_max> crossing_;
  std::array<TraceRecord, 1024> records_;
  Transmit transmit_;
};

}  // namespace sennit
