// AES-256-GCM by Intel's multi-buffer library, whose VAES code takes a quarter of OpenSSL 3.0's
// time. Its calls for one packet are used: GCM is not interleaved over packets there, and its
// bursts of 64 jobs took a tenth less than 64 calls, which is not worth a second shape of the
// interface.
#if SENNIT_IPSEC_MB

#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>

#include "core/aead.h"
#include "core/assert.h"

namespace sennit {
namespace {

/// The library's choice for this CPU. Its manager, hundreds of kilobytes for queues of jobs, is not
/// needed to call them.
struct Functions {
  aes_gcm_pre_t prepare = nullptr;
  aes_gcm_enc_dec_t seal = nullptr, open = nullptr;

  Functions() {
    IMB_MGR* manager = alloc_mb_mgr(0);
    if (manager == nullptr) return;
    IMB_ARCH architecture{};
    init_mb_mgr_auto(manager, &architecture);
    constexpr std::uint64_t wide =
        IMB_FEATURE_AVX512_SKX | IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ;
    if (imb_get_errno(manager) == 0 && (manager->features & wide) == wide) {
      prepare = manager->gcm256_pre;
      seal = manager->gcm256_enc;
      open = manager->gcm256_dec;
    }
    free_mb_mgr(manager);
  }
};

const Functions& functions() {
  static const Functions found;
  return found;
}

class IpsecMbAead final : public Aead {
 public:
  explicit IpsecMbAead(const AeadKey& key) { functions().prepare(key.data(), &key_); }
  ~IpsecMbAead() override {
    wipe(std::as_writable_bytes(std::span{&key_, 1}));
    wipe(std::as_writable_bytes(std::span{&context_, 1}));
  }

  void seal(const AeadNonce& nonce, std::span<const std::byte> associated,
            std::span<const std::byte> plain, std::span<std::byte> sealed) override {
    SENNIT_ASSERT(sealed.size() == plain.size() + aead_tag_size);
    seal_(&key_, &context_, octets(sealed.data()), octets(plain.data()), plain.size(),
          octets(nonce.data()), octets(associated.data()), associated.size(),
          octets(sealed.data() + plain.size()), aead_tag_size);
  }

  bool open(const AeadNonce& nonce, std::span<const std::byte> associated,
            std::span<const std::byte> sealed, std::span<std::byte> plain) override {
    SENNIT_ASSERT(sealed.size() == plain.size() + aead_tag_size);
    std::array<std::byte, aead_tag_size> tag;
    open_(&key_, &context_, octets(plain.data()), octets(sealed.data()), plain.size(),
          octets(nonce.data()), octets(associated.data()), associated.size(), octets(tag.data()),
          aead_tag_size);
    return CRYPTO_memcmp(tag.data(), sealed.data() + plain.size(), tag.size()) == 0;
  }

  std::string_view name() const override { return "Intel multi-buffer (VAES, AVX-512)"; }

 private:
  static const std::uint8_t* octets(const std::byte* bytes) {
    return reinterpret_cast<const std::uint8_t*>(bytes);
  }
  static std::uint8_t* octets(std::byte* bytes) { return reinterpret_cast<std::uint8_t*>(bytes); }

  // The header aligns them only where LINUX is defined; the code counts on it everywhere.
  alignas(64) gcm_key_data key_{};
  alignas(64) gcm_context_data context_{};
  aes_gcm_enc_dec_t seal_ = functions().seal, open_ = functions().open;
};

}  // namespace

std::unique_ptr<Aead> make_ipsec_mb_aead(const AeadKey& key) {
  if (functions().seal == nullptr) return nullptr;
  return std::make_unique<IpsecMbAead>(key);
}

}  // namespace sennit

#endif
