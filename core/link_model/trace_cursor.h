// A place in a trace that repeats: the opportunity that serves next, and how much room is left in
// it. Moving on costs the same however many opportunities or loops are skipped, so an idle link
// pays nothing for what it wastes.
#pragma once

#include <memory>

#include "core/link_model/link_model.h"

namespace sennit {

class TraceCursor {
 public:
  /// The trace's time 0 is at `origin`.
  TraceCursor(std::shared_ptr<const LinkTrace> trace, Instant origin);

  /// When the current opportunity is.
  Instant at() const { return loop_ + std::chrono::milliseconds{times()[index_]}; }
  /// Goes on to the first opportunity with room that is not before `ready`.
  void seek(Instant ready);
  /// Uses up the next `n` bytes of room; at() is then when the last of them goes.
  void take(Bytes n);
  /// Room of all opportunities in [from, to), used or not.
  Bytes room_between(Instant from, Instant to) const;
  const LinkTrace& trace() const { return *trace_; }

 private:
  const std::vector<std::uint32_t>& times() const { return trace_->opportunity_ms; }
  void step(std::size_t opportunities);
  std::int64_t opportunities_before(Instant t) const;

  std::shared_ptr<const LinkTrace> trace_;
  Instant origin_;
  Instant loop_;           // when the current repetition started
  std::size_t index_ = 0;  // of the current opportunity in the trace
  Bytes room_ = LinkTrace::opportunity_bytes;
};

}  // namespace sennit
