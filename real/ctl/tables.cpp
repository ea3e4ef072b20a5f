#include "real/ctl/tables.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace sennit {
namespace {

using nlohmann::json;

double number(const json& of, const char* key) { return of.at(key).get<double>(); }
std::string word(const json& of, const char* key) { return of.at(key).get<std::string>(); }

/// What the network shows, or why it is not asked.
std::string state_of(const json& path) {
  if (word(path, "wanted") == "down") return "set down";
  if (!path.at("carrier").get<bool>()) return "no carrier";
  return word(path, "state");
}

std::string rows_of(const json& counters) {
  std::string text;
  for (const auto& [name, count] : counters.items()) {
    text += fmt::format("  {:<20} {:>14}\n", name, count.get<std::uint64_t>());
  }
  return text;
}

}  // namespace

std::string paths_text(const json& status) {
  std::string text =
      fmt::format("{:<12} {:<10} {:>10} {:>10} {:>10} {:>9} {:>9} {:>7}  {}\n", "path", "state",
                  "out Mbit/s", "in Mbit/s", "can Mbit/s", "RTT ms", "queue ms", "loss %", "peer");
  for (const json& path : status.at("paths")) {
    text += fmt::format(
        "{:<12} {:<10} {:>10.2f} {:>10.2f} {:>10.2f} {:>9.2f} {:>9.2f} {:>7.2f}  {}\n",
        word(path, "name"), state_of(path), number(path, "sending_mbps"),
        number(path, "receiving_mbps"), number(path, "rate_mbps"), number(path, "rtt_ms"),
        number(path, "standing_queue_ms"), 100 * number(path, "loss_ratio"), word(path, "remote"));
  }
  return text;
}

std::string status_text(const json& status) {
  const json& interface = status.at("interface");
  return fmt::format("{}, MTU {}, to {}: {:.2f} Mbit/s out, {:.2f} in\n\n", word(interface, "name"),
                     interface.at("mtu").get<int>(), word(status, "peer"),
                     number(status, "accepting_mbps"), number(status, "delivering_mbps")) +
         paths_text(status);
}

std::string counters_text(const json& status) {
  return "counters\n" + rows_of(status.at("counters")) + "dropped\n" + rows_of(status.at("drops"));
}

}  // namespace sennit
