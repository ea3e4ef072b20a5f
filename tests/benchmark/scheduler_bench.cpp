// What each scheduling policy costs: one call with a batch of 32 full packets, over 2, 4 and 16
// equal paths with room for all of them.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "core/schedulers/sample_paths.h"

namespace sennit {
namespace {

constexpr std::size_t batch = 32;

void assign(benchmark::State& state, std::string_view algorithm) {
  SchedulerConfig config;
  config.algorithm = algorithm;
  const std::unique_ptr<Scheduler> scheduler = make_scheduler(config);
  std::vector<PathView> fresh;
  for (std::uint8_t i = 0; i < state.range(0); ++i) {
    fresh.push_back(samples::row({.id = i, .mbps = 1000, .one_way = 5ms + i * 1ms}));
  }
  std::vector<PathView> charged = fresh;
  const std::vector<PacketView> packets(batch, samples::full());
  std::vector<PathMask> choice(batch);
  Rng rng{1};
  Instant now{1s};
  for (auto _ : state) {
    std::copy(fresh.begin(), fresh.end(), charged.begin());
    now += 1ms;
    scheduler->assign({now, charged, packets, rng}, choice);
    benchmark::DoNotOptimize(choice.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
}

}  // namespace
}  // namespace sennit

int main(int argc, char** argv) {
  for (const std::string_view name : sennit::scheduler_names()) {
    benchmark::RegisterBenchmark(("assign/" + std::string{name}).c_str(), sennit::assign, name)
        ->Arg(2)
        ->Arg(4)
        ->Arg(16);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
