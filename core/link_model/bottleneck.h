// One transmitter and the links that queue for it: usually one link, more if they share it. Nothing
// here runs by itself: each call that has a `now` first makes up for the transmissions that started
// since the last one, at the instants at which they did. What a packet meets (loss, delay) is drawn
// when its transmission starts, so neither depends on how often somebody looks.
#pragma once

#include <limits>
#include <vector>

#include "core/link_model/flight.h"
#include "core/link_model/loss.h"
#include "core/link_model/transmitter.h"

namespace sennit {

struct Waiting {
  std::uint64_t order = 0;  // among the packets of all links of the bottleneck
  std::uint64_t token = 0;
  Instant offered{};
  std::uint32_t size = 0;  // bytes
};

/// What one link has of its own: the queue before the transmitter and the line behind it.
class Station {
 public:
  Station(const LinkConfig& config, const Rng& rng);

  /// All but the capacity. `rate` turns a queue limit in time into bytes.
  void configure(Instant now, const LinkConfig& config, BitRate rate);
  void set_rate(BitRate rate);
  bool has_room_for(Bytes size) const;
  void enqueue(const Waiting& packet);
  /// The head of the queue, which is not empty, goes onto the line.
  void launch(const Transmitter::Passage& passage);
  /// A packet that starts at `start` arrives no earlier.
  Instant arrival_min(Instant start) const;

  const Ring<Waiting>& queue() const { return queue_; }
  Bytes queued_bytes() const { return queued_bytes_; }
  Flight& flight() { return flight_; }
  const Flight& flight() const { return flight_; }
  const LinkConfig& config() const { return config_; }

 private:
  Waiting dequeue();
  void lose_queue(Instant now);
  Instant draw_arrival(Instant sent);

  LinkConfig config_;
  LossProcess loss_;
  Rng jitter_rng_;
  Ring<Waiting> queue_;
  Bytes queued_bytes_{};
  std::size_t packets_max_ = 0;
  Bytes bytes_max_{};
  Instant last_arrival_ = Instant::min();
  Flight flight_;
};

class Bottleneck {
 public:
  /// The first station's capacity becomes the bottleneck's. The station stays where it is.
  void attach(Instant now, Station& station);
  void detach(const Station& station);
  void configure(Instant now, Station& station, const LinkConfig& config);
  /// Starts all transmissions that are due by `now`.
  void advance(Instant now);
  /// The packet fits into the station's queue.
  void enqueue(Instant now, Station& station, Bytes size, std::uint64_t token);

  /// When the next transmission starts, as of the last advance(); `never` if nothing waits.
  Instant next_start() const { return next_start_; }
  Instant start_of_next_offer(Instant now) const;
  const Transmitter& transmitter() const { return *transmitter_; }

 private:
  Station* first_in_line() const;

  std::vector<Station*> stations_;
  std::optional<Transmitter> transmitter_;  // none until the first station comes
  std::uint64_t enqueued_ = 0;
  Instant clock_ = Instant::min();
  Instant next_start_ = never;
};

}  // namespace sennit
