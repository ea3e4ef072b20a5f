// A scenario file as checked plain data: what `sennit-sim run` and `sennit-testbed run` both take.
// Nothing here knows ns-3.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/config.h"
#include "core/link_model/link_model.h"
#include "sim/scenario/input_error.h"

namespace sennit {

/// Direction of a link: `up` is a -> b, `down` is b -> a.
enum class Direction : std::uint8_t { up, down };

struct Link {
  std::string name;
  LinkConfig up, down;
  std::uint8_t cost = 0;
  std::optional<std::string> shared_bottleneck;
};

enum class TrafficKind : std::uint8_t { tcp, cbr, voip, video, web };

/// One named traffic source; fields that its kind does not use keep their defaults.
struct Traffic {
  std::string name;
  TrafficKind kind = TrafficKind::tcp;
  char from = 'b', to = 'a';
  Duration start{};                          // first packet
  std::optional<Duration> stop{};            // default: end of the run
  int flows = 1;                             // tcp
  std::string congestion_control = "cubic";  // tcp, web: cubic, newreno, bbr
  std::optional<Bytes> bytes{};              // tcp: ends after so much
  BitRate rate = BitRate::from_mbps(1);      // cbr, video
  int packet_size = 1200;                    // cbr: bytes of the inner IP packet
  int fps = 30;                              // video
  Duration deadline = 150ms;                 // video: a frame counts if complete by then
  Bytes page_size{1 << 20};                  // web
  Duration think = 1s;                       // web: pause after each completed page
  std::optional<int> dscp{};  // default by kind: voip 46 (EF), video 34 (AF41), else 0
};

/// A run-time change: at one instant, some keys of one link become others.
struct LinkEvent {
  Duration at{};
  std::string link;
  LinkConfig up, down;  // complete configurations in force from `at` on
  std::string text;     // as in the file, for the trace and messages
};

/// A comparison that makes the file a regression test.
struct Expectation {
  std::string text;        // as in the file
  std::string path;        // into summary.json, dots between keys
  std::string comparison;  // >= <= > < ==
  double value = 0;
  std::optional<std::string> backend{};  // ns3, netem, emulator; none = all
  std::optional<std::string> variant{};  // none = default
};

struct Variant {
  std::string name;
  TunnelConfig tunnel;
  std::vector<std::string> links;  // names in use; never empty
};

struct Scenario {
  std::filesystem::path file;
  std::string text;  // of the file, as read; kept in the trace
  std::string name;
  std::string description;
  Duration duration = 60s;
  Duration warmup{};
  std::uint64_t seed = 1;
  std::vector<Link> links;
  std::vector<Traffic> traffic;
  std::vector<Variant> variants;  // the first is "default"
  std::vector<LinkEvent> events;  // in order of time
  std::vector<Expectation> expectations;
};

/// Reads and checks a scenario file. `overrides` are `--set` arguments: dotted key and YAML value,
/// applied before checking (`links.lte-a.rate=20mbit`, `tunnel.scheduler.algorithm=min-rtt`).
/// Relative trace paths are taken from the file's folder. Throws InputError.
Scenario load_scenario(const std::filesystem::path& file,
                       const std::vector<std::pair<std::string, std::string>>& overrides = {});

/// The `tunnel:` block alone, as YAML text (for the daemon's file and for tests). Throws
/// InputError.
TunnelConfig load_tunnel_config(const std::string& yaml_text, const std::string& where);

}  // namespace sennit
