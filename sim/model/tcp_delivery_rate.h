// Delivery rate of a TCP sender, one sample per acknowledgement, for BBR.
//
// ns-3 3.37 has TcpRateLinux for this, but keeps one sample for the whole connection: an
// acknowledgement that delivers nothing sent later than what was delivered before repeats the
// interval of an old one with a larger count of bytes, and the samples of a long recovery were
// wrong by a factor of 300 both ways. Nor does it say what the round trip of an acknowledgement was
// (TcpSocketState::m_lastRtt is the smoothed one), or tell packets newly lost from packets no
// longer lost. This one begins anew with each acknowledgement, as Linux does.
//
// Source: Cheng et al., Delivery Rate Estimation (draft-cheng-iccrg-delivery-rate-estimation).
#pragma once

#include <cstdint>
#include <optional>

#include "ns3/tcp-rate-ops.h"
#include "ns3/tcp-tx-buffer.h"

namespace sennit {

class TcpDeliveryRate final : public ns3::TcpRateOps {
 public:
  static ns3::TypeId GetTypeId();
  TcpDeliveryRate() = default;

  /// Whose packets these are; says which of them are lost. Called before all else.
  void observe(ns3::Ptr<const ns3::TcpTxBuffer> buffer) { buffer_ = std::move(buffer); }
  /// Before an acknowledgement is looked at.
  void begin();
  /// The retransmission timer has expired: an acknowledgement of what was sent before may be of
  /// either copy.
  void timed_out(ns3::Time now) { timed_out_ = now; }
  /// Of the newest packet that the last acknowledgement delivered, unless it had been sent twice.
  std::optional<ns3::Time> round_trip() const { return round_trip_; }
  /// Bytes that had been delivered when that packet was sent.
  std::uint64_t prior_delivered() const { return prior_delivered_; }
  /// The window in force now is the sender's own choice: what is in flight says nothing about the
  /// path.
  void limit_by_application(std::uint32_t in_flight);
  bool limited_by_application() const { return limited_until_ != 0; }

  void SkbSent(ns3::TcpTxItem* item, bool nothing_in_flight) override;
  void SkbDelivered(ns3::TcpTxItem* item) override;
  void CalculateAppLimited(std::uint32_t window, std::uint32_t in_flight, std::uint32_t segment,
                           const ns3::SequenceNumber32& tail, const ns3::SequenceNumber32& next,
                           std::uint32_t lost, std::uint32_t retransmitted) override;
  /// m_delivered is -1 and m_deliveryRate 0 if the acknowledgement gave no sample. ns-3's
  /// `lost` is passed over: by how much the bytes that count as lost have changed, whichever way.
  /// So is its least round trip, that of the smoothed one in whole milliseconds.
  const TcpRateSample& GenerateSample(std::uint32_t delivered, std::uint32_t lost, bool reneged,
                                      std::uint32_t prior_in_flight,
                                      const ns3::Time& least_round_trip) override;
  const TcpRateConnection& GetConnectionRate() override { return connection_; }

 private:
  void count_lost();
  void take_round_trip(ns3::Time round_trip);

  ns3::Ptr<const ns3::TcpTxBuffer> buffer_;
  TcpRateConnection connection_;
  TcpRateSample sample_;
  bool any_ = false;  // a packet with times was delivered since begin()
  ns3::Time newest_sent_;
  std::optional<ns3::Time> round_trip_;
  ns3::Time least_round_trip_ = ns3::Time::Max();
  ns3::Time timed_out_;
  std::uint64_t limited_until_ = 0;  // bytes delivered when the limit no longer shows; 0: none
  std::uint64_t prior_delivered_ = 0;
  std::uint32_t lost_ = 0;  // bytes that count as lost, when last looked at
};

}  // namespace sennit
