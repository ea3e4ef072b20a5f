// What the codes cost per block of 1,400-byte packets, beside the bare kernel on the same shapes.
// One block per iteration; items are source packets.
#include <benchmark/benchmark.h>
#include <isa-l.h>

#include <array>
#include <vector>

#include "core/fec/block_code.h"
#include "core/fec/fec_decoder.h"
#include "core/fec/fec_encoder.h"
#include "core/fec/symbol.h"

namespace sennit {
namespace {

constexpr std::size_t packet_size = 1400;

/// Rows of pseudo-random packets.
SymbolRows filled_rows(std::size_t rows) {
  SymbolRows result(rows);
  std::vector<std::byte> packet(packet_size - symbol_header);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t b = 0; b < packet.size(); ++b) packet[b] = std::byte((i * 131 + b * 7) & 255);
    result.put(i, 0, packet);
  }
  return result;
}

template <std::size_t N>
std::array<std::uint8_t*, N> pointers(SymbolRows& rows, std::size_t count) {
  std::array<std::uint8_t*, N> result{};
  for (std::size_t i = 0; i < count; ++i) result[i] = rows.row(i);
  return result;
}

BlockShape shape_of(const benchmark::State& state) {
  return {static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1))};
}
void count_items(benchmark::State& state, std::size_t sources) {
  const std::int64_t items = state.iterations() * static_cast<std::int64_t>(sources);
  state.SetItemsProcessed(items);
  state.SetBytesProcessed(items * static_cast<std::int64_t>(packet_size));
}

void bare_ec_encode_data(benchmark::State& state) {
  const BlockShape shape = shape_of(state);
  const auto k = static_cast<int>(shape.sources), r = static_cast<int>(shape.repairs);
  SymbolRows sources = filled_rows(shape.sources), repairs(shape.repairs);
  auto in = pointers<fec_source_max>(sources, shape.sources);
  auto out = pointers<fec_repair_max>(repairs, shape.repairs);
  std::vector<std::uint8_t> matrix((shape.sources + shape.repairs) * shape.sources);
  std::vector<std::uint8_t> tables(shape.sources * shape.repairs * 32);
  gf_gen_cauchy1_matrix(matrix.data(), k + r, k);
  ec_init_tables(k, r, matrix.data() + k * k, tables.data());
  for (auto _ : state) {
    ec_encode_data(packet_size, k, r, tables.data(), in.data(), out.data());
    benchmark::ClobberMemory();
  }
  count_items(state, shape.sources);
}

template <FecCode code>
void block_encode(benchmark::State& state) {
  const BlockShape shape = shape_of(state);
  SymbolRows sources = filled_rows(shape.sources), repairs(shape.repairs);
  const auto in = pointers<fec_source_max>(sources, shape.sources);
  const auto out = pointers<fec_repair_max>(repairs, shape.repairs);
  BlockEncoder encoder(shape.sources);
  for (auto _ : state) {
    encoder.encode(code, shape, packet_size, in.data(), out.data());
    benchmark::ClobberMemory();
  }
  count_items(state, shape.sources);
}

/// With the copies in and out: what a tunnel pays.
template <FecCode code>
void encoder_add_and_poll(benchmark::State& state) {
  const BlockShape shape = shape_of(state);
  FecEncoder encoder({.code = code,
                      .source = static_cast<std::uint8_t>(shape.sources),
                      .repair = static_cast<std::uint8_t>(shape.repairs)});
  const std::vector<std::byte> packet(packet_size - symbol_header, std::byte{0x5a});
  DataSeq sequence{};
  FecRepair repair;
  for (auto _ : state) {
    for (std::size_t i = 0; i < shape.sources; ++i, sequence = sequence.next()) {
      encoder.add(Instant{}, sequence, 0, packet);
      while (encoder.poll_repair(repair)) benchmark::DoNotOptimize(repair);
    }
  }
  count_items(state, shape.sources);
}

void reconstruct_lost(benchmark::State& state) {
  const BlockShape shape = shape_of(state);
  SymbolRows sources = filled_rows(shape.sources), repairs(shape.repairs);
  const auto in = pointers<fec_source_max>(sources, shape.sources);
  const auto out = pointers<fec_repair_max>(repairs, shape.repairs);
  BlockEncoder(shape.sources)
      .encode(FecCode::reed_solomon, shape, packet_size, in.data(), out.data());
  const SourceMask lost = (SourceMask{1} << shape.repairs) - 1;
  const SourceMask known = all_sources(shape.sources) & ~lost;
  const auto received = static_cast<RepairMask>(lost);
  BlockReconstructor reconstructor;
  for (auto _ : state) {
    reconstructor.reconstruct(FecCode::reed_solomon, shape, packet_size, known, lost, in.data(),
                              received, out.data());
    benchmark::ClobberMemory();
  }
  count_items(state, shape.sources);
}

/// Both ends at 5 % loss, every packet copied into the decoder's history.
template <FecCode code>
void encode_lose_decode(benchmark::State& state) {
  const BlockShape shape = shape_of(state);
  FecEncoder encoder({.code = code,
                      .source = static_cast<std::uint8_t>(shape.sources),
                      .repair = static_cast<std::uint8_t>(shape.repairs)});
  FecDecoder decoder;
  const std::vector<std::byte> packet(packet_size - symbol_header, std::byte{0x5a});
  DataSeq sequence{};
  FecRepair repair;
  FecRecovered recovered;
  for (auto _ : state) {
    for (std::size_t i = 0; i < shape.sources; ++i, sequence = sequence.next()) {
      encoder.add(Instant{}, sequence, 0, packet);
      if (sequence.value * 0x9e3779b97f4a7c15 >> 32 > 0x0cccccccu) {
        decoder.handle_source(sequence, 0, packet);
      }
      while (encoder.poll_repair(repair)) decoder.handle_repair(repair);
      while (decoder.poll_recovered(recovered)) benchmark::DoNotOptimize(recovered);
    }
  }
  count_items(state, shape.sources);
}

BENCHMARK(bare_ec_encode_data)->Args({10, 2})->Args({15, 4});
BENCHMARK(block_encode<FecCode::reed_solomon>)->Args({10, 2})->Args({15, 4});
BENCHMARK(block_encode<FecCode::parity>)->Args({10, 2})->Args({15, 4});
BENCHMARK(reconstruct_lost)->Args({10, 2})->Args({15, 4});
BENCHMARK(encoder_add_and_poll<FecCode::reed_solomon>)->Args({10, 2})->Args({15, 4});
BENCHMARK(encoder_add_and_poll<FecCode::parity>)->Args({10, 2});
BENCHMARK(encoder_add_and_poll<FecCode::sliding_rlc>)->Args({10, 2})->Args({40, 8});
BENCHMARK(encode_lose_decode<FecCode::reed_solomon>)->Args({10, 2});
BENCHMARK(encode_lose_decode<FecCode::sliding_rlc>)->Args({40, 8});

}  // namespace
}  // namespace sennit
