// Sealing and opening by the core's Aead: 1,413 bytes, which is what an inner packet of 1,400 bytes
// makes of a datagram, with its header as associated data.
#include <benchmark/benchmark.h>

#include <vector>

#include "core/aead.h"
#include "tests/benchmark/bare_aead.h"

namespace sennit {
namespace {

constexpr std::size_t plain_size = 1413, header_size = 10;

struct Sealed {
  std::unique_ptr<Aead> aead = make_openssl_aead(AeadKey{});
  AeadNonce nonce{};
  std::array<std::byte, header_size> header{};
  std::vector<std::byte> plain = std::vector<std::byte>(plain_size);
  std::vector<std::byte> sealed = std::vector<std::byte>(plain_size + aead_tag_size);

  Sealed() { aead->seal(nonce, header, plain, sealed); }
};

void seal(benchmark::State& state) {
  Sealed s;
  for (auto _ : state) s.aead->seal(s.nonce, s.header, s.plain, s.sealed);
}

void open(benchmark::State& state) {
  Sealed s;
  for (auto _ : state) {
    if (!s.aead->open(s.nonce, s.header, s.sealed, s.plain)) return state.SkipWithError("refused");
  }
}

void bare_seal_and_open(benchmark::State& state) {
  BareAead bare;
  for (auto _ : state) bare.seal_and_open();
}

BENCHMARK(seal);
BENCHMARK(open);
BENCHMARK(bare_seal_and_open);

}  // namespace
}  // namespace sennit

BENCHMARK_MAIN();
