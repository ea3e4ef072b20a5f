#include "core/link_model/transmitter.h"

#include "core/assert.h"

namespace sennit {
namespace {

constexpr std::int64_t bit_nanoseconds(Bytes b) { return b.count * 8 * 1'000'000'000; }

}  // namespace

bool Transmitter::has(const LinkCapacity& capacity) const {
  if (const auto* const rate = std::get_if<BitRate>(&capacity)) return !cursor_ && *rate == rate_;
  const LinkTrace& trace = *std::get<std::shared_ptr<const LinkTrace>>(capacity);
  return cursor_ && (&cursor_->trace() == &trace || cursor_->trace() == trace);
}

void Transmitter::set_capacity(const LinkCapacity& capacity, Instant now) {
  if (!has(capacity)) reset(capacity, now);
}

void Transmitter::reset(const LinkCapacity& capacity, Instant now) {
  if (const auto* const rate = std::get_if<BitRate>(&capacity)) {
    rate_ = *rate;
    cursor_.reset();
  } else {
    const auto& trace = std::get<std::shared_ptr<const LinkTrace>>(capacity);
    SENNIT_ASSERT(trace != nullptr);
    cursor_.emplace(trace, now);
    rate_ = trace->mean_rate();
  }
  free_at_ = std::max(free_at_, now);
  rest_ = 0;
}

Instant Transmitter::next_start(Instant ready) {
  ready = std::max(ready, free_at_);
  if (!cursor_) return rate_.is_zero() ? never : ready;
  cursor_->seek(ready);
  return cursor_->at();
}

Transmitter::Passage Transmitter::carry(Instant ready, Bytes size) {
  const Instant start = next_start(ready);
  if (cursor_) {
    cursor_->take(size);
    free_at_ = cursor_->at();
    return {start, free_at_};
  }
  const std::int64_t rate = rate_.bits_per_second();
  const std::int64_t need = bit_nanoseconds(size) + (start == free_at_ ? rest_ : 0);
  free_at_ = start + Duration{need / rate};
  rest_ = need % rate;
  return {start, free_at_};
}

Instant Transmitter::start_behind(Bytes backlog, Instant now) const {
  const Instant ready = std::max(now, free_at_);
  if (!cursor_) return ready + rate_.time_to_send(backlog);
  TraceCursor ahead = *cursor_;
  ahead.seek(ready);
  ahead.take(backlog);
  ahead.seek(ready);
  return ahead.at();
}

Bytes Transmitter::capacity_between(Instant from, Instant to) const {
  return cursor_ ? cursor_->room_between(from, to) : rate_.sent_in(to - from);
}

}  // namespace sennit
