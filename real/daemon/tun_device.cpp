#include "real/daemon/tun_device.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace sennit {

TunDevice::TunDevice(const std::string& name)
    : fd_(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)) {
  if (!fd_) fail_with_errno("open /dev/net/tun");
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (ioctl(fd_.get(), TUNSETIFF, &request) != 0) fail_with_errno("make the TUN device " + name);
  name_ = request.ifr_name;
}

std::size_t TunDevice::read(PacketPool& pool, std::span<Packet> out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    Packet packet = pool.allocate();
    if (!packet) break;
    const auto room = packet.writable();
    const ssize_t size = ::read(fd_.get(), room.data(), room.size());
    if (size <= 0) break;
    packet.resize(static_cast<std::size_t>(size));
    out[filled++] = std::move(packet);
  }
  return filled;
}

void TunDevice::write(std::span<Packet> packets) {
  for (Packet& packet : packets) {
    const auto bytes = packet.bytes();
    if (::write(fd_.get(), bytes.data(), bytes.size()) < 0) {
      ++counters_.write_errors;
      counters_.last_error = errno;
    }
    packet = Packet{};
  }
}

}  // namespace sennit
