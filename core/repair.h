// Saves what was lost: copies of retained packets go to other paths, one after the first loss, two
// after the second, then three, so that the extra traffic is about the loss rate p while what
// remains lost is about p^7. One copy is not enough: at 2 % loss p^2 is three losses a second at 90
// Mbit/s, and each costs a CUBIC flow 30 % of its window.
//
// Three things start it: a proven loss, a probe timeout (nothing later will prove a lost tail), and
// a path that falls silent with packets in flight.
#pragma once

#include <cstdint>

#include "core/binder.h"
#include "core/config.h"
#include "core/observer.h"
#include "core/path_set.h"
#include "core/retention.h"

namespace sennit {

class Repair {
 public:
  Repair(const TunnelConfig& config, Observer& observer, PathSet& paths, Retention& retention,
         Binder& binder)
      : config_(config),
        observer_(observer),
        paths_(paths),
        retention_(retention),
        binder_(binder) {}

  /// on_acknowledged() comes soon: calls what it will touch back into the cache.
  void expect(const SentRecord& record) const;
  /// The datagram's fate is known: it arrived.
  void on_acknowledged(const SentRecord& record);
  /// The datagram is lost on `path`.
  void on_lost(Instant now, Path& path, const SentRecord& record);
  /// The last datagrams of `path` are overdue: copies of them go out without calling them lost.
  void on_probe_timeout(Instant now, Path& path);
  /// Datagrams of `path` that are overdue by now get a copy elsewhere.
  void on_overdue(Instant now, Path& path);
  /// The path is silent: everything on it that is still worth it goes elsewhere.
  void on_silent(Instant now, Path& path);
  /// The path is down: what was in flight on it will never be acknowledged.
  void on_down(Path& path);

  std::uint64_t reinjected() const { return reinjected_; }

 private:
  bool worth_saving(Instant now, const Retained& entry) const;
  /// Queues `copies` copies on different paths, away from `lost_on` where that is possible.
  bool better_again(Instant now, const Path& lost_on, const Path& other,
                    const Retained& entry) const;
  void reinject(Instant now, RetainedRef ref, Retained& entry, Path& lost_on, unsigned copies);
  void copy_in_flight(Instant now, Path& path, PathSeq from);
  void copy_datagram(Instant now, Path& path, const SentRecord& record);

  const TunnelConfig& config_;
  Observer& observer_;
  PathSet& paths_;
  Retention& retention_;
  Binder& binder_;
  std::uint64_t reinjected_ = 0;
};

}  // namespace sennit
