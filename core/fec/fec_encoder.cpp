#include "core/fec/fec_encoder.h"

#include <algorithm>
#include <array>

#include "core/assert.h"

namespace sennit {

std::uint8_t* RepairQueue::push(const FecRepair& repair, std::size_t size) {
  if (count_ == repairs_.size()) {
    first_ = (first_ + 1) % repairs_.size();
    --count_;
    ++overflowed_;
  }
  const std::size_t at = (first_ + count_++) % repairs_.size();
  repairs_[at] = repair;
  return rows_.open(at, size);
}

bool RepairQueue::pop(FecRepair& out) {
  if (count_ == 0) return false;
  out = repairs_[first_];
  out.coded = rows_.bytes(first_);
  first_ = (first_ + 1) % repairs_.size();
  --count_;
  return true;
}

namespace {

// A sender that is held up for the time of one block loses nothing.
constexpr std::size_t ready_max = 2 * fec_repair_max;

}  // namespace

FecEncoder::FecEncoder(const FecConfig& config)
    : config_(config),
      repair_(config.repair),
      ready_(config.code == FecCode::none ? 0 : ready_max),
      block_(is_block_code() ? config.source : 0),
      block_code_(is_block_code() ? config.source : 0),
      window_(config.code == FecCode::sliding_rlc ? config.source : 0) {
  SENNIT_ASSERT(config.source >= 1 && config.source <= fec_source_max);
  SENNIT_ASSERT(repair_ <= fec_repair_max);
}

void FecEncoder::set_repair(std::size_t repair) {
  SENNIT_ASSERT(repair <= fec_repair_max);
  repair_ = repair;
}

void FecEncoder::add(Instant now, DataSeq sequence, std::uint32_t flow_field,
                     std::span<const std::byte> packet) {
  SENNIT_ASSERT(!packet.empty() && packet.size() <= packet_max);
  last_add_ = now;
  if (is_block_code()) add_to_block(sequence, flow_field, packet);
  if (config_.code == FecCode::sliding_rlc) add_to_window(sequence, flow_field, packet);
}

void FecEncoder::handle_timeout(Instant now) {
  if (now < next_wake()) return;
  is_block_code() ? close_block() : emit_from_window();
}

Instant FecEncoder::next_wake() const {
  // A window in debt does not flush: the packets of a slow flow would each bring a repair.
  const bool waiting = block_filled_ > 0 || (window_uncovered_ && credit_ >= 0);
  return waiting ? last_add_ + config_.flush_after : never;
}

void FecEncoder::add_to_block(DataSeq sequence, std::uint32_t flow_field,
                              std::span<const std::byte> packet) {
  if (block_filled_ > 0 && sequence != block_base_.plus(block_filled_)) close_block();
  if (block_filled_ == 0) {
    if (repair_ == 0) return;
    block_base_ = sequence;
    block_repair_ = repair_;
  }
  block_.put(block_filled_++, flow_field, packet);
  if (block_filled_ == block_.rows()) close_block();
}

void FecEncoder::close_block() {
  // More repairs than sources buy nothing: each could as well be a copy.
  const BlockShape shape{block_filled_, std::min(block_repair_, block_filled_)};
  std::size_t size = 0;
  std::array<const std::uint8_t*, fec_source_max> sources;
  std::array<std::uint8_t*, fec_repair_max> repairs;
  for (std::size_t i = 0; i < shape.sources; ++i) {
    sources[i] = block_.row(i);
    size = std::max(size, block_.size(i));
  }
  for (std::size_t j = 0; j < shape.repairs; ++j) {
    repairs[j] = ready_.push({.code = config_.code,
                              .base = block_base_,
                              .window = static_cast<std::uint8_t>(shape.sources),
                              .row = static_cast<std::uint8_t>(j),
                              .repairs = static_cast<std::uint8_t>(shape.repairs)},
                             size);
  }
  block_code_.encode(config_.code, shape, padded(size), sources.data(), repairs.data());
  block_filled_ = 0;
}

void FecEncoder::add_to_window(DataSeq sequence, std::uint32_t flow_field,
                               std::span<const std::byte> packet) {
  if (repair_ == 0) {
    window_.clear();
    window_uncovered_ = false;
    credit_ = 0;
    return;
  }
  window_.add(sequence, flow_field, packet);
  window_uncovered_ = true;
  credit_ += static_cast<std::int64_t>(repair_);
  while (credit_ >= config_.source) emit_from_window();
}

void FecEncoder::emit_from_window() {
  window_.encode(ready_.push(window_.next_repair(), window_.coded_size()));
  credit_ -= config_.source;
  window_uncovered_ = false;
}

}  // namespace sennit
