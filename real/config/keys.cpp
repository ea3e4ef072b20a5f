#include "real/config/keys.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "core/aead.h"

namespace sennit {
namespace {

constexpr std::string_view base64_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t base64_size = 44, hex_size = 64;

using PrivateKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

const unsigned char* octets(const TunnelKey& key) {
  return reinterpret_cast<const unsigned char*>(key.data());
}
unsigned char* octets(TunnelKey& key) { return reinterpret_cast<unsigned char*>(key.data()); }

std::optional<TunnelKey> parse_hex(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const int letter = std::tolower(static_cast<unsigned char>(c));
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
  };
  TunnelKey key{};
  for (std::size_t i = 0; i < key.size(); ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return {};
    key[i] = static_cast<std::byte>(16 * high + low);
  }
  return key;
}

std::optional<TunnelKey> parse_base64(std::string_view text) {
  if (text.back() != '=') return {};
  TunnelKey key{};
  std::uint32_t bits = 0;
  std::size_t have = 0, at = 0;
  for (const char c : text.substr(0, base64_size - 1)) {
    const std::size_t value = base64_letters.find(c);
    if (value == std::string_view::npos) return {};
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    key[at++] = static_cast<std::byte>(bits >> have & 0xff);
  }
  const bool unused_bits_set = (bits & ((1u << have) - 1)) != 0;
  if (unused_bits_set) return {};
  return key;
}

PrivateKey load_private(const TunnelKey& key) {
  return {EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, octets(key), key.size()),
          EVP_PKEY_free};
}

std::optional<TunnelKey> diffie_hellman(const TunnelKey& private_key, const TunnelKey& public_key) {
  const PrivateKey own = load_private(private_key);
  const PrivateKey peer{
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, octets(public_key), public_key.size()),
      EVP_PKEY_free};
  const Context context{EVP_PKEY_CTX_new(own.get(), nullptr), EVP_PKEY_CTX_free};
  TunnelKey shared{};
  std::size_t size = shared.size();
  const bool done = context && EVP_PKEY_derive_init(context.get()) == 1 &&
                    EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
                    EVP_PKEY_derive(context.get(), octets(shared), &size) == 1;
  if (!done || size != shared.size()) return {};  // OpenSSL refuses a secret of zeros
  return shared;
}

}  // namespace

std::optional<TunnelKey> parse_key(std::string_view text) {
  if (text.size() == hex_size) return parse_hex(text);
  if (text.size() == base64_size) return parse_base64(text);
  return {};
}

std::string to_base64(const TunnelKey& key) {
  std::string text;
  for (std::size_t i = 0; i < key.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      bits = bits << 8 | (j < key.size() ? std::to_integer<std::uint32_t>(key[j]) : 0u);
    }
    for (int shift = 18; shift >= 0; shift -= 6) text += base64_letters[bits >> shift & 63];
  }
  text.back() = '=';  // 32 bytes leave one letter of padding
  return text;
}

TunnelKey new_private_key() {
  TunnelKey key{};
  if (RAND_priv_bytes(octets(key), static_cast<int>(key.size())) != 1) {
    throw std::runtime_error("no random numbers from the system");
  }
  key[0] &= std::byte{248};  // RFC 7748, section 5
  key[31] = (key[31] & std::byte{127}) | std::byte{64};
  return key;
}

TunnelKey public_key_of(const TunnelKey& private_key) {
  TunnelKey key{};
  std::size_t size = key.size();
  const PrivateKey loaded = load_private(private_key);
  if (!loaded || EVP_PKEY_get_raw_public_key(loaded.get(), octets(key), &size) != 1) {
    throw std::runtime_error("X25519 failed");
  }
  return key;
}

std::optional<Association> associate(const TunnelKey& private_key, const TunnelKey& peer_public_key,
                                     const TunnelKey& psk) {
  const TunnelKey own = public_key_of(private_key);
  if (own == peer_public_key) return {};
  std::optional<TunnelKey> shared = diffie_hellman(private_key, peer_public_key);
  if (!shared) return {};
  const bool first = own < peer_public_key;
  std::array<std::byte, 64> both{};
  std::ranges::copy(first ? own : peer_public_key, both.begin());
  std::ranges::copy(first ? peer_public_key : own, both.begin() + 32);
  Association association{{}, first ? Role::a : Role::b};
  hkdf_sha256(*shared, psk, both, association.secret);
  wipe(*shared);
  return association;
}

}  // namespace sennit
