// One-way delay of a path as its sender knows it from reports: forecast, variation, and the
// standing queue (Copa's estimate: least delay now minus least delay of the last ten seconds).
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/units.h"

namespace sennit {

class OneWayDelay {
 public:
  /// `newest` and `least` of one report interval, relative to a constant shared by all paths.
  void on_report(Instant now, Duration newest, Duration least) {
    if (!measured_) {
      smoothed_ = newest;
      measured_ = true;
    }
    measure_noise(least);
    const Duration error = newest - smoothed_;
    deviation_ += (Duration{std::llabs(error.count())} - deviation_) / 4;
    smoothed_ += error / 4;  // reports come four times a round trip: half a round trip of memory
    recent_[recent_next_++ % recent_.size()] = {now, least};
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    Least& slot = base_[static_cast<std::size_t>(second.time_since_epoch().count()) % base_.size()];
    if (slot.at != second) slot = {second, least};
    slot.value = std::min(slot.value, least);
    last_ = now;
  }

  bool measured() const { return measured_; }
  Duration smoothed() const { return smoothed_; }
  Duration deviation() const { return deviation_; }
  /// By how much the least delay of a report strays from that of its neighbours: what of the delay
  /// is neither queue nor route. A report that lies between its neighbours, as on every slope of a
  /// queue, strays by nothing (a median filter of three). About 0.56 of the standard deviation when
  /// reports are independent.
  Duration noise() const { return noise_; }
  /// Least of the last ten seconds.
  Duration base() const { return least_since(base_, last_ - 10s); }
  /// Least of the last `window` (at least the newest report) minus base().
  Duration standing_queue(Duration window) const {
    if (!measured_) return {};
    const Duration now_least =
        std::min(least_since(recent_, last_ - window), recent_[(recent_next_ - 1) % 16].value);
    return std::max(Duration::zero(), now_least - base());
  }
  /// What a packet sent now should take: base plus standing queue. The smoothed value lags by as
  /// many reports as it remembers, which on a path that is hardly used (ten PINGs a second) kept a
  /// link out of service for half a second after its queue had gone.
  Duration forecast(Duration window) const {
    return measured_ ? base() + standing_queue(window) : smoothed_;
  }
  /// What the last second measured is the base now: the path itself became slower (a new route).
  void rebase() {
    for (Least& slot : base_) {
      if (slot.at < last_ - 1s) slot = {};
    }
  }
  /// The path was away: what it measured before says nothing about now.
  void forget() { *this = OneWayDelay{}; }

 private:
  struct Least {
    Instant at = Instant::min();
    Duration value = Duration::max();
  };
  template <std::size_t N>
  static Duration least_since(const std::array<Least, N>& slots, Instant since) {
    Duration least = Duration::max();
    for (const Least& slot : slots) {
      if (slot.at >= since) least = std::min(least, slot.value);
    }
    return least;
  }

  void measure_noise(Duration least) {
    const Duration before = least_before_[0], middle = least_before_[1];
    if (reports_ >= 2) {
      const Duration median =
          std::max(std::min(before, middle), std::min(std::max(before, middle), least));
      const Duration stray =
          std::min<Duration>(Duration{std::llabs((middle - median).count())}, stray_max);
      noise_ += (stray - noise_) / 16;
    }
    least_before_ = {middle, least};
    reports_ = std::min(reports_ + 1, 2);
  }

  static constexpr Duration stray_max = std::chrono::milliseconds{50};
  Duration smoothed_{}, deviation_{}, noise_{};
  std::array<Duration, 2> least_before_{};  // of the two reports before
  int reports_ = 0;
  std::array<Least, 16> recent_{};
  std::size_t recent_next_ = 0;
  std::array<Least, 11> base_{};  // one second each
  Instant last_{};
  bool measured_ = false;
};

}  // namespace sennit
