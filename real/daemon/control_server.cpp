#include "real/daemon/control_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sennit {
namespace {

constexpr std::size_t clients_max = 8;

sockaddr_un socket_address(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

Fd packet_socket() { return Fd{socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)}; }

/// A file that a daemon left behind is removed, a living one's is not.
void remove_stale(const std::filesystem::path& path, const sockaddr_un& address) {
  const Fd probe = packet_socket();
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  if (connect(probe.get(), to, sizeof address) == 0) {
    errno = EADDRINUSE;
    fail_with_errno("listen on " + path.string() + ", where another daemon answers");
  }
  unlink(path.c_str());
}

}  // namespace

ControlServer::ControlServer(const std::filesystem::path& path, Poller& poller, Answer answer)
    : path_(path), poller_(poller), answer_(std::move(answer)), listener_(packet_socket()) {
  std::filesystem::create_directories(path.parent_path());
  const sockaddr_un address = socket_address(path);
  remove_stale(path, address);
  const mode_t before = umask(0177);
  const auto* at = reinterpret_cast<const sockaddr*>(&address);
  const bool bound = bind(listener_.get(), at, sizeof address) == 0;
  umask(before);
  if (!bound || listen(listener_.get(), clients_max) != 0) {
    fail_with_errno("listen on " + path.string());
  }
  poller_.add(listener_.get(), {Tag::Kind::listener});
}

ControlServer::~ControlServer() { unlink(path_.c_str()); }

void ControlServer::handle_ready(const Ready& ready) {
  if (ready.tag.kind == Tag::Kind::listener) accept_client();
  if (ready.tag.kind == Tag::Kind::client) handle_client(static_cast<int>(ready.tag.index));
}

void ControlServer::accept_client() {
  Fd client{accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (!client || clients_.size() == clients_max) return;
  poller_.add(client.get(), {Tag::Kind::client, 0, static_cast<std::uint32_t>(client.get())});
  clients_.push_back(std::move(client));
}

void ControlServer::handle_client(int fd) {
  std::string text(control_message_max, '\0');
  const ssize_t size = recv(fd, text.data(), text.size(), 0);
  if (size < 0 && errno == EAGAIN) return;
  if (size <= 0) return close_client(fd);
  text.resize(static_cast<std::size_t>(size));
  const auto request = nlohmann::json::parse(text, nullptr, false);
  const nlohmann::json answer = request.is_object()
                                    ? answer_(request)
                                    : nlohmann::json{{"error",
                                                      "found no JSON object; allowed: "
                                                      "{\"command\": \"status\"}"}};
  const std::string reply = answer.dump();
  // A client that does not read its answers is not waited for.
  if (send(fd, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) close_client(fd);
}

void ControlServer::close_client(int fd) {
  std::erase_if(clients_, [fd](const Fd& client) { return client.get() == fd; });
}

}  // namespace sennit
