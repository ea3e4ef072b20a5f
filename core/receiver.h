// Inner packets on their way in: duplicates out, FEC decoded, order restored. The tunnel hands over
// frames that are authentic and not replayed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/config.h"
#include "core/fec/fec_decoder.h"
#include "core/observer.h"
#include "core/path_set.h"
#include "core/resequencer.h"
#include "core/sequence_window.h"

namespace sennit {

class Receiver {
 public:
  Receiver(const TunnelConfig& config, Observer& observer, PathSet& paths, PacketPool& pool);

  /// Before the first packet: the peer's data and flow sequences begin here.
  void begin_at(std::uint64_t first) {
    first_ = DataSeq{first};
    resequencer_.begin_at(first);
  }

  /// How a frame came in.
  struct Origin {
    Instant now, arrived;
    Path& path;
    Duration one_way;  // relative, see ClockOffset
    ClassId class_id;
  };
  /// `inner` is the packet that follows `fields`. `in_order`: not marked as overtaken.
  void on_data(const Origin& origin, const wire::DataFields& fields, bool in_order, Packet inner);
  void on_repair(const Origin& origin, const wire::RepairFields& fields,
                 std::span<const std::byte> coded);
  /// The path has sent everything of the class below `next`.
  void on_tail(const Origin& origin, std::uint32_t next);
  bool knows(ClassId class_id) const { return index(class_id) < classes_.size(); }

  /// Ends gaps by proof and deadline.
  void advance(Instant now);
  [[nodiscard]] Packet pop() { return resequencer_.pop(); }
  bool has_ready() const { return resequencer_.has_ready(); }
  Instant next_wake() const { return resequencer_.next_wake(); }
  const Resequencer& resequencer() const { return resequencer_; }
  std::uint64_t recovered() const { return recovered_; }

 private:
  using DuplicateWindow = SequenceWindow<DataSeq, duplicate_window>;
  struct ClassState {
    DuplicateWindow seen;
    std::unique_ptr<FecDecoder> decoder;  // when the class is configured with a code
    Instant newest_at{};                  // arrival of the largest sequence, and smoothed time
    Duration spacing{};                   // between sequences; only with a code
  };

  DataSeq expand(ClassId class_id, std::uint32_t wire) const;
  void accept(const Origin& origin, DataSeq sequence, const wire::DataFields& fields, Packet inner);
  void deliver_recovered(const Origin& origin, FecDecoder& decoder);
  ArrivalHorizon horizon(Instant now, ClassId class_id);
  void measure_spacing(ClassState& state, Instant arrived, DataSeq sequence);
  Duration repair_wait(ClassId class_id) const;
  Duration reinjection_wait(const ClassConfig& config) const;
  Duration code_wait(ClassId class_id) const;

  const TunnelConfig& config_;
  Observer& observer_;
  PathSet& paths_;
  PacketPool& pool_;
  std::vector<ClassState> classes_;
  DataSeq first_{};
  Resequencer resequencer_;
  std::array<ArrivalHorizon, classes_max> horizons_{};
  std::uint64_t recovered_ = 0;
};

}  // namespace sennit
