// Keeps a TCP socket supplied with data, as an application does that has all of it at hand.
#pragma once

#include <cstdint>
#include <limits>

#include "core/units.h"
#include "ns3/socket.h"

namespace sennit {

class TcpWriter {
 public:
  /// Of a connected socket, which calls it for as long as the simulation runs.
  explicit TcpWriter(ns3::Ptr<ns3::Socket> socket);
  TcpWriter(const TcpWriter&) = delete;
  TcpWriter& operator=(const TcpWriter&) = delete;

  /// Writes so much more, as fast as TCP takes it.
  void write(Bytes more);
  void write_forever() { write({std::numeric_limits<std::int64_t>::max() / 2}); }
  /// Ends the connection after what is to be written.
  void finish();
  /// Writes nothing more and ends the connection after what the socket already has.
  void stop();

 private:
  void pump();
  std::int64_t room() const;

  ns3::Ptr<ns3::Socket> socket_;
  std::int64_t remaining_ = 0;
  std::uint32_t buffer_size_ = 0;
  std::uint32_t window_ = 0;
  bool finishing_ = false;
};

}  // namespace sennit
