#include "sim/model/tcp_linux_bbr.h"

#include "ns3/tcp-socket-state.h"

namespace sennit {

NS_OBJECT_ENSURE_REGISTERED(TcpLinuxBbr);

ns3::TypeId TcpLinuxBbr::GetTypeId() {
  static const ns3::TypeId id = ns3::TypeId("sennit::TcpLinuxBbr")
                                    .SetParent<ns3::TcpBbr>()
                                    .SetGroupName("Internet")
                                    .AddConstructor<TcpLinuxBbr>();
  return id;
}

void TcpLinuxBbr::CongControl(ns3::Ptr<ns3::TcpSocketState> tcb,
                              const ns3::TcpRateOps::TcpRateConnection& connection,
                              const ns3::TcpRateOps::TcpRateSample& sample) {
  if (GetBbrState() == BBR_PROBE_RTT) {
    limited_until_ = connection.m_delivered + tcb->m_bytesInFlight;
  }
  ns3::TcpRateOps::TcpRateSample marked = sample;
  marked.m_isAppLimited = sample.m_isAppLimited || sample.m_priorDelivered <= limited_until_;
  TcpBbr::CongControl(tcb, connection, marked);
}

ns3::Ptr<ns3::TcpCongestionOps> TcpLinuxBbr::Fork() { return ns3::CopyObject<TcpLinuxBbr>(this); }

}  // namespace sennit
