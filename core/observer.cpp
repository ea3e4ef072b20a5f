#include "core/observer.h"

#include <algorithm>

namespace sennit {

std::string_view to_string(Drop reason) {
  constexpr std::array<std::string_view, drop_count> names{
      "pool_empty",      "queue_full",    "queue_aged", "too_big",   "not_ip", "malformed",
      "unknown_session", "not_authentic", "replayed",   "duplicate", "late",   "fec_useless"};
  return names.at(static_cast<std::size_t>(reason));
}

std::string_view to_string(PathState state) {
  constexpr std::array<std::string_view, 4> names{"probing", "up", "suspect", "down"};
  return names.at(static_cast<std::size_t>(state));
}

std::string_view to_string(Outcome outcome) {
  constexpr std::array<std::string_view, outcome_count> names{"elsewhere", "held", "stopped"};
  return names.at(static_cast<std::size_t>(outcome));
}

Observer::Observer(bool trace_packets) : tracing_(trace_packets) {
  if (!tracing_) return;
  trace_.resize(trace_max);
  decisions_ = std::make_unique<DecisionLog>();
}

void Observer::dropped(Instant now, Drop reason, const Packet& packet, std::uint8_t path) {
  ++drops_[static_cast<std::size_t>(reason)];
  trace(now, TraceKind::dropped, path, packet.info().class_id, 0,
        static_cast<std::uint64_t>(reason), packet.info().flow_hash, packet.size());
}

void Observer::dropped(Instant now, Drop reason, std::size_t size, std::uint8_t path) {
  ++drops_[static_cast<std::size_t>(reason)];
  trace(now, TraceKind::dropped, path, ClassId{}, 0, static_cast<std::uint64_t>(reason), 0, size);
}

void Observer::event(const Event& event) {
  if (events_size_ == events_max) {  // the oldest are worth least
    events_begin_ = (events_begin_ + 1) % events_max;
    --events_size_;
    ++events_overflow_;
  }
  events_[(events_begin_ + events_size_++) % events_max] = event;
}

std::optional<Event> Observer::poll_event() {
  if (events_size_ == 0) return std::nullopt;
  const Event event = events_[events_begin_];
  events_begin_ = (events_begin_ + 1) % events_max;
  --events_size_;
  return event;
}

void Observer::append(Instant now, TraceKind kind, std::uint8_t path, ClassId class_id,
                      std::uint64_t sequence, std::uint64_t a, std::uint64_t b, std::size_t size,
                      std::uint16_t flags) {
  if (trace_size_ == trace_max) {
    trace_begin_ = (trace_begin_ + 1) % trace_max;
    --trace_size_;
    ++trace_overflow_;
  }
  TraceRecord& record = trace_[(trace_begin_ + trace_size_++) % trace_max];
  record.at_ns = now.time_since_epoch().count();
  record.sequence = sequence;
  record.a = a;
  record.b = b;
  record.size = static_cast<std::uint32_t>(size) & 0xffffff;
  record.class_id = static_cast<std::uint32_t>(class_id) & 0xff;
  record.kind = kind;
  record.path = path;
  record.flags = flags;
}

void Observer::append_decisions(Instant now) {
  const Instant begin = decisions_->begin();
  decisions_->restart(now, [&](const DecisionLog::Entry& of, const DecisionLog::Tally& tally) {
    append(begin, TraceKind::decision, of.path, of.class_id, static_cast<std::uint64_t>(of.reason),
           static_cast<std::uint64_t>(tally.a_sum / tally.packets),
           static_cast<std::uint64_t>(tally.b_sum / tally.packets), tally.packets,
           static_cast<std::uint16_t>(of.outcome));
  });
}

std::size_t Observer::poll_trace(std::span<TraceRecord> out) {
  const std::size_t n = std::min(out.size(), trace_size_);
  for (std::size_t i = 0; i < n; ++i) out[i] = trace_[(trace_begin_ + i) % trace_max];
  trace_begin_ = (trace_begin_ + n) % trace_max;
  trace_size_ -= n;
  if (trace_size_ == 0) trace_begin_ = 0;  // a driver that keeps up stays within a warm cache
  return n;
}

}  // namespace sennit
