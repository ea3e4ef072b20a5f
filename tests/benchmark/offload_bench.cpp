// What splitting and merging cost per packet of 1,400 bytes, and how much of that are checksums.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "real/offload/checksum.h"
#include "real/offload/coalesce.h"
#include "real/offload/frame_reader.h"
#include "real/offload/split.h"
#include "real/offload/testing_frames.h"

namespace sennit::offload {
namespace {

constexpr std::size_t payload = 1348, packets = 46;

testing::Shape shape(std::size_t bytes) {
  testing::Shape s;
  s.payload = bytes;
  return s;
}

void per_packet(benchmark::State& state, std::size_t n) {
  state.counters["ns"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(n) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void checksum(benchmark::State& state) {
  std::vector<std::byte> bytes(1400), copy(1400);
  for (auto _ : state) {
    Sum sum = state.range(0) != 0 ? copy_and_sum(bytes, copy.data()) : sum_of(bytes);
    benchmark::DoNotOptimize(sum);
  }
}

void copy(benchmark::State& state) {
  std::vector<std::byte> bytes(1400), copied(1400);
  for (auto _ : state) {
    std::memcpy(copied.data(), bytes.data(), bytes.size());
    benchmark::DoNotOptimize(copied.data());
  }
}

void split(benchmark::State& state) {
  const auto super = shape(packets * payload);
  const auto frame = frame_of(super, true);
  const VirtioHeader virtio = virtio_of(super, payload);
  PacketPool pool(batch_max);
  std::array<Packet, batch_max> out;
  Splitter splitter(Layer::ip);
  for (auto _ : state) {
    if (!splitter.begin(virtio, frame)) return state.SkipWithError("refused");
    for (std::size_t i = 0; splitter.more(); ++i) out[i] = splitter.next(pool);
    for (Packet& packet : out) Packet discarded = std::move(packet);
  }
  per_packet(state, packets);
}

/// The same, when the kernel has put the payloads into the slots. (Only the headers are put there
/// here; the payloads are what the slots hold.)
void split_in_place(benchmark::State& state) {
  const auto super = shape(packets * payload);
  const auto frame = frame_of(super, true);
  PacketPool pool(2 * batch_max);
  std::array<Packet, batch_max> out;
  FrameReader reader(Layer::ip, true);
  for (auto _ : state) {
    const auto vectors = reader.vectors(pool);
    const VirtioHeader virtio = virtio_of(super, payload);
    std::memcpy(vectors[0].iov_base, &virtio, sizeof virtio);
    std::memcpy(vectors[1].iov_base, frame.data(), header_size(super));
    if (!reader.filled(sizeof virtio + frame.size())) return state.SkipWithError("refused");
    for (std::size_t i = 0; reader.more(); ++i) out[i] = reader.next(pool);
    for (Packet& packet : out) Packet discarded = std::move(packet);
  }
  if (reader.frames_moved() > 1) return state.SkipWithError("moved");
  per_packet(state, packets);
}

/// Headers are changed by merging, so every turn begins with what it had.
void coalesce(benchmark::State& state) {
  testing::Shape s = shape(payload);
  PacketPool pool(batch_max);
  std::vector<Packet> batch;
  std::vector<std::vector<std::byte>> headers;
  for (std::size_t i = 0; i < packets; ++i) {
    const auto frame = frame_of(s);
    batch.push_back(testing::packet_of(pool, frame));
    headers.emplace_back(frame.begin(), frame.begin() + 64);
    s.sequence += payload;
    ++s.id;
  }
  Coalescer coalescer(Layer::ip, {true, true, true});
  for (auto _ : state) {
    std::memcpy(batch[0].bytes().data(), headers[0].data(), headers[0].size());
    coalescer.run(batch);
    if (coalescer.frames() != 1) return state.SkipWithError("not merged");
  }
  per_packet(state, packets);
}

BENCHMARK(copy);
BENCHMARK(checksum)->Arg(0)->Arg(1);
BENCHMARK(split);
BENCHMARK(split_in_place);
BENCHMARK(coalesce);

}  // namespace
}  // namespace sennit::offload

BENCHMARK_MAIN();
