// Datagrams of one size that the kernel has merged (UDP_GRO) come as one message, and the size is
// told only with it. As with a TUN's frames (frame_reader.h) the last size is the guess for the
// next: one iovec per slot, so that a train of full datagrams is received into its slots without a
// copy, and so is a single datagram of any size. A wrong guess is put in line and copied.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "core/packet.h"

namespace sennit::offload {

class TrainReader {
 public:
  /// `guesses`: whether it keeps slots for a whole train, and not only for one datagram.
  /// `size_max`: of the pool's slots; larger datagrams come out as empty handles.
  explicit TrainReader(bool guesses, std::size_t size_max = packet_max);

  /// For one message of recvmsg(). Without slots in the pool there is still room to receive it.
  /// Needs !more().
  std::span<iovec> vectors(PacketPool& pool);
  /// A message of `bytes` came, of datagrams of `segment` bytes each; the last may be shorter.
  void filled(std::size_t bytes, std::size_t segment);
  bool more() const { return next_ < count_; }
  /// The next datagram, or an empty handle: there is no slot for it, and it is gone.
  [[nodiscard]] Packet next(PacketPool& pool);

  std::size_t copied() const { return copied_; }  // datagrams of wrong guesses

 private:
  static constexpr std::size_t slots_max = batch_max;
  static constexpr std::size_t message_max = 65536;

  void put_in_line();
  void guess();

  bool guesses_;
  std::size_t size_max_;
  std::size_t each_;       // bytes that a slot takes
  std::size_t slots_ = 1;  // that a message may fill
  std::size_t ready_ = 0;  // of them with a slot, in vectors_
  std::array<Packet, slots_max> slot_;
  std::array<iovec, slots_max + 1> vectors_{};  // slots, and the rest
  std::unique_ptr<std::byte[]> line_;           // a message in one piece
  std::size_t size_ = 0, segment_ = 0;
  std::size_t next_ = 0, count_ = 0;  // datagrams
  bool in_place_ = false;
  std::size_t copied_ = 0;
};

}  // namespace sennit::offload
