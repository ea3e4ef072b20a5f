#include "core/aead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

namespace sennit {
namespace {

using Octets = std::vector<std::byte>;

Octets hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Octets out(text.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::byte>(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
  }
  return out;
}

template <class Array>
Array array_of(std::string_view text) {
  Array out{};
  std::ranges::copy(hex(text), out.begin());
  return out;
}

// McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B: the test cases with
// 256-bit keys and 96-bit nonces.
struct Known {
  std::string_view name, key, nonce, associated, plain, sealed, tag;
};
constexpr std::string_view zero_key =
    "0000000000000000000000000000000000000000000000000000000000000000";
constexpr std::string_view key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
const std::vector<Known> gcm_cases{
    {"13", zero_key, "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"14", zero_key, "000000000000000000000000", "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {"15", key, "cafebabefacedbaddecaf888", "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {"16", key, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"}};

Octets sealed_of(const Known& known) {
  Octets all = hex(known.sealed);
  std::ranges::copy(hex(known.tag), std::back_inserter(all));
  return all;
}

/// What this build and this CPU have.
std::vector<std::unique_ptr<Aead>> all_aeads(const AeadKey& aead_key) {
  std::vector<std::unique_ptr<Aead>> all;
  all.push_back(make_openssl_aead(aead_key));
  if (auto aead = make_ipsec_mb_aead(aead_key)) all.push_back(std::move(aead));
  return all;
}

TEST(Aead, seals_what_the_gcm_specification_lists) {
  for (const Known& known : gcm_cases) {
    for (const auto& aead : all_aeads(array_of<AeadKey>(known.key))) {
      const Octets plain = hex(known.plain);
      Octets out(plain.size() + aead_tag_size);
      aead->seal(array_of<AeadNonce>(known.nonce), hex(known.associated), plain, out);
      EXPECT_EQ(out, sealed_of(known)) << "test case " << known.name << ", " << aead->name();
    }
  }
}

TEST(Aead, opens_what_the_gcm_specification_lists) {
  for (const Known& known : gcm_cases) {
    for (const auto& aead : all_aeads(array_of<AeadKey>(known.key))) {
      SCOPED_TRACE(aead->name());
      const Octets sealed = sealed_of(known);
      Octets out(sealed.size() - aead_tag_size);
      ASSERT_TRUE(aead->open(array_of<AeadNonce>(known.nonce), hex(known.associated), sealed, out));
      EXPECT_EQ(out, hex(known.plain)) << "test case " << known.name;
    }
  }
}

TEST(Aead, works_in_place) {
  const Known& known = gcm_cases.back();
  for (const auto& aead : all_aeads(array_of<AeadKey>(known.key))) {
    SCOPED_TRACE(aead->name());
    Octets bytes = hex(known.plain);
    const std::size_t size = bytes.size();
    bytes.resize(size + aead_tag_size);
    const std::span all{bytes};
    aead->seal(array_of<AeadNonce>(known.nonce), hex(known.associated), all.first(size), all);
    EXPECT_EQ(bytes, sealed_of(known));
    ASSERT_TRUE(
        aead->open(array_of<AeadNonce>(known.nonce), hex(known.associated), all, all.first(size)));
    bytes.resize(size);
    EXPECT_EQ(bytes, hex(known.plain));
  }
}

void expect_forgeries_refused(Aead& aead, const Known& known) {
  const auto nonce = array_of<AeadNonce>(known.nonce);
  const Octets associated = hex(known.associated), sealed = sealed_of(known);
  Octets out(sealed.size() - aead_tag_size);
  const auto flipped = [](auto bytes, std::size_t bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    return bytes;
  };
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    EXPECT_FALSE(aead.open(nonce, associated, flipped(sealed, bit), out));
  }
  for (std::size_t bit = 0; bit < 8 * associated.size(); ++bit) {
    EXPECT_FALSE(aead.open(nonce, flipped(associated, bit), sealed, out));
  }
  for (std::size_t bit = 0; bit < 8 * nonce.size(); ++bit) {
    EXPECT_FALSE(aead.open(flipped(nonce, bit), associated, sealed, out));
  }
  EXPECT_TRUE(aead.open(nonce, associated, sealed, out)) << "a forgery must leave no trace";
}

TEST(Aead, opens_nothing_with_one_bit_changed_anywhere) {
  const Known& known = gcm_cases.back();
  for (const auto& aead : all_aeads(array_of<AeadKey>(known.key))) {
    SCOPED_TRACE(aead->name());
    expect_forgeries_refused(*aead, known);
  }
}

TEST(Aead, every_implementation_makes_the_same_bytes_at_every_length) {
  const auto aeads = all_aeads(array_of<AeadKey>(key));
  Octets plain(1500), associated(10, std::byte{7});
  for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<std::byte>(i * 7 + 1);
  for (std::size_t size = 0; size <= plain.size(); size += 1 + size / 90) {
    const auto part = std::span{plain}.first(size);
    Octets expected(size + aead_tag_size), opened(size);
    aeads[0]->seal(AeadNonce{}, associated, part, expected);
    for (const auto& aead : aeads) {
      Octets sealed(size + aead_tag_size);
      aead->seal(AeadNonce{}, associated, part, sealed);
      ASSERT_EQ(sealed, expected) << aead->name() << ", " << size << " bytes";
      ASSERT_TRUE(aead->open(AeadNonce{}, associated, sealed, opened));
      ASSERT_TRUE(std::equal(part.begin(), part.end(), opened.begin(), opened.end()));
    }
  }
}

TEST(Aead, the_default_is_the_multi_buffer_library_where_it_is_there) {
  const auto faster = make_ipsec_mb_aead(AeadKey{});
  EXPECT_EQ(make_aead(AeadKey{})->name(), faster ? faster->name() : "OpenSSL");
}

// RFC 5869, appendix A.1 to A.3.
TEST(Aead, derives_keys_as_rfc_5869_lists) {
  Octets out(42);
  hkdf_sha256(Octets(22, std::byte{0x0b}), hex("000102030405060708090a0b0c"),
              hex("f0f1f2f3f4f5f6f7f8f9"), out);
  EXPECT_EQ(out, hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
                     "34007208d5b887185865"));
  hkdf_sha256(Octets(22, std::byte{0x0b}), {}, {}, out);
  EXPECT_EQ(out, hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
                     "9d201395faa4b61a96c8"));
  const auto counting = [](unsigned first) {
    Octets bytes(80);
    for (unsigned i = 0; i < 80; ++i) bytes[i] = std::byte(first + i);
    return bytes;
  };
  out.resize(82);
  hkdf_sha256(counting(0x00), counting(0x60), counting(0xb0), out);
  EXPECT_EQ(out, hex("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                     "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                     "cc30c58179ec3e87c14c01d5c1f3434f1d87"));
}

TEST(Aead, wiping_leaves_nothing) {
  Octets secret(32, std::byte{0x55});
  wipe(secret);
  EXPECT_EQ(secret, Octets(32));
}

}  // namespace
}  // namespace sennit
