#include "real/offload/split.h"

#include <cstring>

namespace sennit::offload {
namespace {

constexpr std::size_t tcp_checksum_at = 16, udp_checksum_at = 6;

/// RFC 768: a UDP checksum that comes out as zero is sent as all ones, because zero says "none".
std::uint16_t finished(Sum sum, bool udp) {
  const auto checksum = static_cast<std::uint16_t>(~fold(sum));
  return checksum == 0 && udp ? std::uint16_t{0xffff} : checksum;
}

bool gso_type_is(const VirtioHeader& virtio, bool tcp, bool ipv6) {
  const int type = virtio.gso_type & ~GsoType::ecn;
  if (!tcp) return type == GsoType::udp;
  return type == (ipv6 ? GsoType::tcp6 : GsoType::tcp4);
}

}  // namespace

std::optional<Segmenter> Segmenter::make(Layer layer, const VirtioHeader& virtio,
                                         std::span<const std::byte> frame, std::size_t frame_size) {
  const auto network = network_offset(layer, frame);
  const bool marked = (virtio.flags & VirtioFlag::needs_checksum) != 0;
  if (!network || !marked || virtio.gso_size == 0) return {};
  Segmenter s;
  s.network_ = *network;
  s.transport_ = virtio.checksum_start;
  s.tcp_ = virtio.checksum_offset == tcp_checksum_at;
  if (!s.tcp_ && virtio.checksum_offset != udp_checksum_at) return {};
  if (!s.read_network(frame) || !gso_type_is(virtio, s.tcp_, s.ipv6_) || !s.read_transport(frame)) {
    return {};
  }
  if (frame_size <= s.header_size_ || frame_size - s.network_ > frame_max) return {};
  s.payload_ = frame_size - s.header_size_;
  s.segment_size_ = virtio.gso_size;
  s.segments_ = (s.payload_ + s.segment_size_ - 1) / s.segment_size_;
  return s;
}

bool Segmenter::read_network(std::span<const std::byte> frame) {
  ipv6_ = get8(frame, network_) >> 4 == 6;
  const std::size_t header = ipv6_ ? ipv6_header : ipv4_header_min;
  if (transport_ < network_ + header || transport_ > frame.size()) return false;
  const auto ip = frame.subspan(network_, transport_ - network_);
  const std::size_t address = ipv6_ ? 8 : 12;
  transport_sum_ =
      sum_of(ip.subspan(address, header - address)) + word(tcp_ ? protocol_tcp : protocol_udp);
  if (ipv6_) return true;
  if (get8(ip, 0) >> 4 != 4 || std::size_t{get8(ip, 0)} % 16 * 4 != ip.size()) return false;
  id_ = get16(ip, 4);
  network_sum_ = sum_of(ip.first(2)) + sum_of(ip.subspan(6, 4)) + sum_of(ip.subspan(12));
  return true;
}

bool Segmenter::read_transport(std::span<const std::byte> frame) {
  const auto rest = frame.subspan(transport_);
  std::size_t size = udp_header;
  if (tcp_) {
    if (rest.size() < tcp_header_min) return false;
    size = std::size_t{get8(rest, 12)} / 16 * 4;
    if (size < tcp_header_min) return false;
  }
  if (rest.size() < size) return false;
  header_size_ = transport_ + size;
  transport_sum_ += sum_of(rest.first(4));  // ports
  if (!tcp_) return true;
  sequence_ = get32(rest, 4);
  tcp_offset_ = get8(rest, 12);
  tcp_flags_ = get8(rest, 13);
  transport_sum_ +=
      sum_of(rest.subspan(8, 4)) + sum_of(rest.subspan(14, 2)) +
      sum_of(rest.subspan(18, size - 18));  // acknowledgement, window, urgent, options
  return true;
}

void Segmenter::stamp(std::size_t segment, Sum payload, std::span<const std::byte> headers,
                      std::span<std::byte> out) const {
  const std::size_t size = payload_of(segment);
  std::memmove(out.data(), headers.data(), header_size_);
  const auto ip = out.subspan(network_);
  const auto transport = out.subspan(transport_);
  const auto length = static_cast<std::uint16_t>(header_size_ - transport_ + size);
  if (ipv6_) {
    put16(ip, 4, header_size_ - network_ - ipv6_header + size);
  } else {
    const auto total = static_cast<std::uint16_t>(header_size_ - network_ + size);
    const auto id = static_cast<std::uint16_t>(id_ + segment);
    put16(ip, 2, total);
    put16(ip, 4, id);
    put_sum(ip, 10, finished(network_sum_ + word(total) + word(id), false));
  }
  Sum sum = transport_sum_ + word(length) + payload;
  if (!tcp_) {
    put16(transport, 4, length);
    put_sum(transport, udp_checksum_at, finished(sum + word(length), true));
    return;
  }
  const auto sequence = static_cast<std::uint32_t>(sequence_ + segment * segment_size_);
  const std::uint8_t not_last = segment + 1 < segments_ ? TcpFlag::fin | TcpFlag::psh : 0;
  const std::uint8_t not_first = segment > 0 ? TcpFlag::cwr : 0;
  const auto flags = static_cast<std::uint8_t>(tcp_flags_ & ~(not_last | not_first));
  sum += word32(sequence) + word(static_cast<std::uint16_t>(tcp_offset_ << 8 | flags));
  put32(transport, 4, sequence);
  transport[13] = std::byte{flags};
  put_sum(transport, tcp_checksum_at, finished(sum, false));
}

bool complete_checksum(const VirtioHeader& virtio, std::span<std::byte> frame) {
  const std::size_t start = virtio.checksum_start, field = start + virtio.checksum_offset;
  if (field + 2 > frame.size()) return false;
  // The field's partial sum is part of what is summed.
  const Sum sum = sum_of(frame.subspan(start));
  put_sum(frame, field, finished(sum, virtio.checksum_offset == udp_checksum_at));
  return true;
}

bool Splitter::begin(const VirtioHeader& virtio, std::span<const std::byte> frame,
                     std::size_t size_max) {
  virtio_ = virtio;
  frame_ = frame;
  segmenter_.reset();
  next_ = count_ = 0;
  if (virtio.gso_type == GsoType::none) {
    const bool marked = (virtio.flags & VirtioFlag::needs_checksum) != 0;
    const std::size_t field = std::size_t{virtio.checksum_start} + virtio.checksum_offset;
    if (frame.empty() || frame.size() > size_max || (marked && field + 2 > frame.size())) {
      return false;
    }
    count_ = 1;
    return true;
  }
  segmenter_ = Segmenter::make(layer_, virtio, frame, frame.size());
  if (!segmenter_ || segmenter_->header_size() + segmenter_->payload_of(0) > size_max) return false;
  count_ = segmenter_->segments();
  return true;
}

Packet Splitter::next(PacketPool& pool) {
  SENNIT_ASSERT(more());
  Packet packet = pool.allocate();
  if (!packet) return packet;
  if (segmenter_) {
    write_segment(packet);
  } else {
    std::memcpy(packet.writable().data(), frame_.data(), frame_.size());
    packet.resize(frame_.size());
    const bool marked = (virtio_.flags & VirtioFlag::needs_checksum) != 0;
    const bool good = !marked || complete_checksum(virtio_, packet.bytes());
    SENNIT_ASSERT(good);  // begin() has checked it
  }
  ++next_;
  return packet;
}

void Splitter::write_segment(Packet& packet) const {
  const std::size_t header = segmenter_->header_size(), size = segmenter_->payload_of(next_);
  packet.resize(header + size);
  const auto out = packet.bytes();
  const auto payload = frame_.subspan(header + next_ * segmenter_->segment_size(), size);
  const Sum sum = copy_and_sum(payload, out.data() + header);
  segmenter_->stamp(next_, sum, frame_, out.first(header));
}

}  // namespace sennit::offload
