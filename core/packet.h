// One packet = one slot of a pool = [ headroom | bytes | tailroom ]. Packets are moved, never
// copied. What the core knows about a packet (PacketInfo) lives in the slot's own cache line, so a
// queue of packets is a linked list through the slots and needs no memory of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "core/assert.h"
#include "core/bounds.h"
#include "core/units.h"

namespace sennit {

class PacketPool;

/// What the core has learned about a packet. Filled step by step on its way; plain data.
struct PacketInfo {
  Instant since{};                  // entered the queue that it is in, or arrived from the network
  DataSeq sequence{};               // in its class; set when it is committed to a path
  std::uint32_t flow_hash = 0;      // of the inner 5-tuple; its low ten bits are the flow bucket
  std::uint32_t sent_us = 0;        // receiver: the sender's timestamp, µs, wrapping
  std::uint32_t flow_sequence = 0;  // order within the flow bucket; 22 bits on the wire
  ClassId class_id{};
  Ecn ecn = Ecn::not_ect;  // of the inner header
  std::uint8_t path = 0;   // receiver: came in on this path
  std::uint8_t flags = 0;  // see PacketFlag
};

/// Bits of PacketInfo::flags.
struct PacketFlag {
  static constexpr std::uint8_t sparse = 1;    // of a flow that FQ-CoDel holds to be new
  static constexpr std::uint8_t overtook = 2;  // sent out of sequence order: proves nothing
  static constexpr std::uint8_t copy = 4;      // a duplicate made on purpose
  static constexpr std::uint8_t stream = 8;    // InnerHeader::stream
};

/// Owner of one slot, eight bytes wide. Destroying it gives the slot back. Single-threaded by
/// design: one pool per core.
class Packet {
 public:
  Packet() = default;
  Packet(Packet&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
  Packet& operator=(Packet&& other) noexcept {
    std::swap(slot_, other.slot_);
    return *this;
  }
  ~Packet() {
    if (slot_ != nullptr) release();
  }

  explicit operator bool() const { return slot_ != nullptr; }
  std::size_t size() const { return slot_->size; }
  std::span<std::byte> bytes() { return {base() + slot_->begin, slot_->size}; }
  std::span<const std::byte> bytes() const { return {base() + slot_->begin, slot_->size}; }
  PacketInfo& info() { return slot_->info; }
  const PacketInfo& info() const { return slot_->info; }

  /// All the room after the headroom, for a reader (readv, recvmmsg, Packet::CopyData) to fill;
  /// then resize().
  std::span<std::byte> writable() {
    return {base() + slot_->begin, std::size_t{slot_->capacity} - slot_->begin - tailroom};
  }
  void resize(std::size_t n) {
    SENNIT_ASSERT(std::size_t{slot_->begin} + n <= slot_->capacity);
    slot_->size = static_cast<std::uint16_t>(n);
  }

  void prefetch() const { __builtin_prefetch(slot_, 1); }

  /// Grow at the front (frame header) or at the back (tag) without moving the payload.
  std::span<std::byte> prepend(std::size_t n) {
    SENNIT_ASSERT(n <= slot_->begin);
    slot_->begin = static_cast<std::uint16_t>(slot_->begin - n);
    slot_->size = static_cast<std::uint16_t>(slot_->size + n);
    return {base() + slot_->begin, n};
  }
  std::span<std::byte> append(std::size_t n) {
    SENNIT_ASSERT(std::size_t{slot_->begin} + slot_->size + n <= slot_->capacity);
    slot_->size = static_cast<std::uint16_t>(slot_->size + n);
    return {base() + slot_->begin + slot_->size - n, n};
  }
  void drop_front(std::size_t n) {
    SENNIT_ASSERT(n <= slot_->size);
    slot_->begin = static_cast<std::uint16_t>(slot_->begin + n);
    slot_->size = static_cast<std::uint16_t>(slot_->size - n);
  }
  void drop_back(std::size_t n) {
    SENNIT_ASSERT(n <= slot_->size);
    slot_->size = static_cast<std::uint16_t>(slot_->size - n);
  }

 private:
  friend class PacketPool;
  friend class PacketList;
  struct alignas(64) Slot {  // one cache line of bookkeeping, then the bytes
    PacketPool* pool;
    Slot* next;  // in the pool's free list, or in the PacketList that holds the packet
    std::uint16_t begin, size, capacity;
    PacketInfo info;
  };
  explicit Packet(Slot* slot) : slot_(slot) {}
  Slot* detach() { return std::exchange(slot_, nullptr); }
  std::byte* base() const { return reinterpret_cast<std::byte*>(slot_ + 1); }
  inline void release();
  Slot* slot_ = nullptr;
};
static_assert(sizeof(Packet) == sizeof(void*));

/// Allocated once; never grows. An empty answer is backpressure: the driver stops reading its TUN.
/// The free list is last in, first out, and slots that were never needed are never touched, so the
/// memory in use is as small as the load allows.
class PacketPool {
 public:
  /// `slots` packets of up to `size_max` bytes each.
  explicit PacketPool(std::size_t slots, std::size_t size_max = packet_max);
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;
  ~PacketPool() { SENNIT_ASSERT(available_ == slots_); }  // a leak is a bug, and is found here

