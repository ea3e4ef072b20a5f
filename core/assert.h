// Our own bugs: SENNIT_ASSERT stays on in release builds, because a tunnel that goes on after its
// state is wrong corrupts other people's packets. Never used for the peer's bytes (drop and count)
// or the operator's settings (an error in words).
#pragma once

namespace sennit {

/// Prints the broken condition on stderr and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace sennit

#define SENNIT_ASSERT(condition)                       \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::sennit::assertion_failed(#condition, __FILE__, __LINE__))
