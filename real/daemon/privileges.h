// What the process may still do once its devices and sockets are open.
#pragma once

namespace sennit {

/// Gives up every capability but CAP_NET_ADMIN and CAP_NET_RAW, for good, and the right to gain any
/// by running a program. Throws std::system_error.
void drop_privileges();

}  // namespace sennit
