// One UDP socket on one network device, read and written in batches. The kernel is asked for the
// forms that carry many datagrams per call (sendmmsg, recvmmsg, UDP_SEGMENT, UDP_GRO), because a
// system call per datagram is most of what a tunnel costs. What it refuses is done without, and
// said once.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/tunnel.h"
#include "real/daemon/fd.h"
#include "real/offload/train_reader.h"

namespace sennit {

struct UdpCounters {
  std::uint64_t send_errors = 0;  // datagrams that the kernel refused for good
  int last_error = 0;             // errno of the last one
  std::uint64_t oversized = 0;    // received, and larger than a slot
  std::uint64_t refused = 0;      // received, and no slot was free
  std::uint64_t blocked = 0;      // times that the socket's buffer was full
};

class UdpSocket {
 public:
  /// Bound to `device` and `port`, any address, so a new address of the device needs nothing.
  /// `mark` is SO_MARK, 0 = none. Throws std::system_error.
  UdpSocket(sa_family_t family, const std::string& device, std::uint16_t port, std::uint32_t mark);

  int fd() const { return fd_.get(); }

  /// Takes the datagrams; they leave with flush(). Needs can_take().
  void push(Transmit& transmit);
  bool can_take() const { return packets_end_ + batch_max <= packets_.size(); }
  /// Sends what it can. False: the socket is full, and the rest waits for it to be writable.
  bool flush();
  bool idle() const { return next_ == messages_end_; }

  /// Fills up to `out.size()` datagrams, all but their path; returns how many. Zero: nothing waits.
  /// Always of the same pool, which must live longer: slots are kept for the next call.
  std::size_t receive(Instant now, PacketPool& pool, std::span<Datagram> out);

  /// More may wait than receive() returned.
  bool more_waits() const { return more_waits_; }

  bool segments() const { return segment_; }    // UDP_SEGMENT in use
  bool coalesces() const { return coalesce_; }  // UDP_GRO in use
  const UdpCounters& counters() const { return counters_; }

 private:
  // A message is at most one UDP_SEGMENT send: 64 segments, and a datagram's largest size.
  static constexpr std::size_t waiting_max = 4 * batch_max;
  struct Message {
    std::uint16_t first, count, segment_size;
    Ecn ecn;
    Address destination;
  };
  static constexpr std::size_t read_messages = 16;
  static constexpr std::size_t control_size = 128;
  struct Control {
    alignas(cmsghdr) std::array<std::byte, control_size> bytes;
  };
  /// What is known of one received message, which UDP_GRO may have made of many datagrams.
  struct Received {
    std::size_t segment_size = 0;
    Instant arrived{};
    Ecn ecn = Ecn::not_ect;
    Address source{};
  };
  struct ReadBuffers {
    std::array<Control, read_messages> control;
    std::array<sockaddr_storage, read_messages> source;
    std::array<mmsghdr, read_messages> headers;
  };

  void set_options(sa_family_t family, const std::string& device, std::uint32_t mark);
  void add_message(std::size_t first, std::size_t count, const Transmit& transmit);
  std::size_t prepare(std::span<mmsghdr> headers, std::span<Control> control);
  void fill_control(msghdr& header, Control& control, const Message& message) const;
  bool handle_send_error(int error);
  void split_first();
  void drop_first(int error);
  void reset_when_idle();
  std::size_t read_from_kernel(PacketPool& pool);
  Received describe(std::size_t i, Duration to_monotonic, Instant now) const;
  bool take(PacketPool& pool, Datagram& out);

  Fd fd_;
  sa_family_t family_;
  bool segment_ = true, coalesce_ = false;
  UdpCounters counters_;

  std::array<Packet, waiting_max> packets_;  // those of messages_[next_ .. messages_end_)
  std::array<iovec, waiting_max> vectors_;
  std::array<Message, waiting_max> messages_;
  std::size_t packets_end_ = 0, next_ = 0, messages_end_ = 0;

  std::unique_ptr<ReadBuffers> read_;
  std::vector<offload::TrainReader> readers_;  // one per message
  std::array<Received, read_messages> received_;
  std::size_t received_next_ = 0, received_end_ = 0;
  bool train_ = false;  // among the last messages was more than one datagram
  bool more_waits_ = false;
};

}  // namespace sennit
