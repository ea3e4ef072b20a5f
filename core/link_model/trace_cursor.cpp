#include "core/link_model/trace_cursor.h"

#include "core/assert.h"

namespace sennit {

using std::chrono::ceil;
using std::chrono::milliseconds;

TraceCursor::TraceCursor(std::shared_ptr<const LinkTrace> trace, Instant origin)
    : trace_(std::move(trace)), origin_(origin), loop_(origin) {
  SENNIT_ASSERT(!times().empty() && times().back() > 0);
}

void TraceCursor::step(std::size_t opportunities) {
  index_ += opportunities;
  if (index_ >= times().size()) {
    const std::size_t loops = index_ / times().size();
    index_ -= loops * times().size();
    loop_ += trace_->period() * static_cast<std::int64_t>(loops);
  }
  room_ = LinkTrace::opportunity_bytes;
}

void TraceCursor::seek(Instant ready) {
  if (room_ == Bytes{0}) step(1);
  if (at() >= ready) return;
  room_ = LinkTrace::opportunity_bytes;
  // The end of a repetition is also the start of the next: the last opportunities are still due.
  const std::int64_t loops = (ready - loop_ - 1ns) / trace_->period();
  if (loops > 0) {
    loop_ += trace_->period() * loops;
    index_ = 0;
  }
  const auto due = static_cast<std::uint32_t>(ceil<milliseconds>(ready - loop_).count());
  const auto first = times().begin() + static_cast<std::ptrdiff_t>(index_);
  index_ = static_cast<std::size_t>(std::lower_bound(first, times().end(), due) - times().begin());
}

void TraceCursor::take(Bytes n) {
  if (n > room_) {
    n -= room_;
    const std::int64_t whole = LinkTrace::opportunity_bytes.count;
    const std::int64_t more = (n.count - 1) / whole + 1;
    step(static_cast<std::size_t>(more));
    n -= Bytes{(more - 1) * whole};
  }
  room_ -= n;
}

std::int64_t TraceCursor::opportunities_before(Instant t) const {
  if (t <= origin_) return 0;
  const std::int64_t loops = (t - origin_) / trace_->period();
  const Duration within = (t - origin_) % trace_->period();
  const auto due = static_cast<std::uint32_t>(ceil<milliseconds>(within).count());
  const auto begin = times().begin(), end = times().end();
  const std::int64_t started = std::lower_bound(begin, end, due) - begin;
  // At the very end of a repetition its last opportunities are due, not past.
  const std::int64_t still_due =
      within == Duration::zero() ? end - std::lower_bound(begin, end, times().back()) : 0;
  return loops * static_cast<std::int64_t>(times().size()) + started - still_due;
}

Bytes TraceCursor::room_between(Instant from, Instant to) const {
  return {(opportunities_before(to) - opportunities_before(from)) *
          LinkTrace::opportunity_bytes.count};
}

}  // namespace sennit
