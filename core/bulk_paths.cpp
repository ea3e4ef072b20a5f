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

  const Duration nearest = near_first[0]->delay;
  BitRate sum;
  std::array<BitRate, paths_max> counted_of{};  // per group
  double best = 0;
  std::size_t best_count = 0;
  Duration best_delay{};
  for (std::size_t i = 0; i < count; ++i) {
    const BulkPath& path = *near_first[i];
    if (path.delay - nearest > spread_max) break;
    // What a bottleneck carries counts once.
    BitRate& counted = counted_of[index(path.group)];
    if (path.rate > counted) sum = sum + (path.rate - std::exchange(counted, path.rate));
    const double t = transfer_seconds(sum, near_round_trip + path.delay - nearest, size);
    const bool farther = path.delay - best_delay > farther_from;
    const double wanted = !farther ? 1.0 : path.used ? gain_to_stay : gain_to_join;
    if (best_count > 0 && t > wanted * best) continue;
    best = t;
    best_count = i + 1;
    best_delay = path.delay;
  }
  for (std::size_t i = 0; i < count; ++i) near_first[i]->used = i < best_count;
}

}  // namespace sennit
