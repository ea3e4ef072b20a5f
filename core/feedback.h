// What a tunnel says about itself to its peer: REPORTs of what arrived, PINGs that keep silent
// paths measured, PATH_STATUS, and TAILs that let the receiver prove losses while a path has
// nothing to send. All of it is small, neither paced nor limited, and acknowledges nothing but
// data.
#pragma once

#include <cstdint>

#include "core/binder.h"
#include "core/config.h"
#include "core/path_set.h"
#include "core/sender.h"

namespace sennit {

class Feedback {
 public:
  Feedback(const TunnelConfig& config, PathSet& paths, Sender& sender, const Binder& binder)
      : config_(config), paths_(paths), sender_(sender), binder_(binder) {}

  void ping(Instant now, Path& path);
  void pong(Path& path, std::uint64_t token);
  /// Tells on every path which paths may carry data from now on.
  void announce_paths();
  /// Reports, PINGs and TAILs that are due.
  void handle_timeout(Instant now);

  Instant report_due() const;
  Instant probe_due() const;

 private:
  void send_reports(Instant now);
  Packet make_report_datagram(Instant now, std::uint32_t& reported);
  void append_path_status(Packet& packet, bool another_frame_follows) const;
  void send_tails(Instant now, Path& path);
  Instant ping_due(const Path& path) const;
  Instant tail_due(const Path& path) const;
  /// Least time between what is only said to be safe: none on a path that costs no more than
  /// others.
  Duration pause_on(const Path& path) const;
  bool owes_tail(const Path& path, ClassId class_id) const;

  const TunnelConfig& config_;
  PathSet& paths_;
  Sender& sender_;
  const Binder& binder_;
};

}  // namespace sennit
