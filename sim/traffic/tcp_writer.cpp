#include "sim/traffic/tcp_writer.h"

#include <algorithm>
#include <utility>

#include "ns3/packet.h"
#include "ns3/uinteger.h"

namespace sennit {

namespace {

constexpr std::int64_t chunk_bytes = 64 * 1024;
// Beyond two congestion windows, data waits with the application (Linux: TCP_NOTSENT_LOWAT). ns-3
// would take all of a buffer of 16 MiB at once and go on sending it long after the flow's stop.
constexpr std::int64_t least_backlog = 1 << 20;

}  // namespace

TcpWriter::TcpWriter(ns3::Ptr<ns3::Socket> socket) : socket_(socket) {
  ns3::UintegerValue size;
  socket->GetAttribute("SndBufSize", size);
  buffer_size_ = static_cast<std::uint32_t>(size.Get());
  socket->TraceConnectWithoutContext(
      "CongestionWindow", ns3::Callback<void, std::uint32_t, std::uint32_t>(
                              [this](std::uint32_t, std::uint32_t window) { window_ = window; }));
  socket->SetSendCallback(ns3::Callback<void, ns3::Ptr<ns3::Socket>, std::uint32_t>(
      [this](ns3::Ptr<ns3::Socket>, std::uint32_t) { pump(); }));
}

void TcpWriter::write(Bytes more) {
  remaining_ += more.count;
  pump();
}

void TcpWriter::finish() {
  finishing_ = true;
  pump();
}

void TcpWriter::stop() {
  remaining_ = 0;
  finish();
}

std::int64_t TcpWriter::room() const {
  const std::int64_t available = socket_->GetTxAvailable();
  const std::int64_t limit = std::max(least_backlog, std::int64_t{2} * window_);
  return std::min(available, limit - (buffer_size_ - available));
}

void TcpWriter::pump() {
  while (remaining_ > 0) {
    const std::int64_t size = std::min(remaining_, chunk_bytes);
    if (room() < size) return;
    // Before Send, which may call back.
    remaining_ -= size;
    socket_->Send(ns3::Create<ns3::Packet>(static_cast<std::uint32_t>(size)));
  }
  if (std::exchange(finishing_, false)) socket_->Close();
}

}  // namespace sennit
