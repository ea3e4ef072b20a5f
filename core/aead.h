// Authenticated encryption behind an interface, so that a faster library can replace OpenSSL where
// it measures faster. One object holds one direction's key; contexts are reused, because setting up
// a new one costs half as much again as sealing 1,400 bytes.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace sennit {

inline constexpr std::size_t aead_key_size = 32;
inline constexpr std::size_t aead_nonce_size = 12;
inline constexpr std::size_t aead_tag_size = 16;
using AeadKey = std::array<std::byte, aead_key_size>;
using AeadNonce = std::array<std::byte, aead_nonce_size>;

class Aead {
 public:
  Aead() = default;
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;
  virtual ~Aead() = default;

  /// `sealed` has plain.size() + aead_tag_size bytes and may begin where `plain` does.
  virtual void seal(const AeadNonce& nonce, std::span<const std::byte> associated,
                    std::span<const std::byte> plain, std::span<std::byte> sealed) = 0;
  /// `plain` has sealed.size() - aead_tag_size bytes and may begin where `sealed` does. False, and
  /// `plain` is worthless, when the tag does not fit.
  [[nodiscard]] virtual bool open(const AeadNonce& nonce, std::span<const std::byte> associated,
                                  std::span<const std::byte> sealed,
                                  std::span<std::byte> plain) = 0;
  /// Whose code runs: "OpenSSL".
  virtual std::string_view name() const = 0;
};

/// AES-256-GCM (NIST SP 800-38D) by OpenSSL.
std::unique_ptr<Aead> make_openssl_aead(const AeadKey& key);
/// The same by Intel's multi-buffer library. Nothing when it is not built in (SENNIT_IPSEC_MB), or
/// the CPU lacks what makes it faster than OpenSSL: VAES, VPCLMULQDQ and AVX-512.
std::unique_ptr<Aead> make_ipsec_mb_aead(const AeadKey& key);
/// The fastest of them here. All make the same bytes.
std::unique_ptr<Aead> make_aead(const AeadKey& key);

/// HKDF-SHA256 (RFC 5869), extract and expand.
void hkdf_sha256(std::span<const std::byte> secret, std::span<const std::byte> salt,
                 std::span<const std::byte> info, std::span<std::byte> out);

/// Overwrites a secret in a way that the compiler may not remove.
void wipe(std::span<std::byte> secret);

}  // namespace sennit
