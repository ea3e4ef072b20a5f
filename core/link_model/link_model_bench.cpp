// Cost of one packet through one link: offer, poll, and the wake-up asked for in between.
#include <benchmark/benchmark.h>

#include "core/link_model/link_model.h"

namespace sennit {
namespace {

LinkConfig constant_rate() {
  LinkConfig config;
  config.delay = 20ms;
  return config;
}

/// 100 Mbit/s for ten seconds, bunched as on a cellular link.
LinkConfig trace() {
  Rng rng{1};
  LinkTrace trace;
  for (double ms = 0; ms < 10000; ms += 0.12 * rng.exponential()) {
    trace.opportunity_ms.push_back(static_cast<std::uint32_t>(ms));
  }
  LinkConfig config = constant_rate();
  config.capacity = std::make_shared<const LinkTrace>(std::move(trace));
  return config;
}

LinkConfig jitter_and_loss() {
  LinkConfig config = constant_rate();
  config.jitter.stddev = 5ms;
  config.loss = GilbertElliott{.mean = 0.01, .burst = 3};
  return config;
}

/// A packet of 1,200 bytes every `state.range(0)` microseconds: 120 is 80 % of the rate, 60 twice
/// the rate, so that half is dropped.
void per_packet(benchmark::State& state, const LinkConfig& config) {
  LinkModel link{config, Rng{1}, Instant{}};
  const Duration interval = std::chrono::microseconds{state.range(0)};
  std::uint64_t token = 0;
  Instant now{};
  for (auto _ : state) {
    now += interval;
    while (link.next_wake() <= now) {
      while (const auto exit = link.poll_exit(now)) benchmark::DoNotOptimize(exit->token);
    }
    benchmark::DoNotOptimize(link.handle_packet(now, Bytes{1200}, token++));
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(per_packet, constant_rate, constant_rate())->Arg(120)->Arg(60)->Arg(10000);
BENCHMARK_CAPTURE(per_packet, trace, trace())->Arg(120)->Arg(60)->Arg(10000);
BENCHMARK_CAPTURE(per_packet, jitter_and_loss, jitter_and_loss())->Arg(120)->Arg(60);

}  // namespace
}  // namespace sennit

BENCHMARK_MAIN();
