// A TUN or TAP that carries super-packets where the kernel can: one system call for up to 64 KiB in
// and out, packets of the link's size inside. What the kernel refuses is done without, and said.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/packet.h"
#include "real/offload/coalesce.h"
#include "real/offload/frame_reader.h"

namespace sennit::offload {

struct TunFeatures {
  bool virtio = false;  // IFF_VNET_HDR: without it, nothing of the following
  bool checksum = false, tso4 = false, tso6 = false, tso_ecn = false, uso = false;
};

struct TunCounters {
  std::uint64_t frames_read = 0, packets_read = 0, frames_written = 0, packets_written = 0;
  std::uint64_t malformed = 0;     // frames of the kernel that make no sense, or exceed a slot
  std::uint64_t write_errors = 0;  // frames that it did not take
  std::uint64_t read_errors = 0;   // the device is gone, for one
  int last_error = 0;              // errno of the last of either
};

class TunDevice {
 public:
  /// Creates the device, or attaches to it when it exists and nobody else is. `name` may hold "%d"
  /// for the kernel to number, or be empty. `size_max`: of the slots of the pool that read() gets.
  /// Throws std::system_error, which says what failed. The device is down and has no address. It
  /// keeps slots of the pool for its next read(), so the pool must live longer.
  TunDevice(const std::string& name, Layer layer, std::size_t size_max = packet_max);
  TunDevice(const TunDevice&) = delete;
  TunDevice& operator=(const TunDevice&) = delete;
  ~TunDevice();

  int fd() const { return fd_; }  // does not block
  const std::string& name() const { return name_; }
  const TunFeatures& features() const { return features_; }
  /// What this kernel lacks and what it costs, in a sentence for the log; empty when nothing.
  std::string missing() const;

  /// Fills up to `out.size()` packets; returns how many. Fewer than asked for: nothing more waits,
  /// or the pool is short.
  std::size_t read(PacketPool& pool, std::span<Packet> out);
  /// Packets of a frame are left from the last read(), though fd() may not be readable.
  bool holds_packets() const { return reader_.more(); }
  /// Writes and releases at most batch_max packets, merged where that changes nothing.
  void write(std::span<Packet> packets);

  const TunCounters& counters() const { return counters_; }

 private:
  void attach(const std::string& name, Layer layer);
  void probe_offloads();
  bool read_frame(PacketPool& pool);

  int fd_;
  std::string name_;
  TunFeatures features_;
  FrameReader reader_;
  Coalescer coalescer_;
  TunCounters counters_;
};

}  // namespace sennit::offload
