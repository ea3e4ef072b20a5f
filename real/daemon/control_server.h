// The control socket: a Unix socket of packets (SOCK_SEQPACKET), so that a request and its answer
// are one message each and nothing has to be framed. Its file is for its owner only.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "real/daemon/fd.h"
#include "real/daemon/poller.h"

namespace sennit {

/// The largest request or answer, bytes.
inline constexpr std::size_t control_message_max = 1 << 17;

class ControlServer {
 public:
  using Answer = std::function<nlohmann::json(const nlohmann::json& request)>;
  /// Makes the folder and the socket; another daemon's live one is an error. Throws
  /// std::system_error.
  ControlServer(const std::filesystem::path& path, Poller& poller, Answer answer);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  void handle_ready(const Ready& ready);

 private:
  void accept_client();
  void handle_client(int fd);
  void close_client(int fd);

  std::filesystem::path path_;
  Poller& poller_;
  Answer answer_;
  Fd listener_;
  std::vector<Fd> clients_;
};

}  // namespace sennit
