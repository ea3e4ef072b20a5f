#include "core/fec/fec_decoder.h"

#include <algorithm>

#include "core/assert.h"

namespace sennit {

FecDecoder::FecDecoder(std::size_t history) : ring_(history), blocks_(ring_), sliding_(ring_) {
  SENNIT_ASSERT(history >= 256);
}

void FecDecoder::handle_source(DataSeq sequence, std::uint32_t flow_field,
                               std::span<const std::byte> packet) {
  if (packet.empty() || packet.size() > packet_max) return;
  latest_ = sequence;
  if (!ring_.store(sequence, flow_field, packet)) return;
  if (blocks_.handle_source(sequence) == RepairUse::useless) ++stats_.useless;
  if (sliding_.handle_source(sequence) == RepairUse::useless) ++stats_.useless;
}

RepairUse FecDecoder::handle_repair(const FecRepair& repair) {
  if (!plausible(repair)) return count(RepairUse::useless);
  return count(repair.code == FecCode::sliding_rlc ? sliding_.handle_repair(repair)
                                                   : blocks_.handle_repair(repair));
}

bool FecDecoder::poll_recovered(FecRecovered& out) {
  const std::optional<FecRecovered> recovered = ring_.poll_recovered();
  if (!recovered) return false;
  out = *recovered;
  ++stats_.recovered;
  return true;
}

/// Every field within its bounds, and the window near to what arrived.
bool FecDecoder::plausible(const FecRepair& repair) const {
  if (repair.window < 1 || repair.window > fec_source_max) return false;
  if (repair.coded.size() <= symbol_header || repair.coded.size() > symbol_max) return false;
  if (latest_) {
    const auto [lower, upper] = std::minmax(repair.base, *latest_);
    if (upper.value - lower.value >= ring_.capacity()) return false;
  }
  switch (repair.code) {
    case FecCode::parity:
      return repair.repairs <= repair.window && repair.row < repair.repairs &&
             repair.repairs <= fec_repair_max;
    case FecCode::reed_solomon:
      return repair.row < repair.repairs && repair.repairs <= fec_repair_max;
    case FecCode::sliding_rlc:
      return repair.row < fec_rows_max;
    case FecCode::none:
      break;
  }
  return false;
}

RepairUse FecDecoder::count(RepairUse use) {
  if (use == RepairUse::redundant) ++stats_.redundant;
  if (use == RepairUse::useless) ++stats_.useless;
  return use;
}

}  // namespace sennit
