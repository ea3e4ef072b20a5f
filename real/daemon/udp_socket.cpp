#include "real/daemon/udp_socket.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cstring>

#include "real/config/endpoint.h"
#include "real/daemon/clock.h"

namespace sennit {
namespace {

// UDP_SEGMENT: as many segments as every kernel since 4.18 takes, and one datagram's largest size.
constexpr std::size_t segments_max = 64;
constexpr std::size_t message_max = 65'507;
// Room for what a path of 1 Gbit/s has in flight in 50 ms, and for a pause of this process.
constexpr int receive_buffer = 8 << 20;
// Enough that a device's queue, not the socket, is what fills; the core's pacer keeps it short.
constexpr int send_buffer = 4 << 20;
// A receive timestamp beyond this age is a stepped wall clock, not a packet that waited.
constexpr Duration stamp_age_max = 200ms;

bool set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/// Beyond the system's limit where we may, up to it where we may not.
void set_buffer(int fd, int forced, int plain, int bytes) {
  if (!set_option(fd, SOL_SOCKET, forced, bytes)) set_option(fd, SOL_SOCKET, plain, bytes);
}

template <class T>
void append(msghdr& header, cmsghdr*& at, int level, int type, const T& value) {
  at->cmsg_level = level;
  at->cmsg_type = type;
  at->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(at), &value, sizeof value);
  header.msg_controllen += CMSG_SPACE(sizeof value);
  at = reinterpret_cast<cmsghdr*>(reinterpret_cast<std::byte*>(at) + CMSG_SPACE(sizeof value));
}

template <class T>
T value_of(const cmsghdr* control) {
  T value;
  std::memcpy(&value, CMSG_DATA(control), sizeof value);
  return value;
}

Ecn ecn_of(int traffic_class) { return static_cast<Ecn>(traffic_class & 3); }

}  // namespace

UdpSocket::UdpSocket(sa_family_t family, const std::string& device, std::uint16_t port,
                     std::uint32_t mark)
    : fd_(socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
      family_(family),
      read_(std::make_unique_for_overwrite<ReadBuffers>()) {
  readers_.reserve(read_messages);
  for (std::size_t i = 0; i < read_messages; ++i) readers_.emplace_back(i == 0);
  const std::string where = "a UDP socket to " + device + ", port " + std::to_string(port);
  if (!fd_) fail_with_errno("open " + where);
  set_options(family, device, mark);
  sockaddr_in6 any6{};
  any6.sin6_family = AF_INET6;
  any6.sin6_port = htons(port);
  sockaddr_in any4{};
  any4.sin_family = AF_INET;
  any4.sin_port = htons(port);
  const bool ipv6 = family == AF_INET6;
  const auto* any =
      ipv6 ? reinterpret_cast<const sockaddr*>(&any6) : reinterpret_cast<const sockaddr*>(&any4);
  if (bind(fd_.get(), any, ipv6 ? sizeof any6 : sizeof any4) != 0) fail_with_errno("bind " + where);
}

void UdpSocket::set_options(sa_family_t family, const std::string& device, std::uint32_t mark) {
  const int fd = fd_.get();
  if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                 static_cast<socklen_t>(device.size())) != 0) {
    fail_with_errno("bind a UDP socket to the device " + device);
  }
  if (mark != 0 && !set_option(fd, SOL_SOCKET, SO_MARK, static_cast<int>(mark))) {
    fail_with_errno("mark the UDP socket of " + device);
  }
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, receive_buffer);
  set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, send_buffer);
  // Never fragmented, whatever an ICMP message said about the path: the core chooses the size.
  if (family == AF_INET6) {
    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
  } else {
    set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  }
  set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  coalesce_ = set_option(fd, SOL_UDP, UDP_GRO, 1);
  segment_ = set_option(fd, SOL_UDP, UDP_SEGMENT, 0);  // 0 changes nothing, and says if it is there
}

// --- out -----------------------------------------------------------------------------------------

