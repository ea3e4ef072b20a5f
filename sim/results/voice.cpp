#include "sim/results/voice.h"

#include <algorithm>

namespace sennit {
namespace {

constexpr std::uint32_t lost_us = UINT32_MAX;
constexpr std::size_t packets_max = std::size_t{1} << 20;
constexpr std::uint32_t packetisation_us = 20'000;
constexpr std::uint32_t buffer_min_us = 60'000;
constexpr std::uint32_t buffer_max_us = 200'000;

/// The playout time, µs after sending, that a phone would choose for these (non-empty) delays.
std::uint32_t playout_us(std::vector<std::uint32_t> arrived) {
  const auto p99 = arrived.begin() + static_cast<std::ptrdiff_t>((arrived.size() - 1) * 99 / 100);
  std::nth_element(arrived.begin(), p99, arrived.end());
  const std::uint32_t least = *std::min_element(arrived.begin(), p99 + 1);
  return least + std::clamp(*p99 - least, buffer_min_us, buffer_max_us);
}

}  // namespace

double mos_of_rating(double rating) {
  const double r = std::clamp(rating, 0.0, 100.0);
  return 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
}

double voice_rating(Duration mouth_to_ear, double loss_ratio, double burst_ratio) {
  const double d = to_seconds(mouth_to_ear) * 1e3;
  const double delay_impairment = 0.024 * d + 0.11 * std::max(0.0, d - 177.3);
  const double loss = loss_ratio * 100;
  const double loss_impairment = 95 * loss / (loss / burst_ratio + 25.1);
  return 93.2 - delay_impairment - loss_impairment;
}

double burst_ratio_of(const std::vector<bool>& lost) {
  std::size_t losses = 0, bursts = 0;
  for (std::size_t i = 0; i < lost.size(); ++i) {
    if (!lost[i]) continue;
    ++losses;
    if (i == 0 || !lost[i - 1]) ++bursts;
  }
  if (losses == 0) return 1;
  const double ratio = static_cast<double>(losses) / static_cast<double>(lost.size());
  const double mean_burst = static_cast<double>(losses) / static_cast<double>(bursts);
  return std::max(1.0, mean_burst * (1 - ratio));
}

void VoiceQuality::add(std::optional<Duration> one_way_delay) {
  if (delay_us_.size() == packets_max) return;
  if (!one_way_delay) return delay_us_.push_back(lost_us);
  const std::int64_t us = one_way_delay->count() / 1000;
  delay_us_.push_back(static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 0, lost_us - 1)));
}

std::optional<double> VoiceQuality::mos() const {
  if (delay_us_.empty()) return std::nullopt;
  std::vector<std::uint32_t> arrived;
  std::copy_if(delay_us_.begin(), delay_us_.end(), std::back_inserter(arrived),
               [](std::uint32_t us) { return us != lost_us; });
  if (arrived.empty()) return mos_of_rating(0);
  const std::uint32_t playout = playout_us(std::move(arrived));
  std::vector<bool> lost;
  for (const std::uint32_t us : delay_us_) lost.push_back(us > playout);
  const auto losses = static_cast<double>(std::count(lost.begin(), lost.end(), true));
  const double rating =
      voice_rating(std::chrono::microseconds{playout + packetisation_us},
                   losses / static_cast<double>(lost.size()), burst_ratio_of(lost));
  return mos_of_rating(rating);
}

}  // namespace sennit
