// The keys of the edge daemon's file: written as WireGuard writes them (base64 of 32 bytes, or 64
// hexadecimal digits), X25519 (RFC 7748) underneath.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/tunnel.h"

namespace sennit {

using TunnelKey = std::array<std::byte, 32>;

/// 44 characters of base64 or 64 hexadecimal digits; nothing when it is neither.
std::optional<TunnelKey> parse_key(std::string_view text);
std::string to_base64(const TunnelKey&);

/// From the kernel's generator. Throws std::runtime_error when it fails.
TunnelKey new_private_key();
TunnelKey public_key_of(const TunnelKey& private_key);

/// What two ends agree on.
struct Association {
  SessionSecret secret;
  Role role;  // a: the end whose public key is the smaller one
  bool operator==(const Association&) const = default;
};
/// HKDF-SHA256 over X25519 of the own private and the peer's public key, salted with `psk` (all
/// zero = none). The same at both ends. Nothing when the public key is a point of low order, whose
/// secret everybody knows, or the own one.
std::optional<Association> associate(const TunnelKey& private_key, const TunnelKey& peer_public_key,
                                     const TunnelKey& psk);

}  // namespace sennit
