// ns-3's TCP socket with what decides about Linux's speed over paths whose delay varies and which
// lose many packets at once.
//
// 1. Any acknowledgement of new data restarts the retransmission timer (RFC 6298, 5.3). ns-3 does
//    so once per recovery only, so that a recovery longer than the timeout, say after start-up has
//    overshot by some hundred packets, ends in a timeout that takes all packets in flight for lost.
// 2. BBR gets its samples from tcp_delivery_rate.h.
// 3. Whether the application had nothing to send is asked before its next data is in the buffer.
//    ns-3 asks after that, when there is always something to send.
//
// Linux's floor of 200 ms under the variation in the timeout is ns-3's attribute ClockGranularity
// (sim/helper/tcp_settings.cpp).
#pragma once

#include "ns3/tcp-socket-base.h"
#include "sim/model/tcp_delivery_rate.h"

namespace sennit {

class TcpLinuxSocket final : public ns3::TcpSocketBase {
 public:
  static ns3::TypeId GetTypeId();
  ns3::TypeId GetInstanceTypeId() const override { return GetTypeId(); }
  TcpLinuxSocket();
  /// As accept() makes it of the listening socket.
  TcpLinuxSocket(const TcpLinuxSocket& listening);

  /// After the congestion control has been set.
  void connect_samples();

  int Send(ns3::Ptr<ns3::Packet> packet, std::uint32_t flags) override;

 protected:
  ns3::Ptr<ns3::TcpSocketBase> Fork() override;
  void ReceivedAck(ns3::Ptr<ns3::Packet> packet, const ns3::TcpHeader& header) override;
  void ReTxTimeout() override;
  void NewAck(const ns3::SequenceNumber32& acknowledged, bool restart_timer) override;

 private:
  ns3::Ptr<TcpDeliveryRate> delivery_rate_;
};

}  // namespace sennit
