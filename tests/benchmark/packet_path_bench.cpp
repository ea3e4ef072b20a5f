// What a packet costs from the inner interface of one tunnel to that of the other, beside what the
// cipher alone costs. Both take turns of about a millisecond, so that a slow moment of the machine
// meets both, and time is the processor's, so that waiting for it counts for neither. `ratio` is
// the median over the turns; the goal is 1.35.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <vector>

#include "core/fec/counting_new.h"
#include "tests/benchmark/back_to_back.h"
#include "tests/benchmark/bare_aead.h"

namespace sennit {
namespace {

constexpr int batches_per_turn = 32;
constexpr auto packets_per_turn = static_cast<double>(batches_per_turn * BackToBack::batch);

double processor_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

template <class Work>
double seconds_for(Work work) {
  const double begin = processor_seconds();
  work();
  return processor_seconds() - begin;
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void both_ends(benchmark::State& state) {
  const auto offered = BitRate::from_mbps(static_cast<double>(state.range(2)));
  BackToBack tunnels{static_cast<std::size_t>(state.range(0)), state.range(1) != 0, offered};
  BareAead bare;
  if (!tunnels.warm_up(20s)) return state.SkipWithError("the offered rate was never reached");

  std::vector<double> path_ns, bare_ns, ratios;
  for (auto* values : {&path_ns, &bare_ns, &ratios}) values->reserve(1 << 20);
  const std::uint64_t offered_before = tunnels.offered(), delivered_before = tunnels.delivered();
  std::size_t allocations = 0;
  for (auto _ : state) {
    const std::size_t allocations_before = allocations_so_far();
    const double path = seconds_for([&] {
      for (int i = 0; i < batches_per_turn; ++i) tunnels.run_batch();
    });
    allocations += allocations_so_far() - allocations_before;
    const double cipher = seconds_for([&] {
      for (double i = 0; i < packets_per_turn; ++i) bare.seal_and_open();
    });
    path_ns.push_back(path / packets_per_turn * 1e9);
    bare_ns.push_back(cipher / packets_per_turn * 1e9);
    ratios.push_back(path / cipher);
    state.SetIterationTime(path);
  }
  const auto delivered = static_cast<double>(tunnels.delivered() - delivered_before);
  const auto sent = static_cast<double>(tunnels.offered() - offered_before);
  if (delivered < 0.999 * sent) state.SkipWithError("packets were dropped or held back");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(packets_per_turn));
  state.counters["path_ns"] = median(path_ns);
  state.counters["bare_ns"] = median(bare_ns);
  state.counters["ratio"] = median(ratios);
  state.counters["allocations_per_packet"] = static_cast<double>(allocations) / delivered;
}
BENCHMARK(both_ends)
    ->ArgNames({"paths", "trace", "mbps"})
    ->Args({1, 0, 5000})
    ->Args({1, 1, 5000})
    ->Args({2, 0, 5000})
    ->Args({2, 1, 5000})
    ->Args({1, 0, 1000})
    ->UseManualTime();

}  // namespace
}  // namespace sennit

BENCHMARK_MAIN();
