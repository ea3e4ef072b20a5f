// How good a phone call sounds, from the delay and loss of its packets: the E-model of ITU-T G.107
// for G.711 with packet loss concealment, reduced to what a network can change.
//
//   R      = 93.2 - Id - Ie_eff                       (all other parameters at G.107's defaults)
//   Id     = 0.024 d + 0.11 (d - 177.3) [d > 177.3]   d = mouth-to-ear delay, ms (Cole and
//                                                     Rosenbluth, CCR 2001: fit of G.107's curves)
//   Ie_eff = Ie + (95 - Ie) Ppl / (Ppl / BurstR + Bpl)   Ppl in percent; G.711 with PLC: Ie = 0,
//                                                     Bpl = 25.1 (G.113 appendix I)
//   MOS    = 1 + 0.035 R + R (R - 60) (100 - R) 7e-6  for 0 < R < 100
//
// d is 20 ms of packetisation, plus the least network delay, plus the playout buffer. The buffer
// is what a phone would choose: as long as the 99th percentile of the delay variation, at least
// 60 ms and at most 200 ms. What arrives after its playout time is lost.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/units.h"

namespace sennit {

/// Mean opinion score, 1 (bad) to 4.5 (excellent), of a transmission rating R.
double mos_of_rating(double rating);

/// R for a mouth-to-ear delay, a loss ratio in [0, 1] and a burst ratio (1 = random loss).
double voice_rating(Duration mouth_to_ear, double loss_ratio, double burst_ratio);

/// Mean length of loss bursts over what random loss of the same ratio would give, 1 / (1 - p)
/// (G.107, BurstR). Never below 1; 1 without loss.
double burst_ratio_of(const std::vector<bool>& lost);

/// One call's packets in order. Keeps one word each, up to 2^20 packets (5.8 hours); a longer call
/// is judged by its first hours.
class VoiceQuality {
 public:
  /// The next packet of the call; no delay = it was lost.
  void add(std::optional<Duration> one_way_delay);
  /// Nothing before the first packet.
  std::optional<double> mos() const;

 private:
  std::vector<std::uint32_t> delay_us_;  // lost_us = it never came
};

}  // namespace sennit
