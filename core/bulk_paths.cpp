#include "core/bulk_paths.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/bounds.h"

namespace sennit {
namespace {

constexpr double initial_window = 10 * 1500;  // bytes, RFC 6928
// What a farther path must make of the time to be used, and to stay in use: estimates vary, every
// change of the delay costs, and a late packet on it costs more than its share.
constexpr double gain_to_join = 0.90, gain_to_stay = 0.95;
constexpr Duration farther_from = 5ms;

double transfer_seconds(BitRate rate, Duration round_trip, Bytes size) {
  const double bytes_per_second = static_cast<double>(rate.bits_per_second()) / 8;
  const double rtt = to_seconds(round_trip);
  const double rounds = 1 + std::max(0.0, std::log2(bytes_per_second * rtt / initial_window));
  return static_cast<double>(size.count) / std::max(1.0, bytes_per_second) + rounds * rtt;
}

struct Selection {  // of paths in order of their delay
  std::size_t first = 0, count = 0;
  double seconds = 0;  // of the transfer
};

/// The nearest of these, and those of the farther ones that are worth it.
Selection select_from(std::span<BulkPath* const> near_first, Duration round_trip, Bytes size,
                      Duration spread_max) {
  const Duration nearest = near_first[0]->delay;
  Selection best;
  BitRate sum;
  std::array<BitRate, paths_max> counted_of{};  // per group
  Duration best_delay{};
  for (std::size_t i = 0; i < near_first.size(); ++i) {
    const BulkPath& path = *near_first[i];
    if (path.delay - nearest > spread_max) break;
    // What a bottleneck carries counts once.
    BitRate& counted = counted_of[index(path.group)];
    if (path.rate > counted) sum = sum + (path.rate - std::exchange(counted, path.rate));
    const double t = transfer_seconds(sum, round_trip + path.delay - nearest, size);
    const bool farther = path.delay - best_delay > farther_from;
    const double wanted = !farther ? 1.0 : path.used ? gain_to_stay : gain_to_join;
    if (best.count > 0 && t > wanted * best.seconds) continue;
    best.seconds = t;
    best.count = i + 1;
    best_delay = path.delay;
  }
  return best;
}

}  // namespace

void choose_bulk_paths(std::span<BulkPath> paths, Duration near_round_trip, Bytes size,
                       Duration spread_max) {
  if (paths.empty()) return;
  std::array<BulkPath*, paths_max> near_first{};
  const std::size_t count = std::min(paths.size(), paths_max);
  for (std::size_t i = 0; i < count; ++i) near_first[i] = &paths[i];
  std::sort(near_first.begin(), near_first.begin() + static_cast<std::ptrdiff_t>(count),
            [](const BulkPath* x, const BulkPath* y) {
              return x->delay != y->delay ? x->delay < y->delay : x < y;
            });

  Selection best;
  for (std::size_t first = 0; first < count; ++first) {
    const bool kept =
        near_first[first]->used &&
        std::none_of(near_first.begin(), near_first.begin() + static_cast<std::ptrdiff_t>(first),
                     [](const BulkPath* nearer) { return nearer->used; });
    const Selection found = select_from(
        {near_first.data() + first, count - first},
        near_round_trip + near_first[first]->delay - near_first[0]->delay, size, spread_max);
    const double wanted = first == 0 ? 1.0 : kept ? gain_to_stay : gain_to_join;
    if (best.count > 0 && found.seconds > wanted * best.seconds) continue;
    best = found;
    best.first = first;
  }
  for (std::size_t i = 0; i < count; ++i) {
    near_first[i]->used = i >= best.first && i < best.first + best.count;
  }
}

}  // namespace sennit
