#include "real/offload/tun_device.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace sennit::offload {
namespace {

// <linux/if_tun.h> has these since 6.2; older kernels refuse them.
constexpr unsigned uso4 = 0x20, uso6 = 0x40;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), "cannot " + what);
}

int open_clone_device() {
  const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) fail("open /dev/net/tun (needs the tun module and CAP_NET_ADMIN)");
  return fd;
}

}  // namespace

TunDevice::TunDevice(const std::string& name, Layer layer, std::size_t size_max)
    : fd_(open_clone_device()), reader_(layer, true, size_max), coalescer_(layer, {}) {
  try {
    attach(name, layer);
  } catch (...) {
    ::close(fd_);
    throw;
  }
  probe_offloads();
  if (!features_.virtio) reader_ = FrameReader(layer, false, size_max);
  // Writing takes what TSO can say since IFF_VNET_HDR exists; USO came to both directions at once.
  coalescer_ = Coalescer(layer, {features_.virtio, features_.virtio, features_.uso});
}

TunDevice::~TunDevice() { ::close(fd_); }

void TunDevice::attach(const std::string& name, Layer layer) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) {
    errno = ENAMETOOLONG;
    fail("name a device " + name + " (allowed: 15 characters)");
  }
  std::memcpy(request.ifr_name, name.data(), name.size());
  const int kind = (layer == Layer::ip ? IFF_TUN : IFF_TAP) | IFF_NO_PI;
  request.ifr_flags = static_cast<short>(kind | IFF_VNET_HDR);
  features_.virtio = ::ioctl(fd_, TUNSETIFF, &request) == 0;
  if (!features_.virtio) {
    if (errno != EINVAL) fail("create the device " + name);
    request.ifr_flags = static_cast<short>(kind);
    if (::ioctl(fd_, TUNSETIFF, &request) != 0) fail("create the device " + name);
  }
  name_ = request.ifr_name;
}

/// Asks for all, then for less: TUNSETOFFLOAD takes a set or refuses it as a whole.
void TunDevice::probe_offloads() {
  int size = sizeof(VirtioHeader);
  if (!features_.virtio || ::ioctl(fd_, TUNSETVNETHDRSZ, &size) != 0) return;
  constexpr unsigned checksum = TUN_F_CSUM, tso = checksum | TUN_F_TSO4 | TUN_F_TSO6,
                     ecn = tso | TUN_F_TSO_ECN;
  for (const unsigned set : {ecn | uso4 | uso6, ecn, tso, checksum}) {
    if (::ioctl(fd_, TUNSETOFFLOAD, static_cast<unsigned long>(set)) != 0) continue;
    features_.checksum = true;
    features_.tso4 = features_.tso6 = (set & TUN_F_TSO4) != 0;
    features_.tso_ecn = (set & TUN_F_TSO_ECN) != 0;
    features_.uso = (set & uso4) != 0;
    return;
  }
}

std::string TunDevice::missing() const {
  if (!features_.virtio) {
    return name_ + ": the kernel has no IFF_VNET_HDR: one system call for every packet";
  }
  std::string lacks;
  const auto say = [&lacks](bool has, const char* what) {
    if (!has) lacks += (lacks.empty() ? "" : "; ") + std::string(what);
  };
  say(features_.checksum, "checksum offload: the kernel sums every packet once more");
  say(features_.tso4, "TSO: one system call for every TCP segment sent");
  say(features_.tso_ecn, "TSO with ECN: the same for segments with CWR");
  say(features_.uso, "USO (Linux 6.2): one system call for every UDP datagram");
  return lacks.empty() ? lacks : name_ + ": the kernel lacks " + lacks;
}

std::size_t TunDevice::read(PacketPool& pool, std::span<Packet> out) {
  for (std::size_t n = 0; n < out.size(); ++n) {
    while (!reader_.more()) {
      if (!read_frame(pool)) return n;
    }
    out[n] = reader_.next(pool);
    if (!out[n]) return n;
    ++counters_.packets_read;
  }
  return out.size();
}

/// False: nothing waits, or there is no slot for it.
bool TunDevice::read_frame(PacketPool& pool) {
  const auto vectors = reader_.vectors(pool);
  if (vectors.empty()) return false;
  const ssize_t bytes = ::readv(fd_, vectors.data(), static_cast<int>(vectors.size()));
  if (bytes < 0) {
    if (errno != EAGAIN && errno != EINTR) {
      ++counters_.read_errors;
      counters_.last_error = errno;
    }
    return errno == EINTR;
  }
  ++counters_.frames_read;
  if (!reader_.filled(static_cast<std::size_t>(bytes))) ++counters_.malformed;
  return true;
}

void TunDevice::write(std::span<Packet> packets) {
  coalescer_.run(packets);
  for (std::size_t i = 0; i < coalescer_.frames(); ++i) {
    const auto frame = coalescer_.frame(i).subspan(features_.virtio ? 0 : 1);
    ssize_t written = -1;
    do {
      written = ::writev(fd_, frame.data(), static_cast<int>(frame.size()));
    } while (written < 0 && errno == EINTR);
    if (written < 0) {
      ++counters_.write_errors;
      counters_.last_error = errno;
      continue;
    }
    ++counters_.frames_written;
    counters_.packets_written += coalescer_.packets_in(i);
  }
  for (Packet& packet : packets) Packet done = std::move(packet);
}

}  // namespace sennit::offload
