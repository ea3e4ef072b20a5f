// One super-packet of the kernel (TSO, USO) becomes inner packets of a link's size. Linux hands a
// TUN up to 64 KiB of one TCP or UDP flow with one set of headers; what crosses the tunnel are the
// packets that a network card would have made of it: the same headers with lengths, IPv4 id, TCP
// sequence and flags, and checksums set right for each. Every payload byte is touched once: summed
// while it is copied into its slot, or where the kernel has put it (TunDevice reads into slots).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/packet.h"
#include "real/offload/checksum.h"
#include "real/offload/frame.h"

namespace sennit::offload {

/// Stamps headers: what all segments of a super-packet share is summed once.
class Segmenter {
 public:
  /// Nothing when the headers contradict each other or the virtio header. `frame` must hold all
  /// headers, `frame_size` is the whole frame's; its bytes are looked at in stamp(), too.
  static std::optional<Segmenter> make(Layer layer, const VirtioHeader& virtio,
                                       std::span<const std::byte> frame, std::size_t frame_size);

  std::size_t header_size() const { return header_size_; }
  std::size_t segment_size() const { return segment_size_; }  // payload of all but the last
  std::size_t segments() const { return segments_; }
  std::size_t payload_of(std::size_t segment) const {
    return segment + 1 < segments_ ? segment_size_ : payload_ - segment * segment_size_;
  }
  /// Writes the headers of one segment to `out`, of header_size() bytes, from the super-packet's,
  /// which may be the same memory when it is the first and stamped last. `payload` is the sum over
  /// the segment's payload.
  void stamp(std::size_t segment, Sum payload, std::span<const std::byte> headers,
             std::span<std::byte> out) const;

 private:
  bool read_network(std::span<const std::byte> frame);
  bool read_transport(std::span<const std::byte> frame);

  std::size_t network_ = 0, transport_ = 0, header_size_ = 0, payload_ = 0;
  std::size_t segment_size_ = 0, segments_ = 0;
  Sum network_sum_ = 0;    // IPv4 header without length, id and checksum
  Sum transport_sum_ = 0;  // pseudo-header and transport header without what changes
  std::uint32_t sequence_ = 0;
  std::uint16_t id_ = 0;
  std::uint8_t tcp_flags_ = 0, tcp_offset_ = 0;
  bool ipv6_ = false, tcp_ = false;
};

/// Writes the full checksum of a frame that has only the pseudo-header's sum in its field. False
/// when the virtio header points outside.
[[nodiscard]] bool complete_checksum(const VirtioHeader& virtio, std::span<std::byte> frame);

/// A cursor over one frame: packets come out one by one, as the pool and the batch have room.
class Splitter {
 public:
  explicit Splitter(Layer layer) : layer_(layer) {}

  /// `frame` stays as it is until more() is false. False, and more() is, when it is malformed or
  /// its packets are larger than a slot of `size_max` bytes.
  [[nodiscard]] bool begin(const VirtioHeader& virtio, std::span<const std::byte> frame,
                           std::size_t size_max = packet_max);
  bool more() const { return next_ < count_; }
  /// The next packet, or an empty handle when the pool is empty: ask again later.
  [[nodiscard]] Packet next(PacketPool& pool);

 private:
  void write_segment(Packet& packet) const;

  Layer layer_;
  VirtioHeader virtio_{};
  std::span<const std::byte> frame_;
  std::optional<Segmenter> segmenter_;  // nothing for a frame that is one packet
  std::size_t next_ = 0, count_ = 0;
};

}  // namespace sennit::offload
