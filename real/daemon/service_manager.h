// What systemd is told (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET names. Without
// one, nothing is told to nobody.
#pragma once

#include <string>
#include <string_view>

#include "core/units.h"
#include "real/daemon/fd.h"

namespace sennit {

class ServiceManager {
 public:
  ServiceManager();
  /// "READY=1", "STOPPING=1", "WATCHDOG=1", "RELOADING=1".
  void tell(std::string_view state) const;
  /// How often the watchdog wants to hear from us; never when there is none.
  Duration watchdog_interval() const { return watchdog_interval_; }

 private:
  Fd socket_;
  std::string address_;
  Duration watchdog_interval_ = Duration::max();
};

}  // namespace sennit
