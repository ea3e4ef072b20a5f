#include "real/daemon/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cstdint>

#include "real/daemon/fd.h"

namespace sennit {
namespace {

constexpr std::uint32_t kept = 1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW;
constexpr std::size_t words = 2;  // _LINUX_CAPABILITY_VERSION_3 has 64 bits

bool keeps(int capability) { return capability < 32 && (kept >> capability & 1u) != 0; }

/// What no program that this process runs may have either.
void narrow_bounding_set() {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (!keeps(capability)) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
}

}  // namespace

void drop_privileges() {
  narrow_bounding_set();  // needs CAP_SETPCAP; without it there is little left to narrow
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, words> data{};
  if (syscall(SYS_capget, &header, data.data()) != 0) fail_with_errno("read capabilities");
  // Never more than there was: a process that was started with less keeps less.
  data[0] = {data[0].permitted & kept, data[0].permitted & kept, 0};
  data[1] = {};
  if (syscall(SYS_capset, &header, data.data()) != 0) fail_with_errno("drop capabilities");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail_with_errno("give up new privileges");
}

}  // namespace sennit
