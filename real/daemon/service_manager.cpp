#include "real/daemon/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>

namespace sennit {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

ServiceManager::ServiceManager() : address_(environment("NOTIFY_SOCKET")) {
  if (address_.empty() || address_.size() >= sizeof(sockaddr_un::sun_path)) {
    address_.clear();
    return;
  }
  socket_ = Fd{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  const std::string text = environment("WATCHDOG_USEC");
  std::int64_t us = 0;
  std::from_chars(text.data(), text.data() + text.size(), us);
  if (us > 0) watchdog_interval_ = std::chrono::microseconds{us} / 2;  // twice, as sd_notify asks
}

void ServiceManager::tell(std::string_view state) const {
  if (address_.empty()) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  address_.copy(to.sun_path, sizeof to.sun_path - 1);
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';  // the abstract name space
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  sendto(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL,
         reinterpret_cast<const sockaddr*>(&to), size);
}

}  // namespace sennit
