// For tests only: how often this program has asked for memory, so that "allocates nothing" can be
// tested and not only claimed.
#pragma once

#include <cstddef>

namespace sennit {

/// Calls of any operator new since the program started.
std::size_t allocations_so_far();

}  // namespace sennit
