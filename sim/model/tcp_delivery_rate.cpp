#include "sim/model/tcp_delivery_rate.h"

#include <algorithm>

#include "ns3/simulator.h"

namespace sennit {

using ns3::Simulator;
using ns3::Time;

NS_OBJECT_ENSURE_REGISTERED(TcpDeliveryRate);

ns3::TypeId TcpDeliveryRate::GetTypeId() {
  static const ns3::TypeId id = ns3::TypeId("sennit::TcpDeliveryRate")
                                    .SetParent<ns3::TcpRateOps>()
                                    .SetGroupName("Internet")
                                    .AddConstructor<TcpDeliveryRate>();
  return id;
}

void TcpDeliveryRate::begin() {
  sample_ = {};
  any_ = false;
  newest_sent_ = Time{};
  round_trip_.reset();
  lost_ = buffer_->GetLost();
}

// Between two calls, packets become lost or lost ones are delivered, seldom both.
void TcpDeliveryRate::count_lost() {
  const std::uint32_t lost = buffer_->GetLost();
  if (lost > lost_) sample_.m_bytesLoss += lost - lost_;
  lost_ = lost;
}

void TcpDeliveryRate::limit_by_application(std::uint32_t in_flight) {
  limited_until_ = std::max<std::uint64_t>(1, connection_.m_delivered + in_flight);
}

void TcpDeliveryRate::SkbSent(ns3::TcpTxItem* item, bool nothing_in_flight) {
  // After a timeout everything counts as lost and nothing as in flight, yet the pipe is not new.
  if (nothing_in_flight && !item->IsRetrans()) {
    connection_.m_firstSentTime = connection_.m_deliveredTime = Simulator::Now();
  }
  auto& info = item->GetRateInformation();
  info.m_firstSent = connection_.m_firstSentTime;
  info.m_deliveredTime = connection_.m_deliveredTime;
  info.m_delivered = connection_.m_delivered;
  info.m_isAppLimited = limited_until_ != 0;
}

void TcpDeliveryRate::SkbDelivered(ns3::TcpTxItem* item) {
  count_lost();
  auto& info = item->GetRateInformation();
  if (info.m_deliveredTime == Time::Max()) return;  // counted when it was selectively acknowledged
  const Time now = Simulator::Now();
  connection_.m_delivered += item->GetSeqSize();
  connection_.m_deliveredTime = now;
  const Time sent = item->GetLastSent();
  if (!any_ || sent >= newest_sent_) {
    any_ = true;
    newest_sent_ = sent;
    prior_delivered_ = info.m_delivered;
    sample_.m_priorDelivered = static_cast<std::uint32_t>(info.m_delivered);
    sample_.m_priorTime = info.m_deliveredTime;
    sample_.m_isAppLimited = info.m_isAppLimited;
    sample_.m_sendElapsed = sent - info.m_firstSent;
    sample_.m_ackElapsed = now - info.m_deliveredTime;
    round_trip_.reset();
    // A timeout clears the marks of what had been sent again before it.
    if (!item->IsRetrans() && sent >= timed_out_) take_round_trip(now - sent);
    connection_.m_firstSentTime = sent;
  }
  connection_.m_txItemDelivered = static_cast<std::uint32_t>(info.m_delivered);
  info.m_deliveredTime = Time::Max();
}

void TcpDeliveryRate::take_round_trip(Time round_trip) {
  round_trip_ = round_trip;
  least_round_trip_ = std::min(least_round_trip_, round_trip);
}

void TcpDeliveryRate::CalculateAppLimited(std::uint32_t window, std::uint32_t in_flight,
                                          std::uint32_t segment, const ns3::SequenceNumber32& tail,
                                          const ns3::SequenceNumber32& next, std::uint32_t lost,
                                          std::uint32_t retransmitted) {
  const bool nothing_to_send = tail - next < static_cast<std::int32_t>(segment);
  if (nothing_to_send && in_flight < window && lost <= retransmitted)
    limit_by_application(in_flight);
}

const ns3::TcpRateOps::TcpRateSample& TcpDeliveryRate::GenerateSample(
    std::uint32_t delivered, std::uint32_t /*lost*/, bool reneged, std::uint32_t prior_in_flight,
    const Time& /*least_round_trip*/) {
  if (limited_until_ != 0 && connection_.m_delivered > limited_until_) limited_until_ = 0;
  sample_.m_ackedSacked = delivered;
  sample_.m_priorInFlight = prior_in_flight;
  count_lost();
  sample_.m_delivered = -1;
  if (!any_ || reneged) return sample_;
  // The longer of sending and acknowledging: either may have been compressed.
  const Time interval = std::max(sample_.m_sendElapsed, sample_.m_ackElapsed);
  if (interval.IsZero() || interval < least_round_trip_) return sample_;
  sample_.m_interval = interval;
  sample_.m_delivered = static_cast<std::int32_t>(connection_.m_delivered - prior_delivered_);
  sample_.m_deliveryRate = ns3::DataRate(static_cast<std::uint64_t>(
      static_cast<double>(sample_.m_delivered) * 8 / interval.GetSeconds()));
  return sample_;
}

}  // namespace sennit
