// Where the kernel shall put a frame that it has not shown yet. A reader that knew a super-packet's
// header size and segment size could have every segment's payload read straight into its slot; it
// learns them only from the frame. But one flow's frames are alike, and bulk is what matters: so
// each frame is guessed to be like the last super-packet, with one iovec per slot. A right guess
// costs no copy; any packet that is not a super-packet fits the first slot whatever the guess; a
// wrong guess is put in line once and split from there.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "core/packet.h"
#include "real/offload/split.h"

namespace sennit::offload {

class FrameReader {
 public:
  /// `virtio`: whether frames come with a VirtioHeader. `size_max`: of the pool's slots.
  FrameReader(Layer layer, bool virtio, std::size_t size_max = packet_max);

  /// For one readv(). Empty when the pool has not the slots: read later. Needs !more().
  std::span<const iovec> vectors(PacketPool& pool);
  /// readv() has filled this many bytes. False: malformed, and nothing comes of it.
  [[nodiscard]] bool filled(std::size_t bytes);
  bool more() const { return next_ < count_ || splitter_.more(); }
  /// The next packet of the frame, or an empty handle when the pool is empty: ask again later.
  [[nodiscard]] Packet next(PacketPool& pool);

  std::size_t frames_in_place() const { return in_place_; }  // super-packets guessed right
  std::size_t frames_moved() const { return moved_; }        // and wrong

 private:
  static constexpr std::size_t slots_max = batch_max;
  static constexpr std::size_t header_max = 256;

  std::size_t capacity(std::size_t slot) const {
    return slot == 0 ? first_ : first_ - guessed_header_;
  }
  void guess(const Segmenter& segmenter);
  bool fill_one(std::size_t bytes);
  bool fill_many(std::size_t bytes);
  void put_in_line(std::size_t bytes);

  Layer layer_;
  std::size_t virtio_size_, size_max_;
  VirtioHeader virtio_{};
  std::size_t guessed_header_ = 0;  // bytes left free at the front of all slots but the first
  std::size_t first_;               // bytes that the first slot takes
  std::size_t slots_ = 1;           // that a frame may fill
  std::array<Packet, slots_max> slot_;
  std::array<iovec, slots_max + 2> vectors_{};  // virtio header, slots, the rest
  std::unique_ptr<std::byte[]> line_;           // a frame in one piece
  std::array<std::byte, header_max> header_{};  // of the frame whose segments are in place
  std::optional<Segmenter> segmenter_;          // nothing when the one packet is ready
  Splitter splitter_;
  std::size_t next_ = 0, count_ = 0;
  std::size_t in_place_ = 0, moved_ = 0;
};

}  // namespace sennit::offload
