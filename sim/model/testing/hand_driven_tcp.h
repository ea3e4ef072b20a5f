// The sending half of a TCP connection without a network: a test says when which packet is sent
// and acknowledged, and sees the sample of every acknowledgement and what BBR makes of it.
#pragma once

#include <utility>
#include <vector>

#include "core/units.h"
#include "ns3/simulator.h"
#include "ns3/tcp-tx-buffer.h"
#include "sim/model/ns3_time.h"
#include "sim/model/tcp_delivery_rate.h"
#include "sim/model/tcp_linux_bbr.h"

namespace sennit {

/// Packets are numbered from 0 and have 1,000 bytes. One such object at a time.
class HandDrivenTcp {
 public:
  using Sample = ns3::TcpRateOps::TcpRateSample;
  static constexpr std::uint32_t segment = 1000;

  HandDrivenTcp() {
    buffer->SetSegmentSize(segment);
    buffer->SetDupAckThresh(3);
    buffer->SetSackEnabled(true);
    buffer->SetMaxBufferSize(1u << 30);
    buffer->SetHeadSequence(sequence(0));
    rates->observe(buffer);
    state->m_segmentSize = segment;
    state->m_initialCWnd = 10;
    state->m_cWnd = 10 * segment;
    bbr->use_samples_of(rates);
    bbr->Init(state);
  }
  ~HandDrivenTcp() { ns3::Simulator::Destroy(); }
  HandDrivenTcp(const HandDrivenTcp&) = delete;
  HandDrivenTcp& operator=(const HandDrivenTcp&) = delete;

  void wait(Duration time) {
    ns3::Simulator::Stop(to_ns3(time));
    ns3::Simulator::Run();
  }
  /// The number of the first.
  std::uint32_t send(std::uint32_t packets = 1) {
    const std::uint32_t first = sent_;
    for (; packets > 0; --packets) {
      buffer->Add(ns3::Create<ns3::Packet>(segment));
      transmit(sent_++);
    }
    return first;
  }
  void resend(std::uint32_t packet) { transmit(packet); }
  using Range = std::pair<std::uint32_t, std::uint32_t>;  // both are in it
  /// All before `packet` have arrived, and of the later ones those in `later`.
  Sample acknowledge(std::uint32_t packet, const std::vector<Range>& later = {}) {
    const std::uint32_t in_flight = buffer->BytesInFlight();
    rates->begin();
    const auto on_delivery =
        ns3::MakeCallback(&ns3::TcpRateOps::SkbDelivered, ns3::Ptr<ns3::TcpRateOps>{rates});
    const std::uint64_t before = rates->GetConnectionRate().m_delivered;
    ns3::TcpOptionSack::SackList blocks;
    for (const auto& [first, last] : later) {
      blocks.emplace_back(sequence(first), sequence(last + 1));
    }
    buffer->Update(blocks, on_delivery);
    buffer->DiscardUpTo(sequence(packet), on_delivery);
    state->m_bytesInFlight = buffer->BytesInFlight();
    const auto& connection = rates->GetConnectionRate();
    const Sample sample =
        rates->GenerateSample(static_cast<std::uint32_t>(connection.m_delivered - before), 0, false,
                              in_flight, ns3::Time{});
    bbr->CongControl(state, connection, sample);
    return sample;
  }
  std::uint32_t first_outstanding() const {
    return (buffer->HeadSequence().GetValue() - 1) / segment;
  }
  std::uint32_t window() const { return state->m_cWnd.Get(); }

  ns3::Ptr<ns3::TcpTxBuffer> buffer = ns3::CreateObject<ns3::TcpTxBuffer>();
  ns3::Ptr<TcpDeliveryRate> rates = ns3::CreateObject<TcpDeliveryRate>();
  ns3::Ptr<TcpLinuxBbr> bbr = ns3::CreateObject<TcpLinuxBbr>();
  ns3::Ptr<ns3::TcpSocketState> state = ns3::CreateObject<ns3::TcpSocketState>();

 private:
  static ns3::SequenceNumber32 sequence(std::uint32_t packet) {
    return ns3::SequenceNumber32{1 + packet * segment};
  }
  void transmit(std::uint32_t packet) {
    const bool nothing_in_flight = buffer->BytesInFlight() == 0;
    rates->SkbSent(buffer->CopyFromSequence(segment, sequence(packet)), nothing_in_flight);
  }

  std::uint32_t sent_ = 0;
};

}  // namespace sennit
