#include "real/offload/frame_reader.h"

#include <algorithm>
#include <cstring>

namespace sennit::offload {
namespace {

constexpr std::size_t line_size = 65536 + 256;  // IP's largest packet, and Ethernet in front

}  // namespace

FrameReader::FrameReader(Layer layer, bool virtio, std::size_t size_max)
    : layer_(layer),
      virtio_size_(virtio ? sizeof(VirtioHeader) : 0),
      size_max_(size_max),
      first_(size_max),
      line_(new std::byte[line_size]),
      splitter_(layer) {}

std::span<const iovec> FrameReader::vectors(PacketPool& pool) {
  SENNIT_ASSERT(!more());
  vectors_[0] = {&virtio_, virtio_size_};
  std::size_t offset = 0;
  for (std::size_t i = 0; i < slots_; ++i) {
    if (!slot_[i]) slot_[i] = pool.allocate();
    if (!slot_[i]) return {};
    const std::size_t skip = i == 0 ? 0 : guessed_header_;
    vectors_[1 + i] = {slot_[i].writable().data() + skip, capacity(i)};
    offset += capacity(i);
  }
  // What lies in the slots would go in front of it, should the guess be wrong.
  const std::size_t rest = std::min(offset, line_size);
  vectors_[1 + slots_] = {line_.get() + rest, line_size - rest};
  return std::span{vectors_}.subspan(virtio_size_ > 0 ? 0 : 1, slots_ + (virtio_size_ > 0 ? 2 : 1));
}

bool FrameReader::filled(std::size_t bytes) {
  next_ = count_ = 0;
  segmenter_.reset();
  if (bytes <= virtio_size_) return false;
  bytes -= virtio_size_;
  if (virtio_size_ == 0) virtio_ = {};
  if (virtio_.gso_type == GsoType::none && bytes <= first_) return fill_one(bytes);
  return fill_many(bytes);
}

bool FrameReader::fill_one(std::size_t bytes) {
  slot_[0].resize(bytes);
  const bool marked = (virtio_.flags & VirtioFlag::needs_checksum) != 0;
  if (marked && !complete_checksum(virtio_, slot_[0].bytes())) return false;
  count_ = 1;
  return true;
}

bool FrameReader::fill_many(std::size_t bytes) {
  const std::size_t shown = std::min(bytes, first_);
  auto segmenter = Segmenter::make(layer_, virtio_, slot_[0].writable().first(shown), bytes);
  if (segmenter && guessed_header_ == segmenter->header_size() &&
      first_ == guessed_header_ + segmenter->segment_size() && segmenter->segments() <= slots_) {
    ++in_place_;
    std::memcpy(header_.data(), slot_[0].writable().data(), guessed_header_);
    segmenter_ = segmenter;
    count_ = segmenter->segments();
    return true;
  }
  put_in_line(bytes);
  if (!splitter_.begin(virtio_, {line_.get(), bytes}, size_max_)) return false;
  ++moved_;
  segmenter = Segmenter::make(layer_, virtio_, {line_.get(), bytes}, bytes);
  if (segmenter) guess(*segmenter);
  return true;
}

/// The rest behind the slots is where it belongs already.
void FrameReader::put_in_line(std::size_t bytes) {
  std::size_t offset = 0;
  for (std::size_t i = 0; i < slots_ && offset < bytes; ++i) {
    const std::size_t size = std::min(capacity(i), bytes - offset);
    std::memcpy(line_.get() + offset, vectors_[1 + i].iov_base, size);
    offset += size;
  }
}

/// A guess that has no room in the slots, or would need too many of them, is none.
void FrameReader::guess(const Segmenter& segmenter) {
  guessed_header_ = segmenter.header_size();
  first_ = guessed_header_ + segmenter.segment_size();
  slots_ = (frame_max - 1) / segmenter.segment_size() + 1;
  if (guessed_header_ <= header_max && first_ <= size_max_ && slots_ <= slots_max) return;
  guessed_header_ = 0;
  first_ = size_max_;
  slots_ = 1;
}

Packet FrameReader::next(PacketPool& pool) {
  if (splitter_.more()) return splitter_.next(pool);
  SENNIT_ASSERT(next_ < count_);
  Packet packet = std::move(slot_[next_]);
  if (segmenter_) {
    const std::size_t header = segmenter_->header_size();
    packet.resize(header + segmenter_->payload_of(next_));
    const auto bytes = packet.bytes();
    segmenter_->stamp(next_, sum_of(bytes.subspan(header)), header_, bytes.first(header));
  }
  ++next_;
  return packet;
}

}  // namespace sennit::offload
