#include "real/daemon/status.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "real/config/endpoint.h"

namespace sennit {
namespace {

using nlohmann::json;

double ms(std::int64_t ns) { return static_cast<double>(ns) * 1e-6; }
double mbps(std::int64_t bits_per_second) { return static_cast<double>(bits_per_second) * 1e-6; }

/// Of a counter of bytes that rose from `before` to `now` in `over`.
double mbps(std::uint64_t before, std::uint64_t now, Duration over) {
  if (over <= Duration{0} || now < before) return 0;
  return static_cast<double>(now - before) * 8e-6 / to_seconds(over);
}

json measured(const PathMetrics& m) {
  return {{"state", to_string(m.state)},
          {"rate_mbps", mbps(m.rate_bps)},
          {"delivery_rate_mbps", mbps(m.delivery_rate_bps)},
          {"rtt_ms", ms(m.srtt_ns)},
          {"rtt_min_ms", ms(m.rtt_min_ns)},
          {"one_way_deviation_ms", ms(m.one_way_deviation_ns)},
          {"standing_queue_ms", ms(m.standing_queue_ns)},
          {"loss_ratio", m.loss},
          {"in_flight_bytes", m.inflight_bytes},
          {"in_flight_limit_bytes", m.inflight_limit_bytes},
          {"queued_bytes", m.queued_bytes},
          {"mtu", m.mtu},
          {"sent_packets", m.sent_packets},
          {"sent_bytes", m.sent_bytes},
          {"received_packets", m.received_packets},
          {"received_bytes", m.received_bytes},
          {"lost_packets", m.lost_packets},
          {"spurious_losses", m.spurious_losses},
          {"repair_bytes", m.repair_bytes},
          {"control_bytes", m.control_bytes}};
}

json socket_counters(const WanPort::Port& port) {
  const UdpCounters& c = port.socket->counters();
  return {{"send_errors", c.send_errors},
          {"last_error", c.last_error},
          {"oversized", c.oversized},
          {"refused", c.refused},
          {"blocked", c.blocked},
          {"segments", port.socket->segments()},
          {"coalesces", port.socket->coalesces()}};
}

json link_status(const WanPort& wan) {
  json link{{"name", wan.wan().name},
            {"interface", wan.wan().interface},
            {"running", wan.running()},
            {"mtu", wan.mtu()}};
  for (const WanPort::Port& port : wan.ports()) {
    if (port.socket) link[port.family == AF_INET ? "ipv4" : "ipv6"] = socket_counters(port);
  }
  return link;
}

json path_status(std::size_t id, const DataPlane& plane, const Metrics& now,
                 const Sampler& sampler) {
  const DataPlane::PathView view = plane.path(id);
  const PathMetrics& before = sampler.before().paths[id];
  const PathMetrics& last = sampler.current().paths[id];
  const Duration over = sampler.current().now - sampler.before().now;
  json path = measured(now.paths[id]);
  path["id"] = id;
  path["name"] = view.plan.name;
  path["link"] = view.wan.wan().name;
  path["cost"] = view.plan.cost;
  path["remote"] = show(view.remote);
  path["wanted"] = view.wanted ? "up" : "down";
  path["carrier"] = view.wan.running();
  path["sending_mbps"] = mbps(before.sent_bytes, last.sent_bytes, over);
  path["receiving_mbps"] = mbps(before.received_bytes, last.received_bytes, over);
  return path;
}

json counters_of(const Metrics& m, const DataPlane& plane) {
  return {{"accepted_packets", m.accepted_packets},
          {"accepted_bytes", m.accepted_bytes},
          {"delivered_packets", m.delivered_packets},
          {"delivered_bytes", m.delivered_bytes},
          {"delivered_late", m.delivered_late},
          {"reinjected", m.reinjected},
          {"duplicated", m.duplicated},
          {"fec_sent", m.fec_sent},
          {"fec_recovered", m.fec_recovered},
          {"ce_marked", m.ce_marked},
          {"waiting_packets", m.ingress_packets},
          {"held_packets", m.held_packets},
          {"free_slots", plane.pool_available()},
          {"tun_frames_read", plane.tun().counters().frames_read},
          {"tun_frames_written", plane.tun().counters().frames_written}};
}

json drops_of(const Metrics& m, const DataPlane& plane) {
  json drops;
  for (std::size_t i = 0; i < drop_count; ++i) {
    drops[std::string(to_string(static_cast<Drop>(i)))] = m.drops[i];
  }
  drops["no_address"] = plane.counters().no_address;
  drops["no_socket"] = plane.counters().no_socket;
  drops["wrong_link"] = plane.counters().wrong_link;
  drops["tun_malformed"] = plane.tun().counters().malformed;
  drops["tun_write"] = plane.tun().counters().write_errors;
  return drops;
}

}  // namespace

void Sampler::sample(Instant now, const Tunnel& tunnel) {
  if (current_.now != Instant{} && now < next()) return;
  before_ = current_;
  current_ = tunnel.metrics(now);
}

json status_of(Instant now, const EdgeConfig& config, const DataPlane& plane,
               const Sampler& sampler) {
  const Metrics m = plane.tunnel().metrics(now);
  json paths = json::array(), links = json::array();
  for (std::size_t id = 0; id < plane.path_count(); ++id) {
    paths.push_back(path_status(id, plane, m, sampler));
  }
  for (const WanPort& wan : plane.wans()) links.push_back(link_status(wan));
  const Duration over = sampler.current().now - sampler.before().now;
  return {{"interface", {{"name", plane.tun().name()}, {"mtu", plane.mtu()}}},
          {"peer", config.peers.front().name},
          {"accepting_mbps",
           mbps(sampler.before().accepted_bytes, sampler.current().accepted_bytes, over)},
          {"delivering_mbps",
           mbps(sampler.before().delivered_bytes, sampler.current().delivered_bytes, over)},
          {"paths", paths},
          {"links", links},
          {"counters", counters_of(m, plane)},
          {"drops", drops_of(m, plane)}};
}

std::string summary_of(Instant now, const DataPlane& plane) {
  const Metrics m = plane.tunnel().metrics(now);
  std::string text = fmt::format("in {} packets, out {}", m.accepted_packets, m.delivered_packets);
  for (std::size_t id = 0; id < plane.path_count(); ++id) {
    const PathMetrics& path = m.paths[id];
    text += fmt::format("; path {} {} {:.1f} Mbit/s {:.1f} ms", plane.path(id).plan.name,
                        to_string(path.state), mbps(path.rate_bps), ms(path.srtt_ns));
  }
  return text;
}

}  // namespace sennit
