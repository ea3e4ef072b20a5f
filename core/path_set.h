// The paths of a tunnel, in the order of their ids. Few (paths_max), looked at often.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "core/path.h"

namespace sennit {

class PathSet {
 public:
  Path* find(PathId id) { return index(id) < paths_max ? by_id_[index(id)].get() : nullptr; }
  const Path* find(PathId id) const {
    return index(id) < paths_max ? by_id_[index(id)].get() : nullptr;
  }
  std::span<Path* const> all() { return {list_.data(), size_}; }
  std::span<Path* const> all() const { return {list_.data(), size_}; }

  Path& add(std::unique_ptr<Path> path) {
    const std::size_t at = index(path->id);
    // Packet numbers would begin anew, and with them the nonces of a key that is in use.
    SENNIT_ASSERT(at < paths_max && (used_ >> at & 1) == 0);
    used_ |= 1u << at;
    by_id_[at] = std::move(path);
    rebuild();
    return *by_id_[at];
  }
  void remove(PathId id) {
    by_id_[index(id)].reset();
    rebuild();
  }

  /// The usable path on which a packet of `size` arrives first, none of `excluded` (a mask of ids);
  /// null when there is none.
  Path* fastest(Instant now, std::size_t size, std::uint32_t excluded = 0) {
    Path* best = nullptr;
    Duration best_delay{};
    for (Path* path : all()) {
      if (!path->usable() || (excluded >> index(path->id) & 1) != 0) continue;
      const Duration delay = path->arrival_delay(now, size);
      if (best != nullptr && delay >= best_delay) continue;
      best = path;
      best_delay = delay;
    }
    return best;
  }

 private:
  void rebuild() {
    size_ = 0;
    for (const auto& path : by_id_) {
      if (path) list_[size_++] = path.get();
    }
  }
  std::array<std::unique_ptr<Path>, paths_max> by_id_{};
  std::array<Path*, paths_max> list_{};
  std::size_t size_ = 0;
  std::uint32_t used_ = 0;  // ids that ever were, as bits
};

}  // namespace sennit
