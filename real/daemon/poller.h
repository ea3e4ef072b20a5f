// epoll, with sleeps as exact as the core's pacer asks: epoll_wait() counts milliseconds, in which
// a link of 10 Gbit/s sends 800 packets.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>

#include "core/units.h"
#include "real/daemon/fd.h"

namespace sennit {

/// Who a descriptor belongs to.
struct Tag {
  enum class Kind : std::uint16_t { signal, tun, socket, netlink, listener, client };
  Kind kind{};
  std::uint16_t family = 0;  // of a socket
  std::uint32_t index = 0;   // of a socket's link; a client's descriptor
};

struct Ready {
  Tag tag;
  bool readable = false, writable = false;
};

class Poller {
 public:
  /// Throws std::system_error.
  Poller();
  /// Told once whenever there is more to read, not for as long as there is something.
  void add_edge(int fd, Tag tag) { control(EPOLL_CTL_ADD, fd, tag, EPOLLIN | EPOLLET); }
  void add(int fd, Tag tag) { control(EPOLL_CTL_ADD, fd, tag, EPOLLIN); }
  /// Of a descriptor that was added with add_edge().
  void want_writable(int fd, Tag tag, bool yes) {
    control(EPOLL_CTL_MOD, fd, tag, EPOLLIN | EPOLLET | (yes ? std::uint32_t{EPOLLOUT} : 0u));
  }

  /// Sleeps for `most` (Duration::max() = for ever) or until something is ready.
  std::span<const Ready> wait(Duration most);

 private:
  static constexpr int ready_max = 64;
  void control(int operation, int fd, Tag tag, std::uint32_t events);

  Fd fd_;
  std::array<epoll_event, ready_max> events_{};
  std::array<Ready, ready_max> ready_{};
};

}  // namespace sennit
