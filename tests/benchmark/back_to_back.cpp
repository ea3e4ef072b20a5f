#include "tests/benchmark/back_to_back.h"

#include <cstring>

#include "core/inner_packet_samples.h"

namespace sennit {
namespace {

SessionSecret some_secret() {
  SessionSecret secret{};
  secret[0] = std::byte{7};
  return secret;
}

TunnelConfig config_of(bool trace) {
  TunnelConfig config;
  config.trace_packets = trace;
  return config;
}

/// The headers of a UDP packet of one of eight flows; the rest of a slot is whatever was in it.
constexpr std::size_t headers_size = 28;
using Headers = std::array<std::byte, headers_size>;

Headers headers_of(std::uint16_t flow) {
  samples::Udp udp;
  udp.source_port = static_cast<std::uint16_t>(1000 + flow);
  udp.size = BackToBack::packet_size;
  const auto bytes = samples::ipv4(udp);
  Headers headers;
  std::memcpy(headers.data(), bytes.data(), headers.size());
  return headers;
}

}  // namespace

BackToBack::BackToBack(std::size_t paths, bool trace, BitRate offered)
    : interval_(offered.time_to_send(bytes_of(batch * (packet_size + overhead_bytes)))),
      pool_(2 * tunnel_pool_slots),
      a_(config_of(trace), Role::a, some_secret(), pool_, 1, now_),
      b_(config_of(trace), Role::b, some_secret(), pool_, 2, now_) {
  for (std::size_t i = 0; i < paths; ++i) {
    PathConfig path;
    path.name = "link" + std::to_string(i);
    for (Tunnel* tunnel : {&a_, &b_}) {
      tunnel->add_path(now_, PathId{static_cast<std::uint8_t>(i)}, path, Address{});
    }
  }
}

bool BackToBack::warm_up(Duration limit) {
  const Instant end = now_ + limit;
  constexpr int window = 1000;
  while (now_ < end) {
    const std::uint64_t offered = offered_packets_, delivered = delivered_packets_;
    for (int i = 0; i < window; ++i) run_batch();
    const std::uint64_t dropped = (offered_packets_ - offered) - (delivered_packets_ - delivered);
    if (metrics().ingress_packets < batch && dropped < batch) return true;
  }
  return false;
}

void BackToBack::run_batch() {
  now_ += interval_;
  fill_batch();
  a_.handle_inner(now_, entering_);
  wake(a_);
  wake(b_);
  carry(a_, b_);
  carry(b_, a_);
  take_deliveries();
  take_records(a_);
  take_records(b_);
}

void BackToBack::fill_batch() {
  static const std::array<Headers, 8> headers{headers_of(0), headers_of(1), headers_of(2),
                                              headers_of(3), headers_of(4), headers_of(5),
                                              headers_of(6), headers_of(7)};
  for (Packet& packet : entering_) {
    packet = pool_.allocate();
    packet.resize(packet_size);
    std::memcpy(packet.bytes().data(), headers[offered_packets_ % headers.size()].data(),
                headers_size);
    ++offered_packets_;
  }
}

void BackToBack::wake(Tunnel& tunnel) {
  if (tunnel.next_wake().at <= now_) tunnel.handle_timeout(now_);
}

void BackToBack::carry(Tunnel& from, Tunnel& to) {
  while (from.poll_transmit(now_, transmit_)) {
    std::size_t n = 0;
    for (Packet& packet : transmit_.datagrams.all()) {
      Datagram& datagram = crossing_[n++];
      datagram.packet = std::move(packet);
      datagram.arrived = now_;
      datagram.path = transmit_.path;
    }
    to.handle_datagrams(now_, {crossing_.data(), n});
  }
}

void BackToBack::take_deliveries() {
  while (const std::size_t n = b_.poll_deliver(now_, leaving_)) {
    delivered_packets_ += n;
    for (std::size_t i = 0; i < n; ++i) const Packet written = std::move(leaving_[i]);
  }
}

void BackToBack::take_records(Tunnel& tunnel) {
  while (tunnel.poll_event()) {
  }
  while (tunnel.poll_trace(records_) == records_.size()) {
  }
}

}  // namespace sennit
