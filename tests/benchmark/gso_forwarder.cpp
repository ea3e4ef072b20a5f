// The limit for a tunnel in user space: one end of a wire between a TUN and a UDP socket, without
// encryption, sequence numbers or any other protocol. The kernel's super-packets of up to 64 KiB
// cross it whole: one read(), one sendmsg() that the kernel cuts (UDP_SEGMENT), one recvmsg() that
// it merges again (UDP_GRO), one write(). Checksums stay undone all the way. No real link carries
// that (a lost datagram loses a whole super-packet), but nothing can be cheaper.
//
//   gso_forwarder DEVICE LOCAL:PORT REMOTE:PORT [--per-packet]
//
// --per-packet does what most tunnels do: no offload, one system call for a packet. The device is
// created; addresses, MTU and `ip link set DEVICE up gso_max_size 64000` are the caller's.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "real/offload/frame.h"

namespace {

using sennit::offload::VirtioHeader;

constexpr std::size_t buffer_size = 1 << 17;
constexpr std::size_t segment_size = 1472;  // fills a link of 1,500 bytes
constexpr int burst = 64;                   // packets of one side before the other has its turn

int check(int result, const char* what) {
  if (result >= 0) return result;
  std::perror(what);
  std::exit(1);
}

int open_tun(const char* name, bool offload) {
  const int fd = check(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "/dev/net/tun");
  ifreq request{};
  std::strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI | (offload ? IFF_VNET_HDR : 0));
  check(::ioctl(fd, TUNSETIFF, &request), name);
  if (!offload) return fd;
  constexpr unsigned long tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  constexpr unsigned long udp = 0x20 | 0x40;  // TUN_F_USO4, TUN_F_USO6: Linux 6.2
  if (::ioctl(fd, TUNSETOFFLOAD, tcp | udp) != 0)
    check(::ioctl(fd, TUNSETOFFLOAD, tcp), "TUNSETOFFLOAD");
  return fd;
}

sockaddr_in parse(const std::string& text) {
  const std::size_t colon = text.find(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (colon == std::string::npos ||
      ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    std::fprintf(stderr, "found '%s'; allowed: an IPv4 address, ':' and a port\n", text.c_str());
    std::exit(2);
  }
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1)));
  return address;
}

int open_socket(const std::string& local, const std::string& remote, bool offload) {
  const int fd = check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
  const int bytes = 16 << 20;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
  if (offload) {
    const int segment = segment_size, on = 1;
    check(::setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment), "UDP_SEGMENT");
    check(::setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on), "UDP_GRO");
  }
  const sockaddr_in from = parse(local), to = parse(remote);
  check(::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from), local.c_str());
  check(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), remote.c_str());
  return fd;
}

std::array<std::byte, buffer_size> buffer;

bool send_to_socket(int socket, std::size_t size) {
  return ::send(socket, buffer.data(), size, 0) >= 0 || errno == ECONNREFUSED;
}

/// Whole frames have their length in front, because the kernel may merge several small ones.
void tun_to_socket(int tun, int socket, bool offload) {
  const std::size_t room = offload ? sizeof(std::uint32_t) : 0;
  for (int i = 0; i < burst; ++i) {
    const ssize_t n = ::read(tun, buffer.data() + room, buffer.size() - room);
    if (n <= 0) return;
    const auto length = static_cast<std::uint32_t>(n);
    if (offload) std::memcpy(buffer.data(), &length, sizeof length);
    if (!send_to_socket(socket, room + length)) std::perror("send");
  }
}

void write_frames(int tun, std::size_t size) {
  std::uint32_t length = 0;
  for (std::size_t at = 0; at + sizeof length < size; at += length) {
    std::memcpy(&length, buffer.data() + at, sizeof length);
    at += sizeof length;
    if (length > size - at) return;  // the rest was lost
    if (::write(tun, buffer.data() + at, length) < 0) std::perror("write");
  }
}

void socket_to_tun(int tun, int socket, bool offload) {
  for (int i = 0; i < burst; ++i) {
    const ssize_t n = ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n <= 0) return;
    if (offload) {
      write_frames(tun, static_cast<std::size_t>(n));
    } else if (::write(tun, buffer.data(), static_cast<std::size_t>(n)) < 0) {
      std::perror("write");
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool per_packet = argc == 5 && std::string_view(argv[4]) == "--per-packet";
  if (argc != 4 && !per_packet) {
    std::fprintf(stderr, "gso_forwarder DEVICE LOCAL:PORT REMOTE:PORT [--per-packet]\n");
    return 2;
  }
  const int tun = open_tun(argv[1], !per_packet);
  const int socket = open_socket(argv[2], argv[3], !per_packet);
  std::printf("ready\n");
  std::fflush(stdout);
  for (;;) {
    std::array<pollfd, 2> ready{{{tun, POLLIN, 0}, {socket, POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) check(-1, "poll");
    if (ready[0].revents != 0) tun_to_socket(tun, socket, !per_packet);
    if (ready[1].revents != 0) socket_to_tun(tun, socket, !per_packet);
  }
}
