#include "real/offload/checksum.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "real/offload/testing_frames.h"

namespace sennit::offload {
namespace {

using testing::Octets;

Octets random_bytes(Rng& rng, std::size_t n) {
  Octets bytes(n);
  for (std::byte& b : bytes) b = static_cast<std::byte>(rng.below(256));
  return bytes;
}

std::uint16_t in_memory_order(std::uint16_t value) {
  return static_cast<std::uint16_t>(word(value));
}

TEST(Checksum, of_any_length_at_any_address_is_what_the_plain_loop_says) {
  Rng rng(1);
  const Octets bytes = random_bytes(rng, 700);
  for (std::size_t begin = 0; begin < 33; ++begin) {
    for (std::size_t size = 0; size + begin < bytes.size(); size += 1 + size / 40) {
      const auto part = std::span{bytes}.subspan(begin, size);
      const auto expected = static_cast<std::uint16_t>(~testing::plain_checksum(part));
      ASSERT_EQ(fold(sum_of(part)), in_memory_order(expected)) << begin << ' ' << size;
    }
  }
}

TEST(Checksum, copying_gives_the_same_sum_and_the_same_bytes_and_no_more) {
  Rng rng(2);
  const Octets bytes = random_bytes(rng, 700);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto part = std::span{bytes}.first(size);
    Octets copy(size + 1, std::byte{0x5a});
    ASSERT_EQ(fold(copy_and_sum(part, copy.data())), fold(sum_of(part))) << size;
    ASSERT_TRUE(std::equal(part.begin(), part.end(), copy.begin())) << size;
    ASSERT_EQ(copy[size], std::byte{0x5a});
  }
}

TEST(Checksum, keeps_every_carry_of_the_largest_frame) {
  const Octets ones(65536, std::byte{0xff});
  EXPECT_EQ(fold(sum_of(ones)), 0xffff);
  Octets bytes = ones;
  bytes[65535] = std::byte{0xfe};
  EXPECT_EQ(fold(sum_of(bytes)), in_memory_order(0xfffe));
}

}  // namespace
}  // namespace sennit::offload
