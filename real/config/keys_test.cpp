#include "real/config/keys.h"

#include <gtest/gtest.h>

namespace sennit {
namespace {

TEST(Keys, public_key_is_that_of_rfc_7748) {  // section 6.1, Bob
  const auto private_key =
      parse_key("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  const auto public_key =
      parse_key("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  ASSERT_TRUE(private_key && public_key);
  EXPECT_EQ(public_key_of(*private_key), *public_key);
}

TEST(Keys, base64_and_hexadecimal_say_the_same) {
  const auto hex = parse_key("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  const auto base64 = parse_key("XasIfmJKikt54X+Lg4AO5m87sSkmGLb9HC+LJ/+I4Os=");
  ASSERT_TRUE(hex && base64);
  EXPECT_EQ(*hex, *base64);
  EXPECT_EQ(to_base64(*hex), "XasIfmJKikt54X+Lg4AO5m87sSkmGLb9HC+LJ/+I4Os=");
}

TEST(Keys, what_is_no_key_is_refused) {
  for (const char* text : {"", "XasIfmJKikt54X+Lg4AO5m87sSkmGLb9HC+LJ/+I4Os",
                           "XasIfmJKikt54X+Lg4AO5m87sSkmGLb9HC+LJ/+I4Ot=",
                           "XasIfmJKikt54X+Lg4AO5m87sSkmGLb9HC+LJ/+I4!s=",
                           "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eg"}) {
    EXPECT_FALSE(parse_key(text)) << text;
  }
}

TEST(Keys, both_ends_derive_one_secret_and_different_roles) {
  for (int i = 0; i < 20; ++i) {
    const TunnelKey x = new_private_key(), y = new_private_key();
    const auto here = associate(x, public_key_of(y), {});
    const auto there = associate(y, public_key_of(x), {});
    ASSERT_TRUE(here && there);
    EXPECT_EQ(here->secret, there->secret);
    EXPECT_NE(here->role, there->role);
  }
}

TEST(Keys, another_peer_or_psk_gives_another_secret) {
  const TunnelKey x = new_private_key(), y = new_private_key(), z = new_private_key();
  const auto plain = associate(x, public_key_of(y), {});
  EXPECT_NE(plain->secret, associate(x, public_key_of(z), {})->secret);
  EXPECT_NE(plain->secret, associate(x, public_key_of(y), z)->secret);
}

TEST(Keys, points_of_low_order_and_the_own_key_give_no_secret) {
  const TunnelKey x = new_private_key();
  TunnelKey one{};
  one[0] = std::byte{1};
  EXPECT_FALSE(associate(x, TunnelKey{}, {}));
  EXPECT_FALSE(associate(x, one, {}));
  EXPECT_FALSE(associate(x, public_key_of(x), {}));
}

}  // namespace
}  // namespace sennit