void UdpSocket::push(Transmit& transmit) {
  SENNIT_ASSERT(can_take());
  const std::size_t first = packets_end_;
  for (Packet& packet : transmit.datagrams.all()) {
    const auto bytes = packet.bytes();
    vectors_[packets_end_] = {bytes.data(), bytes.size()};
    packets_[packets_end_++] = std::move(packet);
  }
  const std::size_t size = std::max<std::size_t>(transmit.segment_size, 1);
  const std::size_t step = segment_ ? std::min(segments_max, message_max / size) : 1;
  for (std::size_t i = first; i < packets_end_; i += step) {
    add_message(i, std::min(step, packets_end_ - i), transmit);
  }
}

void UdpSocket::add_message(std::size_t first, std::size_t count, const Transmit& transmit) {
  messages_[messages_end_++] = {static_cast<std::uint16_t>(first),
                                static_cast<std::uint16_t>(count), transmit.segment_size,
                                transmit.ecn, transmit.destination};
}

bool UdpSocket::flush() {
  std::array<mmsghdr, batch_max> headers;
  std::array<Control, batch_max> control;
  while (!idle()) {
    const std::size_t count = prepare(headers, control);
    const int sent = sendmmsg(fd_.get(), headers.data(), static_cast<unsigned>(count), 0);
    if (sent > 0) {
      next_ += static_cast<std::size_t>(sent);
    } else if (!handle_send_error(errno)) {
      ++counters_.blocked;
      return false;
    }
  }
  reset_when_idle();
  return true;
}

std::size_t UdpSocket::prepare(std::span<mmsghdr> headers, std::span<Control> control) {
  const std::size_t count = std::min(headers.size(), messages_end_ - next_);
  for (std::size_t i = 0; i < count; ++i) {
    Message& message = messages_[next_ + i];
    msghdr& header = headers[i].msg_hdr;
    header = {};
    header.msg_name = message.destination.bytes.data();
    header.msg_namelen = size_of(message.destination);
    header.msg_iov = &vectors_[message.first];
    header.msg_iovlen = message.count;
    fill_control(header, control[i], message);
  }
  return count;
}

void UdpSocket::fill_control(msghdr& header, Control& control, const Message& message) const {
  auto* at = reinterpret_cast<cmsghdr*>(control.bytes.data());
  if (message.count > 1) append(header, at, SOL_UDP, UDP_SEGMENT, message.segment_size);
  if (message.ecn != Ecn::not_ect) {
    const bool ipv6 = family_ == AF_INET6;
    append(header, at, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_TCLASS : IP_TOS,
           static_cast<int>(message.ecn));
  }
  if (header.msg_controllen > 0) header.msg_control = control.bytes.data();
}

// What the first waiting message met. False: nothing more can be sent now.
bool UdpSocket::handle_send_error(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK) return false;
  if (error == EINTR) return true;
  const bool many = messages_[next_].count > 1;
  // EIO: the device cannot checksum, so the kernel refuses to segment for it.
  if (many && error == EIO) segment_ = false;
  if (many && (error == EIO || error == EINVAL || error == EMSGSIZE)) {
    split_first();
  } else {
    drop_first(error);
  }
  return true;
}

// One message per datagram instead. Messages before next_ are done, so there is room: there are
// never more messages than packets.
void UdpSocket::split_first() {
  const Message whole = messages_[next_];
  const std::size_t extra = std::size_t{whole.count} - 1;
  std::copy_backward(messages_.begin() + static_cast<std::ptrdiff_t>(next_ + 1),
                     messages_.begin() + static_cast<std::ptrdiff_t>(messages_end_),
                     messages_.begin() + static_cast<std::ptrdiff_t>(messages_end_ + extra));
  messages_end_ += extra;
  for (std::size_t i = 0; i <= extra; ++i) {
    Message& single = messages_[next_ + i] = whole;
    single.first = static_cast<std::uint16_t>(whole.first + i);
    single.count = 1;
  }
}

