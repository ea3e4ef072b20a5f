// Forward error correction on the way out: feeds bound packets to their class's encoder, sets its
// redundancy from the measured loss, and puts repair symbols on a path that carries few of the
// packets that they protect.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/binder.h"
#include "core/config.h"
#include "core/fec/fec_encoder.h"
#include "core/path_set.h"
#include "core/sender.h"

namespace sennit {

class FecSender final : public SourceSink {
 public:
  FecSender(const TunnelConfig& config, PathSet& paths, PacketPool& pool);

  void on_bound(Instant now, const Packet& packet, PathMask paths) override;
  void handle_timeout(Instant now);
  /// Chooses the number of repairs of each adaptive class anew.
  void on_loss_measured();

  Instant next_wake() const;
  std::uint64_t sent() const { return sent_; }

 private:
  struct Protected {
    ClassId class_id;
    FecConfig config;
    Duration hold_max;
    std::unique_ptr<FecEncoder> encoder;
    std::array<std::uint32_t, paths_max> sources_on{};  // since the last repair
  };
  void drain(Instant now, Protected& entry);
  void queue_symbol(Instant now, Protected& entry, const FecRepair& repair);
  Path* path_for(Instant now, const Protected& entry, std::size_t size);

  PathSet& paths_;
  PacketPool& pool_;
  std::vector<Protected> protected_;
  std::array<std::uint8_t, classes_max> position_{};  // class -> index in protected_ + 1; 0 = none
  std::uint64_t sent_ = 0;
};

}  // namespace sennit
