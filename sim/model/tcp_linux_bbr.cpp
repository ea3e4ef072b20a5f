#include "sim/model/tcp_linux_bbr.h"

#include <algorithm>
#include <cmath>

#include "ns3/simulator.h"

namespace sennit {
namespace {

using ns3::MilliSeconds;
using ns3::Seconds;
using ns3::Simulator;
using ns3::Time;

constexpr double high_gain = 2.0 / 0.69314718056;  // 2 / ln 2
constexpr std::array<double, 8> cycle_gains{1.25, 0.75, 1, 1, 1, 1, 1, 1};
constexpr double window_gain_of_probe_bw = 2;
constexpr double pacing_margin = 0.99;  // of the bandwidth: the queue of the path stays short
constexpr double growth_expected = 1.25;
constexpr int rounds_of_full_pipe = 3;
constexpr std::uint32_t least_window = 4;  // packets
constexpr int extra_acked_rounds = 5;
constexpr int extra_acked_ms_max = 100;
// Linux sends what it paces in pieces of about a millisecond, of at least two packets unless slow.
constexpr std::uint64_t slow_pacing_bps = 1'200'000;
constexpr std::uint32_t piece_max = 64 * 1024;

std::uint64_t bytes_in(std::uint64_t bps, Time time) {
  return static_cast<std::uint64_t>(static_cast<double>(bps) / 8 * time.GetSeconds());
}

}  // namespace

NS_OBJECT_ENSURE_REGISTERED(TcpLinuxBbr);

ns3::TypeId TcpLinuxBbr::GetTypeId() {
  static const ns3::TypeId id = ns3::TypeId("sennit::TcpLinuxBbr")
                                    .SetParent<ns3::TcpCongestionOps>()
                                    .SetGroupName("Internet")
                                    .AddConstructor<TcpLinuxBbr>();
  return id;
}

ns3::Ptr<ns3::TcpCongestionOps> TcpLinuxBbr::Fork() { return ns3::CopyObject<TcpLinuxBbr>(this); }

void TcpLinuxBbr::Init(ns3::Ptr<State> tcb) { tcb->m_pacing = true; }

void TcpLinuxBbr::CongControl(ns3::Ptr<State> tcb,
                              const ns3::TcpRateOps::TcpRateConnection& connection,
                              const Sample& sample) {
  if (!begun_) begin(*tcb);
  delivered_ = connection.m_delivered;
  update_round_and_bandwidth(sample);
  update_aggregation(*tcb, sample);
  update_cycle(*tcb, sample);
  check_full_pipe(sample);
  check_drain(*tcb);
  update_min_rtt(*tcb, sample);
  set_gains();
  set_pacing_rate(*tcb, pacing_gain_);
  set_window(*tcb, sample);
}

// With the first acknowledgement. ns-3 does not pace the initial window, so until then there is
// nothing to set.
void TcpLinuxBbr::begin(State& tcb) {
  begun_ = true;
  min_rtt_at_ = ack_epoch_began_ = Simulator::Now();
  set_gains();
  init_pacing_rate(tcb);
}

// --- the model ---

void TcpLinuxBbr::update_round_and_bandwidth(const Sample& sample) {
  round_start_ = false;
  if (sample.m_delivered < 0 || sample.m_interval.IsZero()) return;
  if (samples_->prior_delivered() >= round_ends_) {
    round_ends_ = delivered_;
    ++round_;
    round_start_ = true;
    packet_conservation_ = false;
  }
  const std::uint64_t rate = sample.m_deliveryRate.GetBitRate();
  if (!sample.m_isAppLimited || rate >= bandwidth_.GetBest()) bandwidth_.Update(rate, round_);
}

// How much more arrives at once than the bandwidth explains, so that the window allows for it.
void TcpLinuxBbr::update_aggregation(const State& tcb, const Sample& sample) {
  if (sample.m_ackedSacked == 0 || sample.m_delivered < 0 || sample.m_interval.IsZero()) return;
  if (round_start_ && ++extra_rounds_ >= extra_acked_rounds) {
    extra_rounds_ = 0;
    extra_at_ ^= 1;
    extra_acked_[extra_at_] = 0;
  }
  const Time now = Simulator::Now();
  std::uint64_t expected = bytes_in(bandwidth_.GetBest(), now - ack_epoch_began_);
  if (ack_epoch_acked_ <= expected) {
    ack_epoch_acked_ = 0;
    ack_epoch_began_ = now;
    expected = 0;
  }
  ack_epoch_acked_ += sample.m_ackedSacked;
  const auto extra = std::min<std::uint64_t>(ack_epoch_acked_ - expected, tcb.m_cWnd.Get());
  extra_acked_[extra_at_] = std::max(extra_acked_[extra_at_], static_cast<std::uint32_t>(extra));
}

bool TcpLinuxBbr::next_phase_is_due(const State& tcb, const Sample& sample) const {
  const bool full_length = Simulator::Now() - cycle_began_ > min_rtt_;
  const double gain = cycle_gains[cycle_];
  if (gain > 1) {
    return full_length && (sample.m_bytesLoss > 0 ||
                           sample.m_priorInFlight + quantum(tcb) >= in_flight_for(tcb, gain));
  }
  if (gain < 1) return full_length || sample.m_priorInFlight <= in_flight_for(tcb, 1);
  return full_length;
}

void TcpLinuxBbr::update_cycle(const State& tcb, const Sample& sample) {
  if (mode_ != Mode::probe_bw || !next_phase_is_due(tcb, sample)) return;
  cycle_ = (cycle_ + 1) % cycle_gains.size();
  cycle_began_ = Simulator::Now();
}

void TcpLinuxBbr::check_full_pipe(const Sample& sample) {
  if (pipe_full_ || !round_start_ || sample.m_isAppLimited) return;
  const double wanted = static_cast<double>(full_bandwidth_) * growth_expected;
  if (static_cast<double>(bandwidth_.GetBest()) >= wanted) {
    full_bandwidth_ = bandwidth_.GetBest();
    rounds_without_growth_ = 0;
    return;
  }
  pipe_full_ = ++rounds_without_growth_ >= rounds_of_full_pipe;
}

void TcpLinuxBbr::check_drain(const State& tcb) {
  if (mode_ == Mode::startup && pipe_full_) mode_ = Mode::drain;
  if (mode_ == Mode::drain && tcb.m_bytesInFlight.Get() <= in_flight_for(tcb, 1)) enter_probe_bw();
}

void TcpLinuxBbr::enter_probe_bw() {
  mode_ = Mode::probe_bw;
  // Any phase but the one that drains, so that flows do not probe together. What differs from flow
  // to flow and is the same in every run of a seed: the bytes delivered.
  const auto phase = static_cast<std::size_t>(delivered_ / 1448 % (cycle_gains.size() - 1));
  cycle_ = phase == 0 ? 0 : phase + 1;
  cycle_began_ = Simulator::Now();
}

void TcpLinuxBbr::update_min_rtt(State& tcb, const Sample& sample) {
  const Time now = Simulator::Now();
  const bool expired = now > min_rtt_at_ + Seconds(10);
  const auto rtt = samples_->round_trip();
  if (rtt && (*rtt <= min_rtt_ || (expired && !may_be_delayed(tcb, sample)))) {
    min_rtt_ = *rtt;
    min_rtt_at_ = now;
  }
  if (expired && !idle_restart_ && mode_ != Mode::probe_rtt) {
    mode_ = Mode::probe_rtt;
    save_window(tcb);
    probe_rtt_done_ = Time{};
  }
  if (mode_ == Mode::probe_rtt) run_probe_rtt(tcb);
  if (sample.m_delivered > 0) idle_restart_ = false;
}

// A lone packet that is not full: its receiver waits for another before it acknowledges.
bool TcpLinuxBbr::may_be_delayed(const State& tcb, const Sample& sample) {
  return sample.m_ackedSacked < tcb.m_segmentSize &&
         sample.m_delivered == static_cast<std::int32_t>(sample.m_ackedSacked);
}

void TcpLinuxBbr::run_probe_rtt(State& tcb) {
  samples_->limit_by_application(tcb.m_bytesInFlight.Get());
  if (!probe_rtt_done_.IsZero()) {
    probe_rtt_round_done_ = probe_rtt_round_done_ || round_start_;
    if (probe_rtt_round_done_) leave_probe_rtt(tcb);
  } else if (tcb.m_bytesInFlight.Get() <= least_window * tcb.m_segmentSize) {
    probe_rtt_done_ = Simulator::Now() + MilliSeconds(200);
    probe_rtt_round_done_ = false;
    round_ends_ = delivered_;
  }
}

void TcpLinuxBbr::leave_probe_rtt(State& tcb) {
  if (probe_rtt_done_.IsZero() || Simulator::Now() <= probe_rtt_done_) return;
  min_rtt_at_ = Simulator::Now();
  tcb.m_cWnd = std::max(tcb.m_cWnd.Get(), prior_window_);
  if (pipe_full_) {
    enter_probe_bw();
  } else {
    mode_ = Mode::startup;
  }
}

void TcpLinuxBbr::set_gains() {
  switch (mode_) {
    case Mode::startup:
      pacing_gain_ = window_gain_ = high_gain;
      break;
    case Mode::drain:
      pacing_gain_ = 1 / high_gain;
      window_gain_ = high_gain;
      break;
    case Mode::probe_bw:
      pacing_gain_ = cycle_gains[cycle_];
      window_gain_ = window_gain_of_probe_bw;
      break;
    case Mode::probe_rtt:
      pacing_gain_ = window_gain_ = 1;
      break;
  }
}

// --- what is made of it ---

void TcpLinuxBbr::init_pacing_rate(State& tcb) {
  const Time known = std::min(min_rtt_, tcb.m_minRtt);  // ns-3's: of the handshake
  seen_rtt_ = known != Time::Max();
  const Time rtt = seen_rtt_ ? std::max(known, MilliSeconds(1)) : MilliSeconds(1);
  const double bps = 8.0 * tcb.m_cWnd.Get() / rtt.GetSeconds();
  tcb.m_pacingRate = ns3::DataRate(static_cast<std::uint64_t>(high_gain * pacing_margin * bps));
}

void TcpLinuxBbr::set_pacing_rate(State& tcb, double gain) {
  if (!seen_rtt_ && min_rtt_ != Time::Max()) init_pacing_rate(tcb);
  const double bps = static_cast<double>(bandwidth_.GetBest()) * gain * pacing_margin;
  const auto rate = std::min(ns3::DataRate(static_cast<std::uint64_t>(bps)), tcb.m_maxPacingRate);
  if (rate.GetBitRate() == 0) return;
  if (pipe_full_ || rate > tcb.m_pacingRate.Get()) tcb.m_pacingRate = rate;
}

std::uint32_t TcpLinuxBbr::bandwidth_delay_product(const State& tcb, double gain) const {
  if (min_rtt_ == Time::Max()) return tcb.m_initialCWnd * tcb.m_segmentSize;
  return static_cast<std::uint32_t>(gain *
                                    static_cast<double>(bytes_in(bandwidth_.GetBest(), min_rtt_)));
}

// What Linux hands to the network card at once.
std::uint32_t TcpLinuxBbr::quantum(const State& tcb) {
  const std::uint64_t pacing = tcb.m_pacingRate.Get().GetBitRate();
  const std::uint32_t least = tcb.m_segmentSize * (pacing < slow_pacing_bps ? 1 : 2);
  const auto per_millisecond = static_cast<std::uint32_t>(bytes_in(pacing, MilliSeconds(1)));
  return std::clamp(per_millisecond, least, std::max(least, piece_max));
}

// Room for the pieces that the sender, the network card and the receiver handle at once, and for
// pairs of packets, which are acknowledged without delay.
std::uint32_t TcpLinuxBbr::with_quantum(const State& tcb, std::uint32_t window) const {
  const std::uint32_t pair = 2 * tcb.m_segmentSize;
  window = (window + 3 * quantum(tcb) + pair - 1) / pair * pair;
  if (mode_ == Mode::probe_bw && cycle_ == 0) window += pair;
  return window;
}

std::uint32_t TcpLinuxBbr::in_flight_for(const State& tcb, double gain) const {
  return with_quantum(tcb, bandwidth_delay_product(tcb, gain));
}

std::uint32_t TcpLinuxBbr::aggregation_window() const {
  if (!pipe_full_) return 0;
  const std::uint64_t most = bytes_in(bandwidth_.GetBest(), MilliSeconds(extra_acked_ms_max));
  const std::uint32_t extra = std::max(extra_acked_[0], extra_acked_[1]);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(extra, most));
}

