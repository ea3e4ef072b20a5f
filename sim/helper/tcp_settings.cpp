#include "sim/helper/tcp_settings.h"

#include <algorithm>
#include <array>
#include <utility>

#include "ns3/boolean.h"
#include "ns3/config.h"
#include "ns3/rtt-estimator.h"
#include "ns3/tcp-cubic.h"
#include "ns3/tcp-l4-protocol.h"
#include "ns3/tcp-linux-reno.h"
#include "ns3/tcp-prr-recovery.h"
#include "ns3/uinteger.h"
#include "sim/model/ns3_time.h"
#include "sim/model/tcp_linux_bbr.h"
#include "sim/model/tcp_linux_socket.h"

namespace sennit {

namespace {

constexpr std::int64_t mebibyte = 1 << 20;
constexpr std::uint32_t header_bytes = 20 + 20 + 12;  // IPv4, TCP, its timestamp option

BitRate mean_rate(const LinkConfig& config) {
  if (const auto* rate = std::get_if<BitRate>(&config.capacity)) return *rate;
  return std::get<std::shared_ptr<const LinkTrace>>(config.capacity)->mean_rate();
}

/// The faster direction's rate over both directions' delay.
Bytes bandwidth_delay_product(const LinkConfig& up, const LinkConfig& down, Duration round_trip) {
  return std::max(mean_rate(up), mean_rate(down)).sent_in(round_trip);
}

bool uses(const Variant& variant, const std::string& link) {
  return std::ranges::find(variant.links, link) != variant.links.end();
}

Duration longest_round_trip(const Scenario& scenario, const Variant& variant) {
  Duration longest{};
  for (const Link& link : scenario.links) {
    if (uses(variant, link.name)) longest = std::max(longest, link.up.delay + link.down.delay);
  }
  for (const LinkEvent& event : scenario.events) {
    if (uses(variant, event.link)) longest = std::max(longest, event.up.delay + event.down.delay);
  }
  return longest;
}

// As ns3::TcpL4Protocol::CreateSocket() does, which knows only its own class of socket.
ns3::Ptr<ns3::Socket> make_socket(ns3::Ptr<ns3::Node> node, ns3::TypeId congestion_control) {
  ns3::ObjectFactory control;
  control.SetTypeId(congestion_control);
  const auto tcp = node->GetObject<ns3::TcpL4Protocol>();
  const auto socket = ns3::CreateObject<TcpLinuxSocket>();
  socket->SetNode(node);
  socket->SetTcp(tcp);
  socket->SetRtt(ns3::CreateObject<ns3::RttMeanDeviation>());
  socket->SetCongestionControlAlgorithm(control.Create<ns3::TcpCongestionOps>());
  socket->SetRecoveryAlgorithm(ns3::CreateObject<ns3::TcpPrrRecovery>());
  socket->connect_samples();
  tcp->AddSocket(socket);
  return socket;
}

void set_default(const char* name, std::uint64_t value) {
  ns3::Config::SetDefault(name, ns3::UintegerValue(value));
}

}  // namespace

Bytes tcp_buffer(const Scenario& scenario, const Variant& variant) {
  const Duration round_trip = longest_round_trip(scenario, variant);
  Bytes sum{};
  for (const Link& link : scenario.links) {
    if (!uses(variant, link.name)) continue;
    Bytes largest = bandwidth_delay_product(link.up, link.down, round_trip);
    for (const LinkEvent& event : scenario.events) {
      if (event.link != link.name) continue;
      largest = std::max(largest, bandwidth_delay_product(event.up, event.down, round_trip));
    }
    sum += largest;
  }
  return {std::clamp(4 * sum.count, 16 * mebibyte, 64 * mebibyte)};
}

void apply_tcp_settings(std::uint16_t mtu, Bytes buffer) {
  set_default("ns3::TcpSocket::SegmentSize", mtu - header_bytes);
  set_default("ns3::TcpSocket::SndBufSize", static_cast<std::uint64_t>(buffer.count));
  set_default("ns3::TcpSocket::RcvBufSize", static_cast<std::uint64_t>(buffer.count));
  set_default("ns3::TcpSocket::InitialCwnd", 10);  // RFC 6928
  set_default("ns3::TcpSocket::DelAckCount", 2);
  ns3::Config::SetDefault("ns3::TcpSocket::DelAckTimeout", ns3::TimeValue(to_ns3(40ms)));
  ns3::Config::SetDefault("ns3::TcpSocket::ConnTimeout", ns3::TimeValue(to_ns3(1s)));
  // Linux's timeout is the smoothed round trip and at least 200 ms, not at least 200 ms in all.
  ns3::Config::SetDefault("ns3::TcpSocketBase::MinRto", ns3::TimeValue(to_ns3(200ms)));
  ns3::Config::SetDefault("ns3::TcpSocketBase::ClockGranularity", ns3::TimeValue(to_ns3(200ms)));
  for (const char* option : {"WindowScaling", "Sack", "Timestamp"}) {
    ns3::Config::SetDefault(std::string("ns3::TcpSocketBase::") + option, ns3::BooleanValue(true));
  }
}

ns3::Ptr<ns3::Socket> make_tcp_socket(ns3::Ptr<ns3::Node> node,
                                      const std::string& congestion_control) {
  const std::array<std::pair<const char*, ns3::TypeId>, 3> known{
      {{"cubic", ns3::TcpCubic::GetTypeId()},
       {"newreno", ns3::TcpLinuxReno::GetTypeId()},
       {"bbr", TcpLinuxBbr::GetTypeId()}}};
  for (const auto& [name, type] : known) {
    if (congestion_control != name) continue;
    return make_socket(node, type);
  }
  throw InputError("congestion_control: found '" + congestion_control +
                   "', allowed are cubic, newreno, bbr");
}

}  // namespace sennit
