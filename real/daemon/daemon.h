// sennitd: the loop around the data plane, and what is not packets: signals, changes of the
// network, the control socket, the service manager.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "real/config/edge_config.h"
#include "real/daemon/control_server.h"
#include "real/daemon/data_plane.h"
#include "real/daemon/netlink.h"
#include "real/daemon/poller.h"
#include "real/daemon/service_manager.h"
#include "real/daemon/status.h"

namespace sennit {

class Daemon {
 public:
  /// Opens devices and sockets, then gives up the privileges that they needed. `file` is read again
  /// on SIGHUP. Throws std::system_error.
  Daemon(EdgeConfig config, std::filesystem::path file);
  /// Until SIGTERM or SIGINT.
  void run();

 private:
  void handle(Instant now, const Ready& ready);
  void handle_signals(Instant now);
  void reload();
  Duration sleep(Instant now) const;
  void tend(Instant now);
  nlohmann::json answer(const nlohmann::json& request);
  nlohmann::json set_path(Instant now, const nlohmann::json& request);

  EdgeConfig config_;
  const std::filesystem::path file_;
  Fd signals_;
  Poller poller_;
  Netlink netlink_;
  NetlinkMonitor monitor_;
  DataPlane plane_;
  ControlServer control_;
  ServiceManager manager_;
  Sampler sampler_;
  Instant watchdog_at_;
  bool stopping_ = false;
};

}  // namespace sennit
