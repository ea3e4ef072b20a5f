#include "core/fec_sender.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/fec/redundancy.h"

namespace sennit {
namespace {

constexpr std::uint64_t observations_max = 2000;  // what the smoothed loss remembers, and more

std::uint32_t flow_field(const PacketInfo& info) {
  return static_cast<std::uint32_t>(info.flow_hash % flow_buckets) << wire::flow_sequence_bits |
         (info.flow_sequence & ((1u << wire::flow_sequence_bits) - 1));
}

}  // namespace

FecSender::FecSender(const TunnelConfig& config, PathSet& paths, PacketPool& pool)
    : paths_(paths), pool_(pool) {
  for (std::size_t i = 0; i < config.classes.size(); ++i) {
    const FecConfig& fec = config.classes[i].fec;
    if (fec.code == FecCode::none) continue;
    protected_.push_back({ClassId{static_cast<std::uint8_t>(i)},
                          fec,
                          config.classes[i].hold_max,
                          std::make_unique<FecEncoder>(fec),
                          {}});
    position_[i] = static_cast<std::uint8_t>(protected_.size());
  }
}

void FecSender::on_bound(Instant now, const Packet& packet, PathMask paths) {
  const PacketInfo& info = packet.info();
  const std::uint8_t position = position_[index(info.class_id)];
  if (position == 0) return;
  Protected& entry = protected_[position - 1u];
  for (PathMask rest = paths; rest != 0; rest &= rest - 1) {
    ++entry.sources_on[static_cast<std::size_t>(std::countr_zero(rest))];
  }
  entry.encoder->add(now, info.sequence, flow_field(info), packet.bytes());
  drain(now, entry);
}

void FecSender::handle_timeout(Instant now) {
  for (Protected& entry : protected_) {
    entry.encoder->handle_timeout(now);
    drain(now, entry);
  }
}

Instant FecSender::next_wake() const {
  Instant wake = never;
  for (const Protected& entry : protected_) wake = std::min(wake, entry.encoder->next_wake());
  return wake;
}

void FecSender::drain(Instant now, Protected& entry) {
  FecRepair repair;
  bool any = false;
  while (entry.encoder->poll_repair(repair)) {
    queue_symbol(now, entry, repair);
    any = true;
  }
  if (any) entry.sources_on.fill(0);
}

void FecSender::queue_symbol(Instant now, Protected& entry, const FecRepair& repair) {
  Path* path = path_for(now, entry, repair.coded.size());
  if (path == nullptr) return;
  Packet symbol = pool_.allocate();
  if (!symbol) return;
  const auto bytes = symbol.append(wire::timestamp_size + wire::kind_size +
                                   wire::repair_fields_size + repair.coded.size());
  bytes[wire::timestamp_size] = wire::frame_kind(wire::FrameKind::repair, entry.class_id, false);
  const auto fields = bytes.subspan(wire::timestamp_size + wire::kind_size);
  wire::write_repair_fields(fields, {static_cast<std::uint8_t>(repair.code),
                                     static_cast<std::uint32_t>(repair.base.value), repair.window,
                                     repair.row, repair.repairs});
  std::memcpy(fields.data() + wire::repair_fields_size, repair.coded.data(), repair.coded.size());
  symbol.info().class_id = entry.class_id;
  symbol.info().since = now;
  path->queued_at(Rank::ahead) += queued_size(symbol.size());
  path->symbols.push_back(std::move(symbol));
  ++sent_;
}

// A repair that shares the fate of its sources repairs nothing: away from the path that carries
// most of them, to where it arrives first; unless it would wait there for longer than the receiver
// waits for it, as on a slow path beside a fast one.
Path* FecSender::path_for(Instant now, const Protected& entry, std::size_t size) {
  const auto most = std::max_element(entry.sources_on.begin(), entry.sources_on.end());
  const auto busiest = static_cast<std::uint32_t>(most - entry.sources_on.begin());
  Path* fastest = paths_.fastest(now, size);
  Path* other = paths_.fastest(now, size, 1u << busiest);
  if (other == nullptr) return fastest;
  const Duration later = other->arrival_delay(now, size) - fastest->arrival_delay(now, size);
  return later > entry.hold_max ? fastest : other;
}

void FecSender::on_loss_measured() {
  if (protected_.empty()) return;
  double weight = 0, loss = 0, burst = 0;
  std::uint64_t observations = 0;
  for (const Path* path : paths_.all()) {
    if (!path->up()) continue;
    // Loss with a queue of our own making is congestion: more traffic would make it worse.
    const bool congested =
        path->forward.standing_queue(path->flight.srtt() / 2) > 2 * path->rate.queue_target();
    const double rate = path->rate.bandwidth().mbps();
    weight += rate;
    burst += rate * path->flight.mean_burst();
    if (!congested) loss += rate * path->flight.loss();
    observations += std::min(path->flight.decided_total(), observations_max);
  }
  if (weight <= 0) return;
  const LossEstimate estimate{loss / weight, observations, std::max(1.0, burst / weight)};
  for (Protected& entry : protected_) {
    if (!entry.config.adaptive) continue;
    entry.encoder->set_repair(choose_repair(entry.config.source, estimate,
                                            entry.config.residual_loss, entry.config.overhead_max));
  }
}

}  // namespace sennit
