// Forward error correction of one traffic class, receiving side: sources and repairs go in as they
// arrive, in any order; lost sources come out as soon as enough is known. Which code the peer uses
// is said by each repair, so nothing is configured here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/fec/block_decoder.h"
#include "core/fec/sliding_rlc.h"
#include "core/fec/symbol.h"
#include "core/fec/symbol_ring.h"
#include "core/units.h"

namespace sennit {

/// Counters only rise.
struct FecDecoderStats {
  std::uint64_t recovered = 0;  // symbols that were polled
  std::uint64_t redundant = 0;  // repairs that came for nothing: expected
  std::uint64_t useless = 0;    // repairs that contradict themselves or the sources
};

/// No allocation after construction, whatever the peer sends. Takes about 2.1 KiB per symbol of
/// history.
class FecDecoder {
 public:
  /// `history`: how many of the most recent sequences are remembered, a power of two, at least 256.
  /// It must span the difference in delay of the paths.
  explicit FecDecoder(std::size_t history = 1024);
  FecDecoder(const FecDecoder&) = delete;
  FecDecoder& operator=(const FecDecoder&) = delete;

  /// A source that arrived, copied. One that is known or too old is ignored.
  void handle_source(DataSeq sequence, std::uint32_t flow_field, std::span<const std::byte> packet);
  /// A repair that arrived, its base expanded to 64 bits. Any values are harmless.
  RepairUse handle_repair(const FecRepair& repair);
  /// A lost source, each at most once and none that arrived before; false when there is none.
  /// `out.packet` is valid until the next handle_.
  [[nodiscard]] bool poll_recovered(FecRecovered& out);

  const FecDecoderStats& stats() const { return stats_; }

 private:
  bool plausible(const FecRepair& repair) const;
  RepairUse count(RepairUse use);

  SymbolRing ring_;
  BlockDecoder blocks_;
  SlidingDecoder sliding_;
  std::optional<DataSeq> latest_;  // the source that arrived last
  FecDecoderStats stats_;
};

}  // namespace sennit
