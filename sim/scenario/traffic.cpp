// Traffic: what keys a source has depends on its kind; a key of another kind is refused.
#include <fmt/format.h>

#include "sim/scenario/blocks.h"
#include "sim/scenario/scalars.h"

namespace sennit::yaml {
namespace {

constexpr Bytes transfer_max{std::int64_t{100} << 30};
// Room for IP and UDP headers, a number and a time stamp; and what no path's MTU exceeds.
constexpr int packet_size_least = 64, packet_size_most = 1500;

const auto congestion_control = one_of({"cubic", "newreno", "bbr"});

std::vector<Key> keys_of_kind(Traffic& traffic) {
  switch (traffic.kind) {
    case TrafficKind::tcp:
      return {into("flows", traffic.flows, integer_between(1, 1000)),
              into("congestion_control", traffic.congestion_control, congestion_control),
              into("bytes", traffic.bytes, size_between({1}, transfer_max))};
    case TrafficKind::cbr:
      return {
          into("rate", traffic.rate, rate),
          into("size", traffic.packet_size, integer_between(packet_size_least, packet_size_most))};
    case TrafficKind::voip:
      return {};
    case TrafficKind::video:
      return {into("rate", traffic.rate, rate), into("fps", traffic.fps, integer_between(1, 240)),
              into("deadline", traffic.deadline, time_between(1ms, 60s))};
    case TrafficKind::web:
      return {into("size", traffic.page_size, size_between({1}, transfer_max)),
              into("think", traffic.think, time_between(0s, 1h)),
              into("congestion_control", traffic.congestion_control, congestion_control)};
  }
  return {};
}

/// The end that is not said is the other one than the end that is.
void check_ends(const Field& block, Traffic& traffic) {
  const auto other = [](char end) { return end == 'a' ? 'b' : 'a'; };
  const Node* to = block.node->find("to");
  if (to == nullptr) traffic.to = other(traffic.from);
  if (block.node->find("from") == nullptr) traffic.from = other(traffic.to);
  if (traffic.from == traffic.to) {
    block.child("to", *to).fail(fmt::format("{}, the other end than `from`", other(traffic.from)));
  }
}

void check_stop(const Field& block, const Traffic& traffic) {
  if (traffic.stop && *traffic.stop <= traffic.start) {
    block.child("stop", *block.node->find("stop"))
        .fail(fmt::format("a time after the start at {}", show(traffic.start)));
  }
}

Traffic read_source(const Field& block, std::vector<std::string>& names, Duration duration) {
  Traffic traffic;
  const auto kind = meaning_of<TrafficKind>({{"tcp", TrafficKind::tcp},
                                             {"cbr", TrafficKind::cbr},
                                             {"voip", TrafficKind::voip},
                                             {"video", TrafficKind::video},
                                             {"web", TrafficKind::web}});
  const auto end = meaning_of<char>({{"a", 'a'}, {"b", 'b'}});
  // The kind decides which keys there are.
  if (const Node* node = block.node->find("kind")) traffic.kind = kind(block.child("kind", *node));
  std::vector<Key> keys{required("name", traffic.name, unique_name(names), "a name for the source"),
                        required("kind", traffic.kind, kind, "tcp, cbr, voip, video, web"),
                        into("from", traffic.from, end),
                        into("to", traffic.to, end),
                        into("start", traffic.start, time_before(duration, "the duration")),
                        into("stop", traffic.stop, time_between(0s, 24h)),
                        into("dscp", traffic.dscp, read_dscp)};
  for (Key& key : keys_of_kind(traffic)) keys.push_back(std::move(key));
  read_block(block, keys);
  check_ends(block, traffic);
  check_stop(block, traffic);
  return traffic;
}

}  // namespace

std::vector<Traffic> read_traffic(const Field& list, Duration duration) {
  std::vector<Traffic> sources;
  std::vector<std::string> names;
  read_list(list,
            [&](const Field& item) { sources.push_back(read_source(item, names, duration)); });
  return sources;
}

}  // namespace sennit::yaml
