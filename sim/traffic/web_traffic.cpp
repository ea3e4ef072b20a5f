#include "sim/traffic/web_traffic.h"

#include <algorithm>

#include "ns3/inet-socket-address.h"
#include "ns3/packet.h"
#include "sim/helper/tcp_settings.h"
#include "sim/model/ns3_time.h"
#include "sim/traffic/tcp_traffic.h"

namespace sennit {

namespace {

constexpr std::int64_t request_bytes = 200;

}  // namespace

WebTraffic::WebTraffic(const Traffic& traffic, const TrafficContext& context)
    : traffic_(traffic), context_(context), request_left_(request_bytes) {
  listen();
  const Duration start = traffic_.start + start_jitter(context_.rng);
  ns3::Simulator::Schedule(to_ns3(start), [this] { open(); });
}

void WebTraffic::listen() {
  const auto listener = own(make_tcp_socket(context_.from, traffic_.congestion_control));
  ns3::InetSocketAddress here(context_.from_address, context_.port);
  here.SetTos(type_of_service(traffic_));
  listener->Bind(here);
  listener->SetIpTos(type_of_service(traffic_));
  listener->Listen();
  listener->SetAcceptCallback(
      ns3::MakeNullCallback<bool, ns3::Ptr<ns3::Socket>, const ns3::Address&>(),
      ns3::Callback<void, ns3::Ptr<ns3::Socket>, const ns3::Address&>(
          [this](ns3::Ptr<ns3::Socket> socket, const ns3::Address&) {
            server_ = std::make_unique<TcpWriter>(own(socket));
            socket->SetRecvCallback(ns3::Callback<void, ns3::Ptr<ns3::Socket>>(
                [this](ns3::Ptr<ns3::Socket> s) { serve(s); }));
          }));
}

void WebTraffic::serve(ns3::Ptr<ns3::Socket> socket) {
  request_left_ -= read_all(*socket).count;
  if (request_left_ > 0) return;
  request_left_ += request_bytes;
  server_->write(traffic_.page_size);
}

void WebTraffic::open() {
  asked_ = simulated_now();
  reader_ = own(make_tcp_socket(context_.to, traffic_.congestion_control));
  reader_->SetConnectCallback(
      ns3::Callback<void, ns3::Ptr<ns3::Socket>>([this](ns3::Ptr<ns3::Socket>) { ask(); }),
      ns3::MakeNullCallback<void, ns3::Ptr<ns3::Socket>>());
  reader_->SetRecvCallback(
      ns3::Callback<void, ns3::Ptr<ns3::Socket>>([this](ns3::Ptr<ns3::Socket>) { read(); }));
  ns3::InetSocketAddress server(context_.from_address, context_.port);
  server.SetTos(type_of_service(traffic_));
  reader_->Connect(server);
}

void WebTraffic::ask() {
  page_left_ = traffic_.page_size.count;
  reader_->Send(ns3::Create<ns3::Packet>(request_bytes));
}

void WebTraffic::read() {
  const Bytes size = read_all(*reader_);
  if (size.count == 0) return;
  const Instant now = simulated_now();
  context_.recorder.flow_bytes_received(context_.flow, now, size);
  page_left_ -= size.count;
  if (page_left_ > 0) return;
  context_.recorder.flow_completed(context_.flow, now, now - asked_);
  think();
}

void WebTraffic::think() {
  if (simulated_now() + traffic_.think >= context_.stop) return;
  ns3::Simulator::Schedule(to_ns3(traffic_.think), [this] {
    asked_ = simulated_now();
    ask();
  });
}

}  // namespace sennit
