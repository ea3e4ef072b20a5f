#include "sim/traffic/tcp_traffic.h"

#include "ns3/inet-socket-address.h"
#include "ns3/packet.h"
#include "sim/helper/tcp_settings.h"
#include "sim/model/ns3_time.h"

namespace sennit {

Bytes read_all(ns3::Socket& socket) {
  constexpr std::uint32_t piece = 16 * 1024;
  Bytes sum{};
  while (const ns3::Ptr<ns3::Packet> packet = socket.Recv(piece, 0)) {
    if (packet->GetSize() == 0) break;  // the other end has closed
    sum += bytes_of(packet->GetSize());
  }
  return sum;
}

TcpTraffic::TcpTraffic(const Traffic& traffic, const TrafficContext& context)
    : traffic_(traffic), context_(context) {
  listen();
  for (int i = 0; i < traffic_.flows; ++i) {
    const Duration start = traffic_.start + start_jitter(context_.rng);
    ns3::Simulator::Schedule(to_ns3(start), [this] { open(); });
  }
  ns3::Simulator::Schedule(to_ns3(context_.stop - Instant{}), [this] { stop(); });
}

void TcpTraffic::listen() {
  const auto listener = own(make_tcp_socket(context_.to, traffic_.congestion_control));
  listener->Bind(ns3::InetSocketAddress(context_.to_address, context_.port));
  listener->Listen();
  listener->SetAcceptCallback(
      ns3::MakeNullCallback<bool, ns3::Ptr<ns3::Socket>, const ns3::Address&>(),
      ns3::Callback<void, ns3::Ptr<ns3::Socket>, const ns3::Address&>(
          [this](ns3::Ptr<ns3::Socket> socket, const ns3::Address&) { accept(own(socket)); }));
}

void TcpTraffic::accept(ns3::Ptr<ns3::Socket> socket) {
  const auto left = std::make_shared<Bytes>(traffic_.bytes.value_or(Bytes{}));
  socket->SetRecvCallback(ns3::Callback<void, ns3::Ptr<ns3::Socket>>(
      [this, left](ns3::Ptr<ns3::Socket> s) { receive(*s, *left); }));
}

void TcpTraffic::receive(ns3::Socket& socket, Bytes& left) {
  const Bytes size = read_all(socket);
  if (size.count == 0) return;
  const Instant now = simulated_now();
  context_.recorder.flow_bytes_received(context_.flow, now, size);
  left -= size;
  if (!traffic_.bytes || left.count != 0) return;
  context_.recorder.flow_completed(context_.flow, now, now - Instant{} - traffic_.start);
}

void TcpTraffic::open() {
  if (stopped_) return;
  const auto socket = own(make_tcp_socket(context_.from, traffic_.congestion_control));
  ns3::InetSocketAddress peer(context_.to_address, context_.port);
  peer.SetTos(type_of_service(traffic_));
  socket->SetConnectCallback(
      ns3::Callback<void, ns3::Ptr<ns3::Socket>>([this](ns3::Ptr<ns3::Socket> s) { begin(s); }),
      ns3::MakeNullCallback<void, ns3::Ptr<ns3::Socket>>());
  socket->Connect(peer);
}

void TcpTraffic::begin(ns3::Ptr<ns3::Socket> socket) {
  if (stopped_) return;
  TcpWriter& writer = *writers_.emplace_back(std::make_unique<TcpWriter>(socket));
  if (!traffic_.bytes) return writer.write_forever();
  writer.write(*traffic_.bytes);
  writer.finish();
}

void TcpTraffic::stop() {
  stopped_ = true;
  for (const auto& writer : writers_) writer->stop();
}

}  // namespace sennit
