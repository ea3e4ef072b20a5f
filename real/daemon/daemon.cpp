#include "real/daemon/daemon.h"

#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "real/config/endpoint.h"
#include "real/daemon/clock.h"
#include "real/daemon/privileges.h"
#include "sim/scenario/input_error.h"

namespace sennit {
namespace {

using nlohmann::json;

Fd block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  Fd fd{signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
  if (!fd) fail_with_errno("listen to signals");
  return fd;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) fail_with_errno("draw a random number");
  return seed;
}

/// A pacer that wakes 5 ms late has lost 5 ms of its link, and what its rate control then measures
/// is this machine. Where the priority is refused, it goes without.
void ask_for_promptness() {
  constexpr int nice = -15;
  if (setpriority(PRIO_PROCESS, 0, nice) != 0) spdlog::debug("no priority of {}", nice);
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);  // sleeps are shorter than the usual 50 us of slack
}

/// Without what reload() applies.
bool needs_restart(EdgeConfig before, EdgeConfig after) {
  for (EdgeConfig* config : {&before, &after}) {
    config->interface.addresses.clear();
    config->interface.routes.clear();
    config->interface.mtu.reset();
    for (Peer& peer : config->peers) peer.allowed_prefixes.clear();
  }
  return !(before == after);
}

}  // namespace

Daemon::Daemon(EdgeConfig config, std::filesystem::path file)
    : config_(std::move(config)),
      file_(std::move(file)),
      signals_(block_signals()),
      plane_(config_, poller_, netlink_, random_seed(), monotonic_now()),
      control_(config_.control, poller_, [this](const json& request) { return answer(request); }),
      watchdog_at_(monotonic_now()) {
  ask_for_promptness();
  poller_.add(signals_.get(), {Tag::Kind::signal});
  poller_.add(monitor_.fd(), {Tag::Kind::netlink});
  drop_privileges();
}

void Daemon::run() {
  spdlog::info("{}: {} paths to {}, MTU {}", plane_.tun().name(), plane_.path_count(),
               config_.peers.front().name, plane_.mtu());
  manager_.tell("READY=1");
  while (!stopping_) {
    const std::span<const Ready> ready = poller_.wait(sleep(monotonic_now()));
    const Instant now = monotonic_now();
    for (const Ready& one : ready) handle(now, one);
    plane_.step(now);
    tend(now);
  }
  manager_.tell("STOPPING=1");
  spdlog::info("stopped: {}", summary_of(monotonic_now(), plane_));
}

Duration Daemon::sleep(Instant now) const {
  const Instant next = std::min({plane_.next_step(now), sampler_.next(), watchdog_at_});
  return next - now;
}

// What is due now and then, beside packets.
void Daemon::tend(Instant now) {
  if (now >= watchdog_at_) {
    manager_.tell("WATCHDOG=1");
    const Duration interval = manager_.watchdog_interval();
    watchdog_at_ = interval == Duration::max() ? never : now + interval;
  }
  if (now < sampler_.next()) return;
  sampler_.sample(now, plane_.tunnel());
  const auto& wans = plane_.wans();
  const bool incomplete =
      std::any_of(wans.begin(), wans.end(), [](const WanPort& wan) { return wan.incomplete(); });
  if (incomplete) plane_.update_links(now);
}

void Daemon::handle(Instant now, const Ready& ready) {
  switch (ready.tag.kind) {
    case Tag::Kind::signal:
      return handle_signals(now);
    case Tag::Kind::netlink:
      if (monitor_.changed()) plane_.update_links(now);
      return;
    case Tag::Kind::listener:
    case Tag::Kind::client:
      return control_.handle_ready(ready);
    case Tag::Kind::tun:
    case Tag::Kind::socket:
      return plane_.handle_ready(now, ready);
  }
}

void Daemon::handle_signals(Instant now) {
  signalfd_siginfo info{};
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGHUP) {
      reload();
    } else if (info.ssi_signo == SIGUSR1) {
      spdlog::info("status: {}", summary_of(now, plane_));
    } else {
      stopping_ = true;
    }
  }
}

// A file with a mistake changes nothing.
void Daemon::reload() {
  try {
    EdgeConfig fresh = load_edge_config(file_);
    if (needs_restart(config_, fresh)) {
      spdlog::warn(
          "reload: only addresses, routes, mtu and allowed_prefixes can change while the "
          "tunnel lives; the rest of {} waits for a restart",
          file_.string());
    }
    plane_.set_interface(fresh.interface, inner_routes(fresh));
    config_.interface = std::move(fresh.interface);
    for (std::size_t i = 0; i < config_.peers.size(); ++i) {
      config_.peers[i].allowed_prefixes = fresh.peers[i].allowed_prefixes;
    }
    spdlog::info("reload: done");
  } catch (const std::exception& error) {
    spdlog::error("reload: {}", error.what());
  }
}

// --- the control socket --------------------------------------------------------------------------

json Daemon::answer(const json& request) {
  const Instant now = monotonic_now();
  const std::string command = request.value("command", json()).is_string()
                                  ? request["command"].get<std::string>()
                                  : std::string();
  if (command == "status") return status_of(now, config_, plane_, sampler_);
  if (command == "path") return set_path(now, request);
  return {{"error", "command: found '" + command + "'; allowed: status, path"}};
}

json Daemon::set_path(Instant now, const json& request) {
  const json name = request.value("name", json());
  const json wanted = request.value("wanted", json());
  if (wanted != "up" && wanted != "down") {
    return {{"error", "wanted: found " + wanted.dump() + "; allowed: up, down"}};
  }
  if (!name.is_string() || !plane_.set_path(now, name.get<std::string>(), wanted == "up")) {
    std::string known;
    for (std::size_t id = 0; id < plane_.path_count(); ++id) {
      known += (known.empty() ? "" : ", ") + plane_.path(id).plan.name;
    }
    return {{"error", "name: found " + name.dump() + "; allowed: " + known}};
  }
  spdlog::info("path {}: wanted {}", name.get<std::string>(), wanted.get<std::string>());
  return {{"done", true}};
}

}  // namespace sennit