void TcpLinuxBbr::set_window(State& tcb, const Sample& sample) {
  const std::uint32_t acked = sample.m_ackedSacked;
  const std::uint32_t least = least_window * tcb.m_segmentSize;
  if (acked > 0 && !modulate_for_recovery(tcb, sample)) {
    const std::uint32_t target =
        with_quantum(tcb, bandwidth_delay_product(tcb, window_gain_) + aggregation_window());
    std::uint32_t window = tcb.m_cWnd.Get();
    if (pipe_full_) {
      window = std::min(window + acked, target);
    } else if (window < target || delivered_ < tcb.m_initialCWnd * tcb.m_segmentSize) {
      window += acked;
    }
    tcb.m_cWnd = std::max(window, least);
  }
  if (mode_ == Mode::probe_rtt) tcb.m_cWnd = std::min(tcb.m_cWnd.Get(), least);
}

// In the first round of a recovery one packet leaves for each that arrives; after it the model
// rules again, less what is lost; at its end the window is what it was before. True if the window
// has been decided.
bool TcpLinuxBbr::modulate_for_recovery(State& tcb, const Sample& sample) {
  std::uint32_t window = tcb.m_cWnd.Get();
  if (sample.m_bytesLoss > 0) {
    window = std::max(window, sample.m_bytesLoss + tcb.m_segmentSize) - sample.m_bytesLoss;
  }
  const auto state = tcb.m_congState.Get();
  if (state == State::CA_RECOVERY && previous_state_ != State::CA_RECOVERY) {
    packet_conservation_ = true;
    round_ends_ = delivered_;
    window = tcb.m_bytesInFlight.Get() + sample.m_ackedSacked;
  } else if (previous_state_ >= State::CA_RECOVERY && state < State::CA_RECOVERY) {
    window = std::max(window, prior_window_);
    packet_conservation_ = false;
  }
  previous_state_ = state;
  if (packet_conservation_) {
    window = std::max(window, tcb.m_bytesInFlight.Get() + sample.m_ackedSacked);
  }
  tcb.m_cWnd = window;
  return packet_conservation_;
}

