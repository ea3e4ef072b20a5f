// Forward error correction of one traffic class, sending side: sources go in as they are sent, and
// repairs come out to be sent as well. The caller decides on which paths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/config.h"
#include "core/fec/block_code.h"
#include "core/fec/sliding_rlc.h"
#include "core/fec/symbol.h"
#include "core/units.h"

namespace sennit {

/// Repairs that wait to be sent. A bounded queue: when nobody sends them, the oldest are worth the
/// least and go first. Allocates in its constructor only.
class RepairQueue {
 public:
  explicit RepairQueue(std::size_t capacity) : rows_(capacity), repairs_(capacity) {}

  /// Room for the coded bytes of `repair`; the caller writes all padded(size) bytes.
  std::uint8_t* push(const FecRepair& repair, std::size_t size);
  /// False when empty. `out.coded` is valid until the next push.
  bool pop(FecRepair& out);
  std::uint64_t overflowed() const { return overflowed_; }

 private:
  SymbolRows rows_;
  std::vector<FecRepair> repairs_;
  std::size_t first_ = 0, count_ = 0;
  std::uint64_t overflowed_ = 0;
};

/// Verbs as in core/tunnel.h: call add() and handle_timeout() with a `now` that never runs
/// backwards, then poll_repair() until it has nothing more, then sleep until next_wake().
/// No allocation after construction.
class FecEncoder {
 public:
  /// `config` within its bounds (1 <= source <= fec_source_max). FecCode::none makes an encoder
  /// that never has a repair.
  explicit FecEncoder(const FecConfig& config);

  /// Repairs per `source` sources, 0..fec_repair_max, from the next block on (from the next source
  /// on for sliding_rlc). 0 stops all work.
  void set_repair(std::size_t repair);
  std::size_t repair() const { return repair_; }

  /// A source that is being sent: 1..packet_max bytes, copied. Sequences of consecutive calls are
  /// consecutive; a jump closes the block.
  void add(Instant now, DataSeq sequence, std::uint32_t flow_field,
           std::span<const std::byte> packet);
  /// Closes the block when no source came for FecConfig::flush_after.
  void handle_timeout(Instant now);
  /// The next repair to send; false when there is none. A block has min(repair, its sources) of
  /// them. `out.coded` is valid until the next add() or handle_timeout().
  [[nodiscard]] bool poll_repair(FecRepair& out) { return ready_.pop(out); }
  Instant next_wake() const;

  /// Repairs that were dropped because nobody polled them.
  std::uint64_t overflowed() const { return ready_.overflowed(); }

 private:
  bool is_block_code() const {
    return config_.code == FecCode::parity || config_.code == FecCode::reed_solomon;
  }
  void add_to_block(DataSeq sequence, std::uint32_t flow_field, std::span<const std::byte> packet);
  void close_block();
  void add_to_window(DataSeq sequence, std::uint32_t flow_field, std::span<const std::byte> packet);
  void emit_from_window();

  FecConfig config_;
  std::size_t repair_;
  Instant last_add_{};
  RepairQueue ready_;

  SymbolRows block_;  // the sources of the open block
  BlockEncoder block_code_;
  DataSeq block_base_{};
  std::size_t block_filled_ = 0, block_repair_ = 0;

  SlidingEncoder window_;
  // Every source earns `repair`, every repair costs `source`: exactly the configured share, and
  // evenly spread.
  std::int64_t credit_ = 0;
  bool window_uncovered_ = false;  // a source came after the last repair
};

}  // namespace sennit
