// Forward error correction on the way out: feeds bound packets to their class's encoder, sets its
// redundancy from the loss of the lines, and puts each repair symbol on the path that carries the
// fewest of the packets that it protects, so that what takes them does not take it too.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/binder.h"
#include "core/config.h"
#include "core/fec/fec_encoder.h"
#include "core/fec/redundancy.h"
#include "core/path_set.h"
#include "core/sender.h"

namespace sennit {

class FecSender final : public SourceSink {
 public:
  FecSender(const TunnelConfig& config, PathSet& paths, PacketPool& pool);

  void on_bound(Instant now, const Packet& packet, PathMask paths) override;
  bool wants_copies(ClassId class_id) const override;
  void handle_timeout(Instant now);
  /// To be called every measuring_interval: chooses the redundancy of each adaptive class anew.
  /// `waiting`: what has come in and was not bound yet.
  void on_loss_measured(const IngressQueue& waiting);

  Instant next_wake() const;
  std::uint64_t sent() const { return sent_; }

 private:
  struct Protected {
    ClassId class_id;
    FecConfig config;
    Duration hold_max;
    std::unique_ptr<FecEncoder> encoder;
    std::array<PathMask, fec_source_max> carried_by{};  // of source s at s % fec_source_max
    Bytes bound{};                                      // in this measuring interval
    BitRate rate{};
    bool copies = false;
  };
  void drain(Instant now, Protected& entry);
  void queue_symbol(Instant now, const Protected& entry, const FecRepair& repair);
  Path* path_for(Instant now, const Protected& entry, const FecRepair& repair);
  LossEstimate estimate_for(const Protected& entry) const;
  void choose_redundancy(Protected& entry, bool copies_affordable) const;

  PathSet& paths_;
  PacketPool& pool_;
  std::vector<Protected> protected_;
  std::array<std::uint8_t, classes_max> position_{};  // class -> index in protected_ + 1; 0 = none
  std::uint64_t sent_ = 0;
};

}  // namespace sennit
