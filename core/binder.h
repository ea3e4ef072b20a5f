// Binds inner packets to paths: takes them from the ingress queue in the order of service, asks the
// scheduler, gives them their sequence numbers and puts them into path queues.
//
// Binding is late and short: a packet stays in the ingress queue, where FQ-CoDel and the next
// decision can still act on it, until a path will be ready for it within the scheduler's horizon.
// What was bound can be given back until it is sealed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/bulk_choice.h"
#include "core/config.h"
#include "core/ingress_queue.h"
#include "core/observer.h"
#include "core/path_set.h"
#include "core/retention.h"
#include "core/scheduler.h"
#include "core/shared_bottleneck.h"

namespace sennit {

/// What binding tells the FEC encoders, and asks them.
class SourceSink {
 public:
  virtual ~SourceSink() = default;
  /// No code within its bounds is enough for this class now: a second copy of each packet is.
  virtual bool wants_copies(ClassId class_id) const = 0;
  virtual void on_bound(Instant now, const Packet& packet, PathMask paths) = 0;
};

class Binder {
 public:
  Binder(const TunnelConfig& config, Observer& observer, PathSet& paths, Retention& retention,
         SourceSink& sink, const SharedBottlenecks& bottlenecks, std::uint64_t seed,
         std::unique_ptr<Scheduler> scheduler);

  void handle_inner(Instant now, std::span<Packet> packets, std::size_t inner_max);
  void on_path_added(Instant now, const Path& path);

  /// Binds what the scheduler lets go now.
  void bind(Instant now);
  /// Unsealed packets of a path that is not to be trusted with them any more go to others.
  void give_back(Instant now, Path& path);
  /// The path goes away: nothing waits for it any more.
  void forget_queued(Path& path);
  /// To be called every measuring_interval: CoDel follows the paths' round trip and rate.
  static constexpr Duration measuring_interval = 100ms;
  void on_paths_measured(Instant now);
  /// Also when a path has come or gone, and `at_once` when it is known to share a bottleneck.
  void choose_paths_for_bulk(Instant now, bool at_once = false);
  /// Queues one more copy of a retained packet on `path`, ahead of new ones. False when it is full.
  bool queue_copy(Instant now, Path& path, RetainedRef ref, Retained& entry);

  Instant next_wake(Instant now) const { return ingress_.next_wake(now); }
  /// Packets wait here for a path.
  bool backlog() const { return ingress_.packets() > 0 || staged_total_ > 0; }
  /// Before the first packet: its data and flow sequences are these.
  void begin_at(std::uint64_t first) {
    next_sequence_.fill(DataSeq{first});
    for (std::uint32_t& next : next_flow_sequence_) next = static_cast<std::uint32_t>(first);
  }
  /// The next one to be given; everything smaller is on a path.
  DataSeq next_sequence(ClassId class_id) const { return next_sequence_[index(class_id)]; }
  const IngressQueue& ingress() const { return ingress_; }
  IngressQueue& ingress() { return ingress_; }
  std::uint64_t accepted_packets() const { return accepted_packets_; }
  std::uint64_t accepted_bytes() const { return accepted_bytes_; }
  std::uint64_t duplicated() const { return duplicated_; }

 private:
  static constexpr std::size_t stage_max = 32;
  struct Stage {  // packets of one class that left the ingress queue and wait for the scheduler
    std::array<Packet, stage_max> packets{};
    std::size_t size = 0;
  };

  bool waits_for_delays(Instant now, ClassId class_id) const;
  void bind_class(Instant now, ClassId class_id);
  std::size_t collect_views(Instant now, ClassId class_id, const Packet& packet);
  Rank rank_of(const Packet& packet) const;
  std::int64_t waiting_bytes(ClassId class_id) const;
  bool prefers(const ClassConfig& config, const Path& path) const;
  void explain_missing(ClassId class_id, std::size_t bound, bool held);
  Duration round_trip_of_flows() const;
  void explain_wait_for_delays(ClassId class_id);
  std::pair<std::int64_t, std::int64_t> worth_of(const Path& path) const;
  const Path* nearer_of_bottleneck(const Path& path) const;
  void explain_hold(ClassId class_id, Reason reason);
  std::size_t fill_stage(Instant now, ClassId class_id, std::size_t want);
  std::size_t bind_staged(Instant now, ClassId class_id, std::size_t count);
  void bind_packet(Instant now, Packet packet, PathMask chosen, PathMask copies);
  PathMask with_duplicate(Instant now, ClassId class_id, PathMask rows) const;
  PathMask copies_that_measure(PathMask chosen);
  bool in_doubt(Instant now, const Path& chosen, const PathView& second,
                const ClassConfig& config) const;

  const TunnelConfig& config_;
  Observer& observer_;
  PathSet& paths_;
  Retention& retention_;
  SourceSink& sink_;
  const SharedBottlenecks& bottlenecks_;
  BulkChoice bulk_choice_;
  IngressQueue ingress_;
  std::unique_ptr<Scheduler> scheduler_;
  Rng rng_;
  std::vector<Stage> stages_;  // per class
  std::size_t staged_total_ = 0;
  std::array<PathView, paths_max> views_{};
  std::size_t view_count_ = 0;
  std::array<DataSeq, classes_max> next_sequence_{};
  std::vector<std::uint32_t> next_flow_sequence_;  // classes x flow_buckets
  Bytes realtime_bytes_{};                         // bound in this measuring interval
  BitRate realtime_rate_{};
  static constexpr Duration delays_known_after = 300ms;
  Instant opened_{};  // the first path was added
  std::uint64_t accepted_packets_ = 0, accepted_bytes_ = 0, duplicated_ = 0;
};

}  // namespace sennit
