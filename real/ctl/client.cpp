#include "real/ctl/client.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "real/daemon/control_server.h"
#include "real/daemon/fd.h"

namespace sennit {
namespace {

constexpr timeval patience{5, 0};

Fd connect_to(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.string().size() >= sizeof address.sun_path) {
    throw std::runtime_error(path.string() + ": allowed is a path of 107 characters at most");
  }
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  Fd fd{socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(path.string() + ": no daemon answers (" + std::strerror(errno) + ")");
  }
  return fd;
}

}  // namespace

nlohmann::json ask_daemon(const std::filesystem::path& socket, const nlohmann::json& request) {
  const Fd fd = connect_to(socket);
  const std::string text = request.dump();
  std::string reply(control_message_max, '\0');
  const bool sent = send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0;
  const ssize_t size = sent ? recv(fd.get(), reply.data(), reply.size(), 0) : -1;
  if (size <= 0) throw std::runtime_error(socket.string() + ": the daemon gave no answer");
  reply.resize(static_cast<std::size_t>(size));
  nlohmann::json answer = nlohmann::json::parse(reply);
  if (answer.contains("error")) throw std::runtime_error(answer["error"].get<std::string>());
  return answer;
}

}  // namespace sennit
