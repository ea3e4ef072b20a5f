// Sealing and opening by the core's Aead: 1,413 bytes, which is what an inner packet of 1,400 bytes
// makes of a datagram, with its header as associated data.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "core/aead.h"
#include "tests/benchmark/bare_aead.h"

namespace sennit {
namespace {

constexpr std::size_t plain_size = 1413, header_size = 10;

using Make = std::unique_ptr<Aead>(const AeadKey&);

struct Sealed {
  std::unique_ptr<Aead> aead;
  AeadNonce nonce{};
  std::array<std::byte, header_size> header{};
  std::vector<std::byte> plain = std::vector<std::byte>(plain_size);
  std::vector<std::byte> sealed = std::vector<std::byte>(plain_size + aead_tag_size);

  explicit Sealed(std::unique_ptr<Aead> made) : aead(std::move(made)) {
    if (aead) aead->seal(nonce, header, plain, sealed);
  }
};

void seal(benchmark::State& state, Make* make) {
  Sealed s(make(AeadKey{}));
  if (!s.aead) return state.SkipWithError("not in this build, or not on this CPU");
  state.SetLabel(std::string(s.aead->name()));
  for (auto _ : state) s.aead->seal(s.nonce, s.header, s.plain, s.sealed);
}

void open(benchmark::State& state, Make* make) {
  Sealed s(make(AeadKey{}));
  if (!s.aead) return state.SkipWithError("not in this build, or not on this CPU");
  state.SetLabel(std::string(s.aead->name()));
  for (auto _ : state) {
    if (!s.aead->open(s.nonce, s.header, s.sealed, s.plain)) return state.SkipWithError("refused");
  }
}

void bare_seal_and_open(benchmark::State& state) {
  BareAead bare;
  for (auto _ : state) bare.seal_and_open();
}

BENCHMARK_CAPTURE(seal, default, make_aead);
BENCHMARK_CAPTURE(open, default, make_aead);
BENCHMARK_CAPTURE(seal, openssl, make_openssl_aead);
BENCHMARK_CAPTURE(open, openssl, make_openssl_aead);
BENCHMARK(bare_seal_and_open);

}  // namespace
}  // namespace sennit

BENCHMARK_MAIN();