void UdpSocket::drop_first(int error) {
  counters_.send_errors += messages_[next_++].count;
  counters_.last_error = error;
}

void UdpSocket::reset_when_idle() {
  for (std::size_t i = 0; i < packets_end_; ++i) Packet sent = std::move(packets_[i]);
  packets_end_ = next_ = messages_end_ = 0;
}

// --- in ------------------------------------------------------------------------------------------

std::size_t UdpSocket::receive(Instant now, PacketPool& pool, std::span<Datagram> out) {
  std::size_t filled = 0;
  more_waits_ = true;
  // Bounded also when none finds a slot, so that a flood cannot keep us here.
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (received_next_ == received_end_) {
      if (read_from_kernel(pool) == 0) {
        more_waits_ = false;
        break;
      }
      const Duration to_monotonic = now.time_since_epoch() - realtime_now();
      train_ = false;
      for (std::size_t j = 0; j < received_end_; ++j) {
        received_[j] = describe(j, to_monotonic, now);
        const std::size_t size = read_->headers[j].msg_len;
        readers_[j].filled(size, received_[j].segment_size);
        train_ |= size > received_[j].segment_size;
      }
    }
    if (take(pool, out[filled])) ++filled;
  }
  return filled;
}

// Trains one by one, so that each goes into slots that are still in the cache when it is opened;
// what comes singly in one call.
std::size_t UdpSocket::read_from_kernel(PacketPool& pool) {
  const std::size_t most = train_ ? 1 : read_messages;
  for (std::size_t i = 0; i < most; ++i) {
    const auto vectors = readers_[i].vectors(pool);
    msghdr& header = read_->headers[i].msg_hdr;
    header = {};
    header.msg_name = &read_->source[i];
    header.msg_namelen = sizeof(sockaddr_storage);
    header.msg_iov = vectors.data();
    header.msg_iovlen = vectors.size();
    header.msg_control = read_->control[i].bytes.data();
    header.msg_controllen = control_size;
  }
  const int count =
      recvmmsg(fd_.get(), read_->headers.data(), static_cast<unsigned>(most), 0, nullptr);
  received_next_ = 0;
  received_end_ = count > 0 ? static_cast<std::size_t>(count) : 0;
  return received_end_;
}

UdpSocket::Received UdpSocket::describe(std::size_t i, Duration to_monotonic, Instant now) const {
  mmsghdr& message = read_->headers[i];
  Received received{message.msg_len, now, Ecn::not_ect, to_address(read_->source[i])};
  msghdr& header = message.msg_hdr;
  for (cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr; at = CMSG_NXTHDR(&header, at)) {
    if (at->cmsg_level == SOL_UDP && at->cmsg_type == UDP_GRO) {
      received.segment_size = std::max<std::size_t>(static_cast<std::size_t>(value_of<int>(at)), 1);
    } else if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SO_TIMESTAMPNS) {
      const Instant stamp{to_duration(value_of<timespec>(at)) + to_monotonic};
      if (stamp <= now && stamp > now - stamp_age_max) received.arrived = stamp;
    } else if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_TOS) {
      received.ecn = ecn_of(value_of<std::uint8_t>(at));
    } else if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_TCLASS) {
      received.ecn = ecn_of(value_of<int>(at));
    }
  }
  return received;
}

// The next datagram of what was read. False when it had to be dropped.
bool UdpSocket::take(PacketPool& pool, Datagram& out) {
  offload::TrainReader& reader = readers_[received_next_];
  const Received& received = received_[received_next_];
  const bool oversized = received.segment_size > packet_max;
  out.packet = reader.next(pool);
  if (!reader.more()) ++received_next_;
  if (!out.packet) {
    ++(oversized ? counters_.oversized : counters_.refused);
    return false;
  }
  out.arrived = received.arrived;
  out.source = received.source;
  out.ecn = received.ecn;
  return true;
}

}  // namespace sennit