  /// An empty packet with the headroom free in front, or an empty handle.
  [[nodiscard]] Packet allocate() {
    if (free_ == nullptr && !touch_next()) return {};
    Packet::Slot* slot = std::exchange(free_, free_->next);
    slot->begin = headroom;
    slot->size = 0;
    slot->info = {};
    --available_;
    return Packet{slot};
  }
  /// Calls the slot that allocate() gives next into the cache, with room for `size` bytes. A slot's
  /// last use is often a round trip ago, and waiting for its memory can cost half of what sealing a
  /// packet costs; asked for one packet ahead, it costs nothing.
  void prefetch(std::size_t size) const {
    if (free_ == nullptr) return;
    const std::byte* slot = reinterpret_cast<const std::byte*>(free_);
    __builtin_prefetch(slot, 1);
    const std::byte* begin = slot + sizeof(Packet::Slot) + headroom;
    for (std::size_t at = 0; at < size; at += 64) __builtin_prefetch(begin + at, 1);
  }
  std::size_t available() const { return available_; }
  std::size_t slots() const { return slots_; }

 private:
  friend class Packet;
  struct Free {
    void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{64}); }
  };
  inline bool touch_next();

  std::unique_ptr<std::byte[], Free> memory_;
  Packet::Slot* free_ = nullptr;  // those that came back
  std::size_t slots_, capacity_;
  std::size_t touched_ = 0;  // from here on, slots have never been used
  std::size_t available_ = 0;
};

inline void Packet::release() {
  PacketPool& pool = *slot_->pool;
  slot_->next = std::exchange(pool.free_, slot_);
  ++pool.available_;
}

inline PacketPool::PacketPool(std::size_t slots, std::size_t size_max)
    : slots_(slots), capacity_((headroom + size_max + tailroom + 63) / 64 * 64), available_(slots) {
  const std::size_t size = slots * (sizeof(Packet::Slot) + capacity_);
  memory_.reset(static_cast<std::byte*>(::operator new[](size, std::align_val_t{64})));
}

/// Puts a slot that was never used on the free list; false when there is none.
inline bool PacketPool::touch_next() {
  if (touched_ == slots_) return false;
  std::byte* at = memory_.get() + touched_++ * (sizeof(Packet::Slot) + capacity_);
  free_ = new (at) Packet::Slot{this, nullptr, 0, 0, static_cast<std::uint16_t>(capacity_), {}};
  return true;
}

/// First in, first out, through the slots themselves: no allocation and no bound but the pool.
class PacketList {
 public:
  PacketList() = default;
  PacketList(PacketList&& other) noexcept
      : head_(std::exchange(other.head_, nullptr)),
        tail_(std::exchange(other.tail_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        bytes_(std::exchange(other.bytes_, Bytes{})) {}
  PacketList& operator=(PacketList&& other) noexcept {
    std::swap(head_, other.head_);
    std::swap(tail_, other.tail_);
    std::swap(size_, other.size_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~PacketList() { clear(); }

  bool empty() const { return head_ == nullptr; }
  std::size_t size() const { return size_; }
  Bytes bytes() const { return bytes_; }

  void push_back(Packet packet) {
    Packet::Slot* slot = packet.detach();
    slot->next = nullptr;
    (tail_ != nullptr ? tail_->next : head_) = slot;
    tail_ = slot;
    count(slot, 1);
  }
  void push_front(Packet packet) {
    Packet::Slot* slot = packet.detach();
    slot->next = head_;
    head_ = slot;
    if (tail_ == nullptr) tail_ = slot;
    count(slot, 1);
  }
  /// An empty handle when the list is empty.
  Packet pop_front() {
    if (head_ == nullptr) return {};
    Packet::Slot* slot = std::exchange(head_, head_->next);
    if (head_ == nullptr) tail_ = nullptr;
    count(slot, -1);
    return Packet{slot};
  }
  const PacketInfo& front_info() const { return head_->info; }
  std::size_t front_size() const { return head_->size; }
  void clear() {
    while (!empty()) pop_front();
  }

 private:
  void count(const Packet::Slot* slot, int sign) {
    size_ = sign > 0 ? size_ + 1 : size_ - 1;
    bytes_ += Bytes{sign * std::int64_t{slot->size}};
  }
  Packet::Slot* head_ = nullptr;
  Packet::Slot* tail_ = nullptr;
  std::size_t size_ = 0;
  Bytes bytes_{};
};

/// A vector with room for N and no allocation.
template <class T, std::size_t N>
class Batch {
 public:
  void push(T&& x) {
    SENNIT_ASSERT(size_ < N);
    items_[size_++] = std::move(x);
  }
  void clear() {
    for (std::size_t i = 0; i < size_; ++i) T discarded = std::move(items_[i]);
    size_ = 0;
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == N; }
  T& operator[](std::size_t i) {
    SENNIT_ASSERT(i < size_);
    return items_[i];
  }
  std::span<T> all() { return {items_, size_}; }

 private:
  T items_[N]{};
  std::size_t size_ = 0;
};

}  // namespace sennit
