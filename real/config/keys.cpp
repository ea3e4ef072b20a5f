#include "real/config/keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "core/aead.h"

namespace sennit {
namespace {

constexpr std::size_t base64_size = 44, hex_size = 64;

using PrivateKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

const unsigned char* octets(const TunnelKey& key) {
  return reinterpret_cast<const unsigned char*>(key.data());
}
unsigned char* octets(TunnelKey& key) { return reinterpret_cast<unsigned char*>(key.data()); }

std::optional<TunnelKey> parse_hex(const std::string& text) {
  TunnelKey key{};
  std::size_t size = 0;
  if (OPENSSL_hexstr2buf_ex(octets(key), key.size(), &size, text.c_str(), '\0') != 1) return {};
  return size == key.size() ? std::optional{key} : std::nullopt;
}

std::optional<TunnelKey> parse_base64(const std::string& text) {
  std::array<unsigned char, base64_size / 4 * 3> bytes{};
  const auto* from = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DecodeBlock(bytes.data(), from, static_cast<int>(base64_size)) < 0) return {};
  TunnelKey key{};
  std::memcpy(key.data(), bytes.data(), key.size());
  // OpenSSL overlooks spaces in front, bits beyond the key and padding of another length.
  return to_base64(key) == text ? std::optional{key} : std::nullopt;
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
  if (text.size() == hex_size) return parse_hex(std::string{text});
  if (text.size() == base64_size) return parse_base64(std::string{text});
  return {};
}

std::string to_base64(const TunnelKey& key) {
  std::array<unsigned char, base64_size + 1> text{};  // with a final zero
  EVP_EncodeBlock(text.data(), octets(key), static_cast<int>(key.size()));
  return {text.begin(), text.end() - 1};
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
