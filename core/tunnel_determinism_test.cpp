// The same history gives the same decisions: in another process (with other addresses and hash
// seeds), and however the packets of an instant are cut into calls.
//
// SENNIT_SEED=n chooses the first world of each test.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/testing/world.h"

namespace sennit {
namespace {

std::uint64_t first_seed() {
  const char* text = std::getenv("SENNIT_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

std::uint64_t digest_of(std::uint64_t seed, std::size_t batch = batch_max) {
  const OpenWorld opened = open(draw_world(seed), batch);
  opened.pair->run(World::calm + 500ms);
  return opened.pair->digest();
}

constexpr const char* label = "digest of the world: ";

/// What another process of this program says about the same world.
std::string asked_elsewhere(std::uint64_t seed) {
  std::array<char, 4096> self{};
  if (readlink("/proc/self/exe", self.data(), self.size() - 1) < 0) return "no /proc";
  const std::string command = "SENNIT_SEED=" + std::to_string(seed) + " '" + self.data() +
                              "' --gtest_filter=Determinism.a_world_has_a_digest";
  FILE* child = popen(command.c_str(), "r");
  std::string said, line;
  for (std::array<char, 256> buffer; std::fgets(buffer.data(), buffer.size(), child) != nullptr;) {
    line = buffer.data();
    if (line.rfind(label, 0) == 0) said = line.substr(std::string{label}.size());
  }
  pclose(child);
  return said;
}

TEST(Determinism, a_world_has_a_digest) {
  const std::uint64_t digest = digest_of(first_seed());
  std::printf("%s%016lx\n", label, digest);
  EXPECT_NE(digest, digest_of(first_seed() + 1));
}

TEST(Determinism, another_process_makes_the_same_decisions) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 3; ++seed) {
    std::array<char, 32> here{};
    std::snprintf(here.data(), here.size(), "%016lx\n", digest_of(seed));
    EXPECT_EQ(asked_elsewhere(seed), here.data()) << "seed " << seed;
  }
}

TEST(Determinism, twenty_worlds_have_twenty_digests) {
  std::vector<std::uint64_t> digests;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 20; ++seed) {
    digests.push_back(digest_of(seed));
  }
  std::sort(digests.begin(), digests.end());
  EXPECT_EQ(std::unique(digests.begin(), digests.end()), digests.end());
}

// A small pool may be empty for the first of two packets and not for the second; so here it is
// never empty.
TEST(Determinism, how_packets_are_cut_into_calls_changes_no_decision) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 10; ++seed) {
    World world = draw_world(seed);
    world.options.pool_slots = 16384;
    world.options.coalescing = std::max<Duration>(world.options.coalescing, 1ms);
    std::array<std::uint64_t, 3> digests{};
    constexpr std::array<std::size_t, 3> batches{1, 7, 64};
    for (std::size_t i = 0; i < batches.size(); ++i) {
      const OpenWorld opened = open(world, batches[i]);
      opened.pair->run(World::calm + 500ms);
      digests[i] = opened.pair->digest();
    }
    EXPECT_EQ(digests[0], digests[2]) << "batches of 1 and 64";
    EXPECT_EQ(digests[1], digests[2]) << "batches of 7 and 64";
    if (HasFailure()) {
      ADD_FAILURE() << world;
      return;
    }
  }
}

}  // namespace
}  // namespace sennit
