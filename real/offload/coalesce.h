// The inverse of split.h: packets of a flow that follow each other become one super-packet for the
// kernel, which then runs its stack once for up to 64 KiB. Nothing is copied: the first packet's
// headers are rewritten where they lie, and one writev() gathers them and all payloads from their
// slots.
//
// The rule is stricter than Linux's GRO: packets are merged only when splitting gives back every
// byte of every one of them. So headers may differ only in what a segmenter counts (IPv4 id,
// lengths, TCP sequence) or moves (PSH and FIN to the last, CWR to the first), and every checksum
// is proven right before it is replaced by a mark, or a damaged packet would be delivered as good.
//
// Packets of one flow never change their order. A packet that cannot be merged ends its flow's
// group; one whose flow cannot be read (a fragment, IP options) ends all groups.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/packet.h"
#include "real/offload/frame.h"

namespace sennit::offload {

/// Which super-packets the device takes (TunDevice finds out).
struct Merges {
  bool tcp4 = false, tcp6 = false, udp = false;
};

class Coalescer {
 public:
  Coalescer(Layer layer, Merges merges) : layer_(layer), merges_(merges) {}

  /// Groups at most batch_max packets. They stay the caller's, whose handles must stay where they
  /// are until the frames have been written; the headers of some are changed.
  void run(std::span<Packet> packets);

  /// What to write, in order: each opens with its virtio header.
  std::size_t frames() const { return groups_; }
  std::span<const iovec> frame(std::size_t i) const {
    return std::span{vectors_}.subspan(group_[i].vector, std::size_t{1} + group_[i].packets);
  }
  std::size_t packets_in(std::size_t frame) const { return group_[frame].packets; }

 private:
  /// Where a packet's headers end, and what decides whether it may be merged.
  struct Segment {
    std::uint32_t sequence = 0;
    std::uint16_t network = 0, transport = 0, header_size = 0, payload = 0, id = 0;
    std::uint8_t flags = 0;  // TCP's
    bool tcp = false, ipv6 = false;
  };
  enum class Kind : std::uint8_t { opaque, other, ineligible, eligible };
  struct Group {
    VirtioHeader virtio;
    Segment head;
    std::uint16_t first = 0, last = 0;  // packets
    std::uint16_t packets = 0, vector = 0;
    std::uint32_t payload = 0;
    bool proven = false;  // the head's checksums are right
  };
  static constexpr std::size_t slots = 256;
  static constexpr std::uint8_t nobody = 255;
  static_assert(batch_max < nobody);

  Kind read(std::span<const std::byte> frame, Segment& out) const;
  Kind read_ip(std::span<const std::byte> frame, Segment& out) const;
  Kind read_transport(std::span<const std::byte> frame, Segment& out) const;
  bool continues(const Group& group, const Segment& segment, std::span<const std::byte> head,
                 std::span<const std::byte> bytes) const;
  bool extend(std::span<Packet> packets, Group& group, std::size_t i, const Segment& segment);
  Group& begin_group(std::size_t i);
  void finish(Group& group, std::span<Packet> packets);
  void gather(std::span<Packet> packets);

  Layer layer_;
  Merges merges_;
  std::size_t groups_ = 0;
  std::array<Group, batch_max> group_{};
  std::array<std::uint8_t, batch_max> next_{};         // packet behind this one in its group
  std::array<std::uint16_t, batch_max> payload_at_{};  // header size of a packet that was merged
  std::array<std::uint8_t, slots> open_{};             // group that a flow may extend, by hash
  std::array<iovec, 2 * batch_max> vectors_{};
};

}  // namespace sennit::offload
