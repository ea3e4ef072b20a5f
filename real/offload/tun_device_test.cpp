// The kernel is the judge: two devices in two network namespaces, their packets pumped from one to
// the other, and Linux's own TCP and UDP over them. Needs CAP_NET_ADMIN; skipped without.
#include "real/offload/tun_device.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/ipv6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace sennit::offload {
namespace {

constexpr int mtu = 1400;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) { SENNIT_ASSERT(fd >= 0); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(fd_); }
  int get() const { return fd_; }

 private:
  int fd_;
};

/// This thread's network namespace, put back at the end.
class OwnNamespaces {
 public:
  OwnNamespaces() : home_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {}
  ~OwnNamespaces() { SENNIT_ASSERT(::setns(home_.get(), CLONE_NEWNET) == 0); }
  static bool enter_new() { return ::unshare(CLONE_NEWNET) == 0; }

 private:
  Descriptor home_;
};

void bring_up(const std::string& name, int host) {
  const Descriptor socket4(::socket(AF_INET, SOCK_DGRAM, 0));
  ifreq request{};
  name.copy(request.ifr_name, sizeof request.ifr_name - 1);
  auto* address = reinterpret_cast<sockaddr_in*>(&request.ifr_addr);
  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl(0x0a090000u + static_cast<unsigned>(host));
  SENNIT_ASSERT(::ioctl(socket4.get(), SIOCSIFADDR, &request) == 0);
  address->sin_addr.s_addr = htonl(0xffffff00u);
  SENNIT_ASSERT(::ioctl(socket4.get(), SIOCSIFNETMASK, &request) == 0);
  request.ifr_mtu = mtu;
  SENNIT_ASSERT(::ioctl(socket4.get(), SIOCSIFMTU, &request) == 0);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  SENNIT_ASSERT(::ioctl(socket4.get(), SIOCSIFFLAGS, &request) == 0);
}

sockaddr_in address_of(int host) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(7000);
  address.sin_addr.s_addr = htonl(0x0a090000u + static_cast<unsigned>(host));
  return address;
}

/// Two devices and a thread that carries packets between them until it is destroyed.
class Tunnel {
 public:
  Tunnel(Layer layer, bool merges) : merges_(merges) {
    // One namespace each; sockets belong to the namespace in which they are made.
    SENNIT_ASSERT(OwnNamespaces::enter_new());
    a_ = std::make_unique<TunDevice>("a%d", layer);
    bring_up(a_->name(), 1);
    listener_ = std::make_unique<Descriptor>(::socket(AF_INET, SOCK_STREAM, 0));
    receiver_ = std::make_unique<Descriptor>(::socket(AF_INET, SOCK_DGRAM, 0));
    const sockaddr_in here = address_of(1);
    const auto* generic = reinterpret_cast<const sockaddr*>(&here);
    SENNIT_ASSERT(::bind(listener_->get(), generic, sizeof here) == 0);
    SENNIT_ASSERT(::listen(listener_->get(), 1) == 0);
    SENNIT_ASSERT(::bind(receiver_->get(), generic, sizeof here) == 0);
    SENNIT_ASSERT(OwnNamespaces::enter_new());
    b_ = std::make_unique<TunDevice>("b%d", layer);
    bring_up(b_->name(), 2);
    sender_ = std::make_unique<Descriptor>(::socket(AF_INET, SOCK_STREAM, 0));
    datagrams_ = std::make_unique<Descriptor>(::socket(AF_INET, SOCK_DGRAM, 0));
    pump_ = std::thread([this] { pump(); });
  }
  ~Tunnel() {
    stop_ = true;
    pump_.join();
  }

  int listener() const { return listener_->get(); }
  int sender() const { return sender_->get(); }
  int receiver() const { return receiver_->get(); }
  int datagrams() const { return datagrams_->get(); }
  const TunDevice& a() const { return *a_; }
  const TunDevice& b() const { return *b_; }
  void finish() {
    stop_ = true;
    pump_.join();
    pump_ = std::thread([] {});
  }

 private:
  void pump() {
    while (!stop_) {
      pollfd ready[] = {{a_->fd(), POLLIN, 0}, {b_->fd(), POLLIN, 0}};
      ::poll(ready, 2, 10);
      carry(*a_, *b_);
      carry(*b_, *a_);
    }
  }
  void carry(TunDevice& from, TunDevice& to) {
    std::array<Packet, batch_max> batch;
    const std::size_t n = from.read(pool_, batch);
    if (merges_) return to.write(std::span{batch}.first(n));
    for (std::size_t i = 0; i < n; ++i) to.write(std::span{batch}.subspan(i, 1));
  }

  PacketPool pool_{512};
  bool merges_;
  std::unique_ptr<TunDevice> a_, b_;
  std::unique_ptr<Descriptor> listener_, receiver_, sender_, datagrams_;
  std::atomic<bool> stop_ = false;
  std::thread pump_;
};

std::byte pattern(std::size_t i) { return static_cast<std::byte>(i * 2654435761u >> 13); }

