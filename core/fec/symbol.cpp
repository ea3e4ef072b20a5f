#include "core/fec/symbol.h"

#include <cstring>

#include "core/assert.h"

namespace sennit {

void SymbolRows::resize(std::size_t i, std::size_t size) {
  if (sizes_[i] > size) std::memset(row(i) + size, 0, sizes_[i] - size);
  sizes_[i] = static_cast<std::uint16_t>(size);
}

void SymbolRows::put(std::size_t i, std::uint32_t flow_field, std::span<const std::byte> packet) {
  SENNIT_ASSERT(packet.size() <= packet_max);
  resize(i, symbol_header + packet.size());
  std::uint8_t* out = row(i);
  out[0] = static_cast<std::uint8_t>(packet.size() >> 8);
  out[1] = static_cast<std::uint8_t>(packet.size());
  out[2] = static_cast<std::uint8_t>(flow_field >> 24);
  out[3] = static_cast<std::uint8_t>(flow_field >> 16);
  out[4] = static_cast<std::uint8_t>(flow_field >> 8);
  out[5] = static_cast<std::uint8_t>(flow_field);
  if (!packet.empty()) std::memcpy(out + symbol_header, packet.data(), packet.size());
}

void SymbolRows::assign(std::size_t i, std::span<const std::byte> symbol) {
  SENNIT_ASSERT(symbol.size() <= symbol_max);
  resize(i, symbol.size());
  if (!symbol.empty()) std::memcpy(row(i), symbol.data(), symbol.size());
}

std::uint8_t* SymbolRows::open(std::size_t i, std::size_t size) {
  SENNIT_ASSERT(size <= symbol_max);
  if (sizes_[i] > padded(size)) resize(i, padded(size));
  sizes_[i] = static_cast<std::uint16_t>(size);
  return row(i);
}

void SymbolRows::truncate(std::size_t i, std::size_t size) {
  SENNIT_ASSERT(size <= sizes_[i]);
  resize(i, size);
}

std::size_t SymbolRows::packet_size(std::size_t i) const {
  const std::uint8_t* in = row(i);
  return std::size_t{in[0]} << 8 | in[1];
}

FecRecovered SymbolRows::packet(std::size_t i, DataSeq sequence) const {
  const std::uint8_t* in = row(i);
  const auto flow_field = std::uint32_t{in[2]} << 24 | std::uint32_t{in[3]} << 16 |
                          std::uint32_t{in[4]} << 8 | std::uint32_t{in[5]};
  return {sequence, flow_field, bytes(i).subspan(symbol_header, packet_size(i))};
}

}  // namespace sennit
