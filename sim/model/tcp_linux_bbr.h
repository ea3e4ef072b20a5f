// BBR version 1 as Linux has it (Cardwell et al., draft-cardwell-iccrg-bbr-congestion-control-00;
// the names of its states and gains), for ns-3's socket.
//
// ns-3 3.37 has a TcpBbr, but it is a different algorithm where it matters to a tunnel, which at
// times delivers in bursts and drops at its entrance:
//
// * It leaves a recovery with a window of 4 GiB, ns-3's initial ssthresh, because the socket sets
//   the window to ssthresh then. The queue in front of the path is full within a round trip.
// * Its samples are wrong in and after a recovery (tcp_delivery_rate.h); a flow of 40 Mbit/s went
//   on at 0.1 Mbit/s for the rest of a run.
// * Its round trip is the smoothed one, so the least of it includes queues.
// * It counts acknowledged bytes against a limit in packets when it measures how much arrives at
//   once (extra_acked), and time in whole seconds, so it never allows for bursts.
// * It forgets the bandwidth in PROBE_RTT when ten round trips fit into 200 ms.
//
// Not here: Linux's detection of policers (lt_bw).
#pragma once

#include <array>
#include <cstdint>

#include "ns3/tcp-congestion-ops.h"
#include "ns3/windowed-filter.h"
#include "sim/model/tcp_delivery_rate.h"

namespace sennit {

class TcpLinuxBbr final : public ns3::TcpCongestionOps {
 public:
  enum class Mode : std::uint8_t { startup, drain, probe_bw, probe_rtt };

  static ns3::TypeId GetTypeId();
  TcpLinuxBbr() = default;

  /// Needed before the first acknowledgement.
  void use_samples_of(ns3::Ptr<TcpDeliveryRate> samples) { samples_ = std::move(samples); }
  Mode mode() const { return mode_; }
  std::uint64_t bandwidth_bps() const { return bandwidth_.GetBest(); }
  ns3::Time least_round_trip() const { return min_rtt_; }

  std::string GetName() const override { return "TcpLinuxBbr"; }
  bool HasCongControl() const override { return true; }
  void Init(ns3::Ptr<ns3::TcpSocketState> tcb) override;
  void CongControl(ns3::Ptr<ns3::TcpSocketState> tcb,
                   const ns3::TcpRateOps::TcpRateConnection& connection,
                   const ns3::TcpRateOps::TcpRateSample& sample) override;
  void CongestionStateSet(ns3::Ptr<ns3::TcpSocketState> tcb,
                          ns3::TcpSocketState::TcpCongState_t state) override;
  void CwndEvent(ns3::Ptr<ns3::TcpSocketState> tcb,
                 ns3::TcpSocketState::TcpCAEvent_t event) override;
  /// The window to come back to: ns-3 makes it the window when a recovery ends.
  std::uint32_t GetSsThresh(ns3::Ptr<const ns3::TcpSocketState> tcb,
                            std::uint32_t in_flight) override;
  void IncreaseWindow(ns3::Ptr<ns3::TcpSocketState>, std::uint32_t) override {}
  ns3::Ptr<ns3::TcpCongestionOps> Fork() override;

 private:
  using Sample = ns3::TcpRateOps::TcpRateSample;
  using State = ns3::TcpSocketState;
  static constexpr std::uint32_t bandwidth_rounds = 10;

  void begin(State& tcb);

  // The model.
  void update_round_and_bandwidth(const Sample& sample);
  void update_aggregation(const State& tcb, const Sample& sample);
  void update_cycle(const State& tcb, const Sample& sample);
  void check_full_pipe(const Sample& sample);
  void check_drain(const State& tcb);
  void update_min_rtt(State& tcb, const Sample& sample);
  void run_probe_rtt(State& tcb);
  void leave_probe_rtt(State& tcb);
  void enter_probe_bw();
  void set_gains();
  bool next_phase_is_due(const State& tcb, const Sample& sample) const;
  static bool may_be_delayed(const State& tcb, const Sample& sample);

  // What is made of it.
  void set_pacing_rate(State& tcb, double gain);
  void init_pacing_rate(State& tcb);
  void set_window(State& tcb, const Sample& sample);
  bool modulate_for_recovery(State& tcb, const Sample& sample);
  void save_window(const State& tcb);
  std::uint32_t bandwidth_delay_product(const State& tcb, double gain) const;
  static std::uint32_t quantum(const State& tcb);
  std::uint32_t with_quantum(const State& tcb, std::uint32_t window) const;
  std::uint32_t in_flight_for(const State& tcb, double gain) const;
  std::uint32_t aggregation_window() const;

  ns3::Ptr<TcpDeliveryRate> samples_;
  Mode mode_ = Mode::startup;
  double pacing_gain_ = 1, window_gain_ = 1;
  ns3::WindowedFilter<std::uint64_t, ns3::MaxFilter<std::uint64_t>, std::uint32_t, std::uint32_t>
      bandwidth_{bandwidth_rounds, 0, 0};  // bit/s, over rounds
  std::uint64_t delivered_ = 0;            // bytes

  std::uint32_t round_ = 0;
  std::uint64_t round_ends_ = 0;  // bytes delivered when the present round is over
  bool round_start_ = false;

  ns3::Time min_rtt_ = ns3::Time::Max(), min_rtt_at_;
  ns3::Time probe_rtt_done_;  // zero: the window is not small enough yet
  bool probe_rtt_round_done_ = false;

  std::uint64_t full_bandwidth_ = 0;
  int rounds_without_growth_ = 0;
  bool pipe_full_ = false;
  std::size_t cycle_ = 0;
  ns3::Time cycle_began_;

  std::array<std::uint32_t, 2> extra_acked_{};  // bytes beyond what the bandwidth explains
  std::size_t extra_at_ = 0;
  int extra_rounds_ = 0;
  ns3::Time ack_epoch_began_;
  std::uint64_t ack_epoch_acked_ = 0;

  State::TcpCongState_t previous_state_ = State::CA_OPEN;
  bool packet_conservation_ = false;
  std::uint32_t prior_window_ = 0;
  bool begun_ = false;
  bool idle_restart_ = false;
  bool seen_rtt_ = false;
};

}  // namespace sennit