void send_all(int fd, std::size_t total) {
  std::vector<std::byte> bytes(total);
  for (std::size_t i = 0; i < total; ++i) bytes[i] = pattern(i);
  for (std::size_t at = 0; at < total;) {
    const ssize_t n = ::send(fd, &bytes[at], total - at, 0);
    SENNIT_ASSERT(n > 0);
    at += static_cast<std::size_t>(n);
  }
  ::shutdown(fd, SHUT_WR);
}

/// How many bytes came before the first wrong one.
std::size_t receive_right(int fd) {
  std::vector<std::byte> bytes(1 << 18);
  std::size_t total = 0;
  for (ssize_t n; (n = ::recv(fd, bytes.data(), bytes.size(), 0)) > 0;) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      if (bytes[i] != pattern(total)) return total;
      ++total;
    }
  }
  return total;
}

void stream_through(Layer layer, bool merges) {
  constexpr std::size_t total = 20'000'000;
  Tunnel tunnel(layer, merges);
  std::size_t received = 0;
  std::thread server([&] {
    const Descriptor connection(::accept(tunnel.listener(), nullptr, nullptr));
    received = receive_right(connection.get());
  });
  const sockaddr_in there = address_of(1);
  ASSERT_EQ(::connect(tunnel.sender(), reinterpret_cast<const sockaddr*>(&there), sizeof there), 0);
  send_all(tunnel.sender(), total);
  server.join();
  EXPECT_EQ(received, total);
  tcp_info info{};
  socklen_t size = sizeof info;
  ASSERT_EQ(::getsockopt(tunnel.sender(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  // A wrong checksum would cost every segment; a busy machine makes TCP repeat one or two.
  EXPECT_LT(info.tcpi_total_retrans, 100u);
  tunnel.finish();
  const TunCounters& in = tunnel.b().counters();
  const TunCounters& out = tunnel.a().counters();
  EXPECT_GT(in.packets_read, 5 * in.frames_read);
  EXPECT_EQ(in.malformed + out.malformed + in.write_errors + out.write_errors, 0u);
  EXPECT_EQ(out.packets_written > 5 * out.frames_written, merges);
}

bool may_make_devices() {
  const OwnNamespaces home;
  return OwnNamespaces::enter_new() && ::access("/dev/net/tun", R_OK | W_OK) == 0;
}
#define SENNIT_NEEDS_ROOT()                                                                    \
  if (!may_make_devices())                                                                     \
  GTEST_SKIP() << "no CAP_NET_ADMIN or no /dev/net/tun; it runs as root where there is a TUN " \
                  "driver"

TEST(TunDevice, the_kernels_tcp_takes_what_was_split) {
  SENNIT_NEEDS_ROOT();
  const OwnNamespaces home;
  stream_through(Layer::ip, false);
  stream_through(Layer::ethernet, false);
}

TEST(TunDevice, the_kernels_tcp_takes_what_was_merged) {
  SENNIT_NEEDS_ROOT();
  const OwnNamespaces home;
  stream_through(Layer::ip, true);
  stream_through(Layer::ethernet, true);
}

TEST(TunDevice, the_kernels_udp_gets_every_datagram_of_a_super_packet) {
  SENNIT_NEEDS_ROOT();
  const OwnNamespaces home;
  Tunnel tunnel(Layer::ip, true);
  const int segment = 1200;
  ASSERT_EQ(::setsockopt(tunnel.datagrams(), SOL_UDP, UDP_SEGMENT, &segment, sizeof segment), 0);
  std::vector<std::byte> bytes(20 * 1200 + 7);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = pattern(i);
  const sockaddr_in there = address_of(1);
  ASSERT_EQ(::sendto(tunnel.datagrams(), bytes.data(), bytes.size(), 0,
                     reinterpret_cast<const sockaddr*>(&there), sizeof there),
            static_cast<ssize_t>(bytes.size()));
  const timeval patience{5, 0};
  ::setsockopt(tunnel.receiver(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::vector<std::byte> received, datagram(2000);
  for (int i = 0; i < 21; ++i) {
    const ssize_t n = ::recv(tunnel.receiver(), datagram.data(), datagram.size(), 0);
    ASSERT_EQ(n, i < 20 ? 1200 : 7) << "datagram " << i;
    received.insert(received.end(), datagram.begin(), datagram.begin() + n);
  }
  EXPECT_EQ(received, bytes);
  tunnel.finish();
  if (tunnel.a().features().uso) {
    EXPECT_LT(tunnel.b().counters().frames_read, 10u);
    EXPECT_LT(tunnel.a().counters().frames_written, 10u);
  }
}

TEST(TunDevice, says_what_it_could_not_do) {
  SENNIT_NEEDS_ROOT();
  const OwnNamespaces home;
  ASSERT_TRUE(OwnNamespaces::enter_new());
  const auto words_of = [](auto make) {
    try {
      make();
    } catch (const std::system_error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(words_of([] { TunDevice("a_name_that_is_too_long", Layer::ip); }),
            "cannot name a device a_name_that_is_too_long (allowed: 15 characters): "
            "File name too long");
  const TunDevice first("taken", Layer::ip);
  EXPECT_EQ(words_of([] { TunDevice("taken", Layer::ip); }),
            "cannot create the device taken: Device or resource busy");
}

}  // namespace
}  // namespace sennit::offload
