// The TUN device: where the machine's packets for the tunnel come from, and where the peer's go.
// The device, with its addresses and the routes through it, ceases to be with the descriptor.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/packet.h"
#include "real/daemon/fd.h"

namespace sennit {

struct TunCounters {
  std::uint64_t write_errors = 0;  // packets that the kernel refused
  int last_error = 0;              // errno of the last one
};

class TunDevice {
 public:
  /// Throws std::system_error.
  explicit TunDevice(const std::string& name);

  int fd() const { return fd_.get(); }
  const std::string& name() const { return name_; }

  /// Fills up to `out.size()` packets; returns how many. Fewer: nothing more waits, or the pool is
  /// empty.
  std::size_t read(PacketPool& pool, std::span<Packet> out);
  /// In order; takes them.
  void write(std::span<Packet> packets);

  const TunCounters& counters() const { return counters_; }

 private:
  Fd fd_;
  std::string name_;
  TunCounters counters_;
};

}  // namespace sennit
