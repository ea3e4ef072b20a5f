// Where the parts of a tunnel report to: drop counters, trace records, events and the digest. One
// object, passed by reference, so that no part needs callbacks or knows who looks.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/decision_log.h"
#include "core/observe.h"
#include "core/packet.h"

namespace sennit {

inline constexpr std::uint8_t no_path = 255;

class Observer {
 public:
  explicit Observer(bool trace_packets);

  /// A packet died. The caller destroys it afterwards.
  void dropped(Instant now, Drop reason, const Packet& packet, std::uint8_t path = no_path);
  /// Bytes died that never became a packet (a malformed frame).
  void dropped(Instant now, Drop reason, std::size_t size, std::uint8_t path = no_path);
  void event(const Event& event);
  void trace(Instant now, TraceKind kind, std::uint8_t path, ClassId class_id,
             std::uint64_t sequence, std::uint64_t a, std::uint64_t b, std::size_t size) {
    if (tracing_) append(now, kind, path, class_id, sequence, a, b, size);
  }
  /// Where to say why a path did not take a packet; null while nobody wants to know.
  DecisionLog* decisions() { return decisions_.get(); }
  /// Traces the decisions of the last slice if it is over. To be called before any are made.
  void write_decisions(Instant now) {
    if (decisions_ && decisions_->ended(now)) append_decisions(now);
  }
  /// Folds one decision into the digest.
  void decided(std::uint64_t word) {
    digest_ = (digest_ ^ word) * 0x9e3779b97f4a7c15 + (digest_ >> 29);
  }

  [[nodiscard]] std::optional<Event> poll_event();
  [[nodiscard]] std::size_t poll_trace(std::span<TraceRecord> out);
  const std::array<std::uint64_t, drop_count>& drops() const { return drops_; }
  std::uint64_t digest() const { return digest_; }
  std::uint64_t trace_overflow() const { return trace_overflow_; }
  std::uint64_t events_overflow() const { return events_overflow_; }

 private:
  void append(Instant now, TraceKind kind, std::uint8_t path, ClassId class_id,
              std::uint64_t sequence, std::uint64_t a, std::uint64_t b, std::size_t size,
              std::uint16_t flags = 0);
  void append_decisions(Instant now);

  bool tracing_;
  std::unique_ptr<DecisionLog> decisions_;     // null when not tracing
  std::uint64_t digest_ = 0x6a09e667f3bcc908;  // any non-zero start: frac(sqrt 2)
  std::array<std::uint64_t, drop_count> drops_{};
  std::vector<TraceRecord> trace_;  // a ring, trace_max long when tracing
  std::size_t trace_begin_ = 0, trace_size_ = 0;
  std::array<Event, events_max> events_{};  // a ring
  std::size_t events_begin_ = 0, events_size_ = 0;
  std::uint64_t trace_overflow_ = 0, events_overflow_ = 0;
};

}  // namespace sennit
