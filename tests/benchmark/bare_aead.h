// The yardstick of the packet path: OpenSSL alone, sealing and opening 1,400 bytes with contexts
// set up once. Nothing else that a tunnel does (headers, associated data, queues) is in it.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>

#include "core/assert.h"

namespace sennit {

class BareAead {
 public:
  static constexpr int packet_size = 1400;

  BareAead() {
    const std::array<unsigned char, 32> key{1, 2, 3};
    const EVP_CIPHER* cipher = EVP_aes_256_gcm();
    SENNIT_ASSERT(EVP_EncryptInit_ex(seal_.get(), cipher, nullptr, key.data(), nullptr) == 1);
    SENNIT_ASSERT(EVP_DecryptInit_ex(open_.get(), cipher, nullptr, key.data(), nullptr) == 1);
  }

  /// One packet sealed under a nonce of its own, and opened in place.
  void seal_and_open() {
    ++number_;
    std::memcpy(nonce_.data(), &number_, sizeof number_);
    SENNIT_ASSERT(seal() && open());
  }

 private:
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };
  using Context = std::unique_ptr<EVP_CIPHER_CTX, Free>;

  bool seal() {
    int n = 0;
    EVP_CIPHER_CTX* c = seal_.get();
    return EVP_EncryptInit_ex(c, nullptr, nullptr, nullptr, nonce_.data()) == 1 &&
           EVP_EncryptUpdate(c, sealed_.data(), &n, plain_.data(), packet_size) == 1 &&
           EVP_EncryptFinal_ex(c, sealed_.data() + n, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, tag_.data()) == 1;
  }
  bool open() {
    int n = 0;
    EVP_CIPHER_CTX* c = open_.get();
    return EVP_DecryptInit_ex(c, nullptr, nullptr, nullptr, nonce_.data()) == 1 &&
           EVP_DecryptUpdate(c, sealed_.data(), &n, sealed_.data(), packet_size) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, tag_.data()) == 1 &&
           EVP_DecryptFinal_ex(c, sealed_.data() + n, &n) == 1;
  }

  Context seal_{EVP_CIPHER_CTX_new()}, open_{EVP_CIPHER_CTX_new()};
  std::uint64_t number_ = 0;
  std::array<unsigned char, 12> nonce_{};
  std::array<unsigned char, 16> tag_{};
  std::array<unsigned char, packet_size> plain_{}, sealed_{};
};

}  // namespace sennit
