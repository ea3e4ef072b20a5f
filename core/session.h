// The keys of one association: seals and opens transport datagrams in place. Nonces are built from
// the path id and the packet number (draft-ietf-quic-multipath section 4), so every path has its
// own number space and no two datagrams of a direction share a nonce.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/aead.h"
#include "core/packet.h"
#include "core/tunnel.h"
#include "core/wire.h"

namespace sennit {

using AeadIv = AeadNonce;

/// IV xor (path id as 32 bits | packet number as 64 bits, of which the top two are 0).
AeadNonce make_nonce(const AeadIv& iv, PathId path, PathSeq number);

class Session {
 public:
  /// Both directions' keys from one secret by HKDF-SHA256; the roles mirror each other.
  Session(Role role, const SessionSecret& secret);
  ~Session();

  /// Writes header, ciphertext and tag of `plain` (timestamp and frames) into the empty `datagram`.
  void seal(PathId path, PathSeq number, std::span<const std::byte> plain, Packet& datagram);
  /// The same for a packet that already holds the plain bytes; no copy.
  void seal_in_place(PathId path, PathSeq number, Packet& plain);
  /// Opens in place: afterwards the packet is the plain bytes. False when it is not authentic.
  [[nodiscard]] bool open(PathId path, PathSeq number, Packet& datagram);

  std::uint32_t remote_index() const { return remote_index_; }
  std::uint32_t local_index() const { return local_index_; }

 private:
  std::unique_ptr<Aead> sealing_, opening_;
  AeadIv sealing_iv_, opening_iv_;
  std::uint32_t local_index_, remote_index_;
};

}  // namespace sennit
