#include "core/fec_sender.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sennit {
namespace {

// Copies double a class: both must fit into what the paths are known to carry together.
constexpr double copied_share_max = 0.5;

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
    protected_.push_back({ClassId{static_cast<std::uint8_t>(i)}, fec, config.classes[i].hold_max,
                          std::make_unique<FecEncoder>(fec)});
    position_[i] = static_cast<std::uint8_t>(protected_.size());
  }
}

void FecSender::on_bound(Instant now, const Packet& packet, PathMask paths) {
  const PacketInfo& info = packet.info();
  const std::uint8_t position = position_[index(info.class_id)];
  if (position == 0) return;
  Protected& entry = protected_[position - 1u];
  entry.carried_by[info.sequence.value % fec_source_max] = paths;
  entry.bound += bytes_of(packet.size());
  entry.encoder->add(now, info.sequence, flow_field(info), packet.bytes());
  drain(now, entry);
}

bool FecSender::wants_copies(ClassId class_id) const {
  const std::uint8_t position = position_[index(class_id)];
  return position != 0 && protected_[position - 1u].copies;
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
  for (FecRepair repair; entry.encoder->poll_repair(repair);) queue_symbol(now, entry, repair);
}

void FecSender::queue_symbol(Instant now, const Protected& entry, const FecRepair& repair) {
  Path* path = path_for(now, entry, repair);
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

// A repair that shares the fate of its sources repairs nothing: it goes to the path that carries
// the fewest of them, of equals to the one where it arrives first; unless it would come so much
// later than on the fastest path that the receiver has given up by then.
Path* FecSender::path_for(Instant now, const Protected& entry, const FecRepair& repair) {
  std::array<std::uint32_t, paths_max> sources_on{};
  for (std::size_t i = 0; i < repair.window; ++i) {
    PathMask rest = entry.carried_by[(repair.base.value + i) % fec_source_max];
    for (; rest != 0; rest &= rest - 1)
      ++sources_on[static_cast<std::size_t>(std::countr_zero(rest))];
  }
  const std::size_t size = repair.coded.size();
  Path* best = paths_.fastest(now, size);
  if (best == nullptr) return nullptr;
  const Duration deadline = best->arrival_delay(now, size) + entry.hold_max;
  const auto rank = [&](const Path& path) {
    return std::pair{sources_on[index(path.id)], path.arrival_delay(now, size)};
  };
  for (Path* path : paths_.all()) {
    if (!path->usable() || path->arrival_delay(now, size) > deadline) continue;
    if (rank(*path) < rank(*best)) best = path;
  }
  return best;
}

// Each path counts by how many of the last sources it carried.
LossEstimate FecSender::estimate_for(const Protected& entry) const {
  LossEstimate estimate{.loss = 0, .observations = 0, .burst = 0};
  double sources = 0;
  for (const Path* path : paths_.all()) {
    const auto is_here = [&](PathMask mask) { return (mask >> index(path->id) & 1) != 0; };
    const auto here = static_cast<double>(
        std::count_if(entry.carried_by.begin(), entry.carried_by.end(), is_here));
    if (here == 0 || !path->up()) continue;
    sources += here;
    estimate.loss += here * path->line_loss.share();
    estimate.burst += here * path->flight.mean_burst();
    estimate.observations += path->line_loss.observations();
  }
  if (sources == 0) return {};
  estimate.loss /= sources;
  estimate.burst = std::max(1.0, estimate.burst / sources);
  return estimate;
}

void FecSender::on_loss_measured(const IngressQueue& waiting) {
  if (protected_.empty()) return;
  BitRate all_paths;
  int usable = 0;
  for (const Path* path : paths_.all()) {
    if (!path->usable()) continue;
    all_paths = all_paths + path->rate.bandwidth();
    ++usable;
  }
  for (Protected& entry : protected_) {
    // What waits counts: where copies fill the paths, half of what comes in is bound and looks
    // affordable.
    const Bytes offered = entry.bound + waiting.bytes(entry.class_id);
    entry.rate = entry.rate.scaled_by(0.75) +
                 BitRate::from(offered, Binder::measuring_interval).scaled_by(0.25);
    entry.bound = {};
    const bool affordable = usable > 1 && entry.rate.mbps() <= copied_share_max * all_paths.mbps();
    if (entry.config.adaptive) choose_redundancy(entry, affordable);
  }
}

void FecSender::choose_redundancy(Protected& entry, bool copies_affordable) const {
  const FecConfig& fec = entry.config;
  const LossEstimate loss = estimate_for(entry);
  entry.copies = copies_affordable &&
                 duplicating_is_better(fec.source, loss, fec.residual_loss, fec.overhead_max);
  entry.encoder->set_repair(
      entry.copies ? 0 : choose_repair(fec.source, loss, fec.residual_loss, fec.overhead_max));
}

}  // namespace sennit
