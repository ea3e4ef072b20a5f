// What puts packets on the line, one after the other. It knows nothing of queues: it is told when a
// packet is ready and answers when it goes. Its arithmetic is exact: nanoseconds that do not divide
// evenly are carried over from packet to packet, so a second of back-to-back packets is as many
// bytes as the rate says.
#pragma once

#include <optional>

#include "core/link_model/link_model.h"
#include "core/link_model/trace_cursor.h"

namespace sennit {

class Transmitter {
 public:
  Transmitter(const LinkCapacity& capacity, Instant now) { reset(capacity, now); }

  /// From `now` on; a packet that is being sent is not affected. No change if it is equal.
  void set_capacity(const LinkCapacity& capacity, Instant now);
  /// When a packet that is there at `ready` (never earlier than at the call before) can start;
  /// `never` at rate zero.
  Instant next_start(Instant ready);

  struct Passage {
    Instant start, end;
  };
  /// Sends `size` bytes at next_start(ready), which is not `never`.
  Passage carry(Instant ready, Bytes size);

  /// When one more packet would start that comes at `now` behind `backlog` bytes which are due.
  Instant start_behind(Bytes backlog, Instant now) const;
  Bytes capacity_between(Instant from, Instant to) const;
  /// The constant rate, or the trace's mean.
  BitRate mean_rate() const { return rate_; }

 private:
  void reset(const LinkCapacity& capacity, Instant now);
  bool has(const LinkCapacity& capacity) const;

  BitRate rate_;
  std::optional<TraceCursor> cursor_;  // of a trace
  Instant free_at_ = Instant::min();   // end of the last packet, or the last change of capacity
  std::int64_t rest_ = 0;  // nanoseconds times bits per second that the last end was rounded down
};

}  // namespace sennit
