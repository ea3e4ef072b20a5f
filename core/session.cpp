#include "core/session.h"

#include <cstring>
#include <string_view>

namespace sennit {
namespace {

struct DirectionKeys {
  AeadKey key;
  AeadIv iv;
  std::uint32_t receiver_index;
};

DirectionKeys derive(const SessionSecret& secret, std::string_view direction) {
  std::array<std::byte, aead_key_size + aead_nonce_size + 4> out;
  const auto info = std::as_bytes(std::span{direction});
  constexpr std::string_view salt = "sennit v1";
  hkdf_sha256(secret, std::as_bytes(std::span{salt}), info, out);
  DirectionKeys keys{};
  std::memcpy(keys.key.data(), out.data(), keys.key.size());
  std::memcpy(keys.iv.data(), out.data() + keys.key.size(), keys.iv.size());
  keys.receiver_index = wire::Reader{std::span{out}.last<4>()}.u32();
  wipe(out);
  return keys;
}

wire::Header header(PathId path, std::uint32_t receiver_index, PathSeq number) {
  return {static_cast<std::uint8_t>(path), receiver_index,
          static_cast<std::uint32_t>(number.value)};
}

}  // namespace

AeadNonce make_nonce(const AeadIv& iv, PathId path, PathSeq number) {
  AeadNonce nonce;
  wire::Reader reader{iv};
  wire::Writer writer{nonce};
  writer.u64(reader.u64() ^ (std::uint64_t{index(path)} << 32 | number.value >> 32));
  writer.u32(reader.u32() ^ static_cast<std::uint32_t>(number.value));
  return nonce;
}

Session::Session(Role role, const SessionSecret& secret) {
  DirectionKeys a_to_b = derive(secret, "a to b");
  DirectionKeys b_to_a = derive(secret, "b to a");
  DirectionKeys& out = role == Role::a ? a_to_b : b_to_a;
  DirectionKeys& in = role == Role::a ? b_to_a : a_to_b;
  sealing_ = make_aead(out.key);
  opening_ = make_aead(in.key);
  sealing_iv_ = out.iv;
  opening_iv_ = in.iv;
  remote_index_ = out.receiver_index;
  local_index_ = in.receiver_index;
  wipe(std::as_writable_bytes(std::span{&a_to_b, 1}));
  wipe(std::as_writable_bytes(std::span{&b_to_a, 1}));
}

Session::~Session() {
  wipe(sealing_iv_);
  wipe(opening_iv_);
}

void Session::seal(PathId path, PathSeq number, std::span<const std::byte> plain,
                   Packet& datagram) {
  datagram.resize(wire::header_size + plain.size() + wire::tag_size);
  const auto bytes = datagram.bytes();
  const auto head = bytes.first<wire::header_size>();
  wire::write_header(head, header(path, remote_index_, number));
  sealing_->seal(make_nonce(sealing_iv_, path, number), head, plain,
                 bytes.subspan(wire::header_size));
}

void Session::seal_in_place(PathId path, PathSeq number, Packet& plain) {
  const std::size_t size = plain.size();
  plain.append(wire::tag_size);
  plain.prepend(wire::header_size);
  const auto bytes = plain.bytes();
  const auto head = bytes.first<wire::header_size>();
  wire::write_header(head, header(path, remote_index_, number));
  const auto body = bytes.subspan(wire::header_size);
  sealing_->seal(make_nonce(sealing_iv_, path, number), head, body.first(size), body);
}

bool Session::open(PathId path, PathSeq number, Packet& datagram) {
  const auto bytes = datagram.bytes();
  const auto head = bytes.first<wire::header_size>();
  const auto body = bytes.subspan(wire::header_size);
  const auto plain = body.first(body.size() - wire::tag_size);
  if (!opening_->open(make_nonce(opening_iv_, path, number), head, body, plain)) return false;
  datagram.drop_back(wire::tag_size);
  datagram.drop_front(wire::header_size);
  return true;
}

}  // namespace sennit
