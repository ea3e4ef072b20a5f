#include "sim/model/tcp_linux_socket.h"

#include "ns3/simulator.h"
#include "sim/model/tcp_linux_bbr.h"

namespace sennit {

NS_OBJECT_ENSURE_REGISTERED(TcpLinuxSocket);

ns3::TypeId TcpLinuxSocket::GetTypeId() {
  static const ns3::TypeId id = ns3::TypeId("sennit::TcpLinuxSocket")
                                    .SetParent<ns3::TcpSocketBase>()
                                    .SetGroupName("Internet")
                                    .AddConstructor<TcpLinuxSocket>();
  return id;
}

TcpLinuxSocket::TcpLinuxSocket() { connect_samples(); }

TcpLinuxSocket::TcpLinuxSocket(const TcpLinuxSocket& listening) : ns3::TcpSocketBase(listening) {
  connect_samples();
}

void TcpLinuxSocket::connect_samples() {
  delivery_rate_ = ns3::CreateObject<TcpDeliveryRate>();
  delivery_rate_->observe(m_txBuffer);
  m_rateOps = delivery_rate_;
  if (const auto bbr = ns3::DynamicCast<TcpLinuxBbr>(m_congestionControl)) {
    bbr->use_samples_of(delivery_rate_);
  }
}

ns3::Ptr<ns3::TcpSocketBase> TcpLinuxSocket::Fork() {
  return ns3::CopyObject<TcpLinuxSocket>(this);
}

int TcpLinuxSocket::Send(ns3::Ptr<ns3::Packet> packet, std::uint32_t flags) {
  delivery_rate_->CalculateAppLimited(m_tcb->m_cWnd, BytesInFlight(), m_tcb->m_segmentSize,
                                      m_txBuffer->TailSequence(), m_tcb->m_nextTxSequence,
                                      m_txBuffer->GetLost(), m_txBuffer->GetRetransmitsCount());
  return ns3::TcpSocketBase::Send(packet, flags);
}

void TcpLinuxSocket::ReTxTimeout() {
  delivery_rate_->timed_out(ns3::Simulator::Now());
  ns3::TcpSocketBase::ReTxTimeout();
}

void TcpLinuxSocket::ReceivedAck(ns3::Ptr<ns3::Packet> packet, const ns3::TcpHeader& header) {
  delivery_rate_->begin();
  ns3::TcpSocketBase::ReceivedAck(packet, header);
}

void TcpLinuxSocket::NewAck(const ns3::SequenceNumber32& acknowledged, bool /*restart_timer*/) {
  ns3::TcpSocketBase::NewAck(acknowledged, true);
}

}  // namespace sennit
