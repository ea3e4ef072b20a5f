// Turns what waits on a path into sealed datagrams, when the path's pacer and inflight limit allow:
// frames, bundles of small packets, packet numbers, records of what is in flight.
#pragma once

#include <cstdint>

#include "core/config.h"
#include "core/observer.h"
#include "core/path_set.h"
#include "core/retention.h"
#include "core/session.h"

namespace sennit {

class Sender {
 public:
  Sender(const TunnelConfig& config, Observer& observer, PathSet& paths, Retention& retention,
         Session& session, PacketPool& pool);

  /// Fills `out` from one path; false when no path may send now. Paths take turns. `backlog`: inner
  /// packets wait for a path, so whoever sends is not limited by the application.
  bool poll(Instant now, Transmit& out);
  /// When the next queued datagram may leave; never if none waits for a pacer.
  Instant next_wake(Instant now) const;

  /// An empty packet with room for the timestamp: append frames, then queue_control().
  Packet new_control();

 private:
  enum class Source : std::uint8_t {
    nothing,
    control,
    repairs,
    symbols,
    sparse,
    class_queue,
    padding
  };
  struct Choice {
    Source source = Source::nothing;
    ClassId class_id{};
    RefQueue* queue = nullptr;
  };
  struct Next {
    RetainedRef ref{};
    Retained* entry = nullptr;  // null: there is none
    explicit operator bool() const { return entry != nullptr; }
  };

  void fill(Instant now, Path& path, Transmit& out);
  Choice choose(Instant now, Path& path);
  Instant line_passed_at(const Path& path) const;
  Instant ready_at(const Path& path, ClassId class_id, const Next& next) const;
  bool may_send(Instant now, Path& path) const;
  void explain_blocked(const Path& path);
  void explain_window(Instant now, const Path& path, const Choice& choice);
  Packet build(Instant now, Path& path, const Choice& choice);
  Packet build_control(Instant now, Path& path);
  Packet build_padding(Instant now, Path& path);
  Packet build_symbol(Instant now, Path& path);
  Packet build_data(Instant now, Path& path, const Choice& choice);
  std::size_t write_bundle(Instant now, Path& path, const Choice& choice, Next first, Packet& out,
                           std::span<RetainedRef> refs);
  void write_alone(Instant now, const Choice& choice, Next next, Path& path, Packet& out);
  Next take(Path& path, RefQueue& queue);
  /// The first packet of a queue that is still worth sending, without taking it.
  Next peek(Path& path, RefQueue& queue) {
    return queue.empty() ? Next{} : peek_waiting(path, queue);
  }
  Next peek_waiting(Path& path, RefQueue& queue);
  void pop(Path& path, RefQueue& queue, Next next);
  Rank rank_of(const Path& path, const RefQueue& queue, const Retained& entry) const;
  wire::FrameKind kind_of(const Choice& choice, const Retained& entry) const;
  void record(Instant now, Path& path, const Packet& datagram, bool eliciting, bool limited,
              std::span<const RetainedRef> refs, std::uint64_t first_sequence, ClassId class_id);

  const TunnelConfig& config_;
  Observer& observer_;
  PathSet& paths_;
  Retention& retention_;
  Session& session_;
  PacketPool& pool_;
  std::array<ClassId, classes_max> class_order_{};
  std::size_t turn_ = 0;
};

}  // namespace sennit
