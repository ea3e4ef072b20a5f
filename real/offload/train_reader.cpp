#include "real/offload/train_reader.h"

#include <algorithm>
#include <cstring>

namespace sennit::offload {

TrainReader::TrainReader(bool guesses, std::size_t size_max)
    : guesses_(guesses),
      size_max_(size_max),
      each_(size_max),
      line_(std::make_unique_for_overwrite<std::byte[]>(message_max)) {}

std::span<iovec> TrainReader::vectors(PacketPool& pool) {
  SENNIT_ASSERT(!more());
  for (ready_ = 0; ready_ < slots_; ++ready_) {
    Packet& slot = slot_[ready_];
    if (!slot) slot = pool.allocate();
    if (!slot) break;
    vectors_[ready_] = {slot.writable().data(), each_};
  }
  // What lies in the slots would go in front of it, should the guess be wrong.
  const std::size_t front = std::min(ready_ * each_, message_max);
  vectors_[ready_] = {line_.get() + front, message_max - front};
  return std::span{vectors_}.first(ready_ + 1);
}

void TrainReader::filled(std::size_t bytes, std::size_t segment) {
  size_ = bytes;
  segment_ = std::max<std::size_t>(std::min(segment, bytes), 1);
  next_ = 0;
  count_ = std::max<std::size_t>((size_ + segment_ - 1) / segment_, 1);  // an empty one is one, too
  const bool single = count_ == 1;
  in_place_ = (single ? size_ <= each_ : segment_ == each_) && size_ <= ready_ * each_;
  if (in_place_) return;
  put_in_line();
  if (guesses_ && !single) guess();
}

/// The rest behind the slots is where it belongs already.
void TrainReader::put_in_line() {
  for (std::size_t i = 0; i < ready_ && i * each_ < size_; ++i) {
    const std::size_t offset = i * each_;
    std::memcpy(line_.get() + offset, vectors_[i].iov_base, std::min(each_, size_ - offset));
  }
}

/// A train whose datagrams do not fit the slots, or are too many, is not waited for.
void TrainReader::guess() {
  const std::size_t slots = (message_max - 1) / segment_ + 1;
  const bool fits = segment_ <= size_max_ && slots <= slots_max;
  each_ = fits ? segment_ : size_max_;
  slots_ = fits ? slots : 1;
}

Packet TrainReader::next(PacketPool& pool) {
  SENNIT_ASSERT(more());
  const std::size_t begin = next_ * segment_, size = std::min(segment_, size_ - begin);
  Packet packet;
  if (in_place_) {
    packet = std::move(slot_[next_++]);
    packet.resize(size);
    return packet;
  }
  ++next_;
  if (size > size_max_) return packet;
  packet = pool.allocate();
  if (!packet) return packet;
  std::memcpy(packet.writable().data(), line_.get() + begin, size);
  packet.resize(size);
  ++copied_;
  return packet;
}

}  // namespace sennit::offload
