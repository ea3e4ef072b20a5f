// ns-3's BBR with one rule of Linux's that ns-3 3.37 misses: what is sent while PROBE_RTT holds the
// window at four packets says nothing about the path's bandwidth.
//
// Linux marks those packets as application-limited (tcp_bbr.c, bbr_update_min_rtt()). ns-3 keeps
// the mark to itself, its rate samples do not carry it, and the filter of the last ten round trips
// forgets the bandwidth whenever ten of them fit into PROBE_RTT's 200 ms: at a round trip of 20 ms,
// a flow of 300 Mbit/s went on at 3 for seconds.
#pragma once

#include "ns3/tcp-bbr.h"

namespace sennit {

class TcpLinuxBbr : public ns3::TcpBbr {
 public:
  static ns3::TypeId GetTypeId();
  TcpLinuxBbr() = default;
  TcpLinuxBbr(const TcpLinuxBbr&) = default;
  std::string GetName() const override { return "TcpLinuxBbr"; }
  void CongControl(ns3::Ptr<ns3::TcpSocketState> tcb,
                   const ns3::TcpRateOps::TcpRateConnection& connection,
                   const ns3::TcpRateOps::TcpRateSample& sample) override;
  ns3::Ptr<ns3::TcpCongestionOps> Fork() override;

 private:
  std::uint64_t limited_until_ = 0;  // bytes delivered when the last packet of PROBE_RTT has been
};

}  // namespace sennit
