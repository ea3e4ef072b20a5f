#include "core/aead.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "core/assert.h"

namespace sennit {
namespace {

const unsigned char* octets(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* octets(std::span<std::byte> bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}
int length(std::span<const std::byte> bytes) { return static_cast<int>(bytes.size()); }

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

/// Where a tag is read from or written to. (EVP_CIPHER_CTX_ctrl() takes 40 ns longer to say so.)
std::array<OSSL_PARAM, 2> tag_parameter(std::byte* tag) {
  return {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, aead_tag_size),
          OSSL_PARAM_construct_end()};
}

class OpensslAead final : public Aead {
 public:
  explicit OpensslAead(const AeadKey& key)
      : seal_(EVP_CIPHER_CTX_new()), open_(EVP_CIPHER_CTX_new()) {
    EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    SENNIT_ASSERT(cipher != nullptr);
    SENNIT_ASSERT(EVP_EncryptInit_ex2(seal_.get(), cipher, octets(key), nullptr, nullptr) == 1);
    SENNIT_ASSERT(EVP_DecryptInit_ex2(open_.get(), cipher, octets(key), nullptr, nullptr) == 1);
    EVP_CIPHER_free(cipher);
  }

  void seal(const AeadNonce& nonce, std::span<const std::byte> associated,
            std::span<const std::byte> plain, std::span<std::byte> sealed) override {
    SENNIT_ASSERT(sealed.size() == plain.size() + aead_tag_size);
    int n = 0;
    EVP_CIPHER_CTX* context = seal_.get();
    bool ok = EVP_EncryptInit_ex2(context, nullptr, nullptr, octets(nonce), nullptr) == 1;
    ok = ok && EVP_EncryptUpdate(context, nullptr, &n, octets(associated), length(associated)) == 1;
    ok = ok && EVP_EncryptUpdate(context, octets(sealed), &n, octets(plain), length(plain)) == 1;
    ok = ok && EVP_EncryptFinal_ex(context, octets(sealed) + n, &n) == 1;
    std::array tag = tag_parameter(sealed.data() + plain.size());
    ok = ok && EVP_CIPHER_CTX_get_params(context, tag.data()) == 1;
    SENNIT_ASSERT(ok);
  }

  bool open(const AeadNonce& nonce, std::span<const std::byte> associated,
            std::span<const std::byte> sealed, std::span<std::byte> plain) override {
    SENNIT_ASSERT(sealed.size() == plain.size() + aead_tag_size);
    int n = 0;
    EVP_CIPHER_CTX* context = open_.get();
    // OpenSSL takes the tag through a pointer to non-const, but only reads it.
    const std::array tag = tag_parameter(const_cast<std::byte*>(sealed.data() + plain.size()));
    return EVP_DecryptInit_ex2(context, nullptr, nullptr, octets(nonce), nullptr) == 1 &&
           EVP_DecryptUpdate(context, nullptr, &n, octets(associated), length(associated)) == 1 &&
           EVP_DecryptUpdate(context, octets(plain), &n, octets(sealed), length(plain)) == 1 &&
           EVP_CIPHER_CTX_set_params(context, tag.data()) == 1 &&
           EVP_DecryptFinal_ex(context, octets(plain) + plain.size(), &n) == 1;
  }

  std::string_view name() const override { return "OpenSSL"; }

 private:
  Context seal_, open_;
};

}  // namespace

std::unique_ptr<Aead> make_openssl_aead(const AeadKey& key) {
  return std::make_unique<OpensslAead>(key);
}

#if !SENNIT_IPSEC_MB
std::unique_ptr<Aead> make_ipsec_mb_aead(const AeadKey&) { return nullptr; }
#endif

std::unique_ptr<Aead> make_aead(const AeadKey& key) {
  auto aead = make_ipsec_mb_aead(key);
  return aead ? std::move(aead) : make_openssl_aead(key);
}

void hkdf_sha256(std::span<const std::byte> secret, std::span<const std::byte> salt,
                 std::span<const std::byte> info, std::span<std::byte> out) {
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  SENNIT_ASSERT(kdf != nullptr);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
  EVP_KDF_free(kdf);
  // OpenSSL takes parameters through pointers to non-const, but only reads them; an empty one must
  // still point somewhere.
  static constexpr std::byte nowhere{};
  const auto octet_param = [](const char* key, std::span<const std::byte> value) {
    const std::byte* data = value.empty() ? &nowhere : value.data();
    return OSSL_PARAM_construct_octet_string(key, const_cast<std::byte*>(data), value.size());
  };
  std::array digest{'S', 'H', 'A', '2', '5', '6', '\0'};
  const std::array parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      octet_param(OSSL_KDF_PARAM_KEY, secret), octet_param(OSSL_KDF_PARAM_SALT, salt),
      octet_param(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  const bool ok = EVP_KDF_derive(context, octets(out), out.size(), parameters.data()) == 1;
  EVP_KDF_CTX_free(context);
  SENNIT_ASSERT(ok);
}

void wipe(std::span<std::byte> secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

}  // namespace sennit