void TcpLinuxBbr::save_window(const State& tcb) {
  const bool undisturbed = previous_state_ < State::CA_RECOVERY && mode_ != Mode::probe_rtt;
  prior_window_ = undisturbed ? tcb.m_cWnd.Get() : std::max(prior_window_, tcb.m_cWnd.Get());
}

std::uint32_t TcpLinuxBbr::GetSsThresh(ns3::Ptr<const State> tcb, std::uint32_t /*in_flight*/) {
  save_window(*tcb);
  return prior_window_;
}

void TcpLinuxBbr::CongestionStateSet(ns3::Ptr<State> /*tcb*/, State::TcpCongState_t state) {
  if (state != State::CA_LOSS) return;
  previous_state_ = State::CA_LOSS;
  full_bandwidth_ = 0;
  round_start_ = true;
}

void TcpLinuxBbr::CwndEvent(ns3::Ptr<State> tcb, State::TcpCAEvent_t event) {
  if (event != State::CA_EVENT_TX_START || !samples_->limited_by_application()) return;
  idle_restart_ = true;
  ack_epoch_began_ = Simulator::Now();
  ack_epoch_acked_ = 0;
  if (mode_ == Mode::probe_bw) set_pacing_rate(*tcb, 1);
  if (mode_ == Mode::probe_rtt) leave_probe_rtt(*tcb);
}

}  // namespace sennit
