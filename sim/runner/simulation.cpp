#include "sim/runner/simulation.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "ns3/rng-seed-manager.h"
#include "sim/helper/link_monitor.h"
#include "sim/helper/pcap.h"
#include "sim/helper/tcp_settings.h"
#include "sim/helper/topology.h"
#include "sim/model/overlay_device.h"
#include "sim/model/transit_table.h"
#include "sim/traffic/traffic_source.h"

namespace sennit {

namespace {

constexpr Duration sample_interval = 100ms;
constexpr Duration look_up_interval = 10ms;  // for the stop flag and the progress
constexpr auto progress_interval = 100ms;    // of the wall clock
constexpr std::uint16_t first_port = 10000;
constexpr int tunnel_overhead = 39 + 20 + 8;             // header, DATA frame, tag; IPv4; UDP
constexpr std::uint32_t overlay_address_a = 0x0a000001;  // 10.0.0.1
constexpr std::uint32_t overlay_address_b = 0x0a000002;

/// ns-3's simulator is global: this makes a fresh one of it and leaves nothing behind.
class SimulatorLifetime {
 public:
  explicit SimulatorLifetime(std::uint64_t seed) {
    ns3::RngSeedManager::SetSeed(1);
    ns3::RngSeedManager::SetRun(seed);
  }
  SimulatorLifetime(const SimulatorLifetime&) = delete;
  SimulatorLifetime& operator=(const SimulatorLifetime&) = delete;
  ~SimulatorLifetime() { ns3::Simulator::Destroy(); }
};

SessionSecret secret_of(std::uint64_t seed) {
  Rng rng = Rng{seed}.fork("secret");
  SessionSecret secret;
  for (std::byte& octet : secret) octet = static_cast<std::byte>(rng.next());
  return secret;
}

/// What one end's tunnel shows, on its way to the recorder.
class EndObserver final : public OverlayObserver {
 public:
  EndObserver(End end, Recorder& recorder, TransitTable& entered_here, TransitTable& entered_there)
      : end_(end),
        recorder_(recorder),
        entered_here_(entered_here),
        entered_there_(entered_there) {}

  void inner_entered(Instant now, std::span<const std::byte> packet) override {
    entered_here_.enter(packet, now);
  }
  void inner_left(Instant now, std::span<const std::byte> packet) override {
    const auto transit = entered_there_.leave(packet);
    if (transit) recorder_.flow_transit(transit->flow, transit->entered, now);
  }
  void traced(std::span<const TraceRecord> records) override {
    recorder_.tunnel_trace(end_, records);
  }

 private:
  End end_;
  Recorder& recorder_;
  TransitTable& entered_here_;
  TransitTable& entered_there_;
};

class Simulation {
 public:
  Simulation(const Scenario& scenario, const Variant& variant, std::uint64_t seed,
             Recorder& recorder, const SimulationOptions& options);
  RunOutcome run();

 private:
  void add_tunnel();
  std::unique_ptr<OverlayDevice> make_overlay(Role role);
  void add_traffic();
  void add_events();
  void add_captures();
  void apply(const LinkEvent& event);
  void sample();
  void sample_repeatedly();
  void look_up();
  void report_progress();
  void finish(Instant end);
  std::uint64_t digest() const;

  const Scenario& scenario_;
  const Variant& variant_;
  std::uint64_t seed_;
  Recorder& recorder_;
  const SimulationOptions& options_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point reported_ = started_;
  bool interrupted_ = false;

  SimulatorLifetime simulator_;
  Topology topology_;
  LinkMonitor links_;
  TransitTable entered_a_, entered_b_;
  EndObserver observer_a_, observer_b_;
  std::unique_ptr<OverlayDevice> overlay_a_, overlay_b_;  // none in a bare run
  std::uint16_t mtu_ = 0;                                 // that the flows see
  ns3::Ipv4Address address_a_, address_b_;                // of the flows
  std::vector<std::unique_ptr<TrafficSource>> traffic_;
};

Simulation::Simulation(const Scenario& scenario, const Variant& variant, std::uint64_t seed,
                       Recorder& recorder, const SimulationOptions& options)
    : scenario_(scenario),
      variant_(variant),
      seed_(seed),
      recorder_(recorder),
      options_(options),
      simulator_(seed),
      topology_(build_topology(scenario, variant, seed)),
      links_(topology_, recorder, Instant{} + scenario.warmup),
      observer_a_(End::a, recorder, entered_a_, entered_b_),
      observer_b_(End::b, recorder, entered_b_, entered_a_) {
  if (options.bare) {
    const LinkEnds& first = topology_.links.front();
    const Link& link = scenario.links[first.index];
    mtu_ = std::min(link.up.mtu, link.down.mtu);
    address_a_ = first.address_a;
    address_b_ = first.address_b;
  } else {
    add_tunnel();
  }
  apply_tcp_settings(mtu_, tcp_buffer(scenario, variant));
  add_traffic();
  add_events();
  if (options.pcap_prefix) add_captures();
}

void Simulation::add_tunnel() {
  overlay_a_ = make_overlay(Role::a);
  overlay_b_ = make_overlay(Role::b);
  address_a_ = ns3::Ipv4Address(overlay_address_a);
  address_b_ = ns3::Ipv4Address(overlay_address_b);
  give_address(overlay_a_->device(), address_a_);
  give_address(overlay_b_->device(), address_b_);
  mtu_ = std::min(overlay_a_->tunnel().inner_mtu(), overlay_b_->tunnel().inner_mtu());
}

std::unique_ptr<OverlayDevice> Simulation::make_overlay(Role role) {
  const bool at_a = role == Role::a;
  std::vector<OverlayLink> links;
  for (const LinkEnds& ends : topology_.links) {
    const Link& link = scenario_.links[ends.index];
    PathConfig config;
    config.name = link.name;
    config.cost = link.cost;
    config.mtu = at_a ? link.up.mtu : link.down.mtu;
    links.push_back(
        {config, at_a ? ends.a : ends.b, (at_a ? ends.address_b : ends.address_a).Get()});
  }
  TunnelConfig config = variant_.tunnel;
  config.trace_packets = config.trace_packets && options_.trace;
  return std::make_unique<OverlayDevice>(at_a ? topology_.a : topology_.b, config, role,
                                         secret_of(seed_),
                                         Rng{seed_}.fork(at_a ? "tunnel a" : "tunnel b").next(),
                                         links, at_a ? observer_a_ : observer_b_);
}

void Simulation::add_traffic() {
  const Instant end = Instant{} + scenario_.duration;
  for (std::size_t i = 0; i < scenario_.traffic.size(); ++i) {
    const Traffic& traffic = scenario_.traffic[i];
    const bool from_a = traffic.from == 'a';
    const auto port = static_cast<std::uint16_t>(first_port + i);
    const Instant stop = traffic.stop ? std::min(end, Instant{} + *traffic.stop) : end;
    (from_a ? entered_a_ : entered_b_).watch(port, i);
    traffic_.push_back(make_traffic(
        traffic, {from_a ? topology_.a : topology_.b, from_a ? topology_.b : topology_.a,
                  from_a ? address_a_ : address_b_, from_a ? address_b_ : address_a_, port, i, stop,
                  recorder_, Rng{seed_}.fork("traffic").fork(traffic.name)}));
  }
}

void Simulation::add_events() {
  for (const LinkEvent& event : scenario_.events) {
    ns3::Simulator::Schedule(to_ns3(event.at), [this, &event] { apply(event); });
  }
  ns3::Simulator::Schedule(to_ns3(sample_interval), [this] { sample_repeatedly(); });
  ns3::Simulator::Schedule(to_ns3(look_up_interval), [this] { look_up(); });
}

void Simulation::add_captures() {
  const auto file = [this](const std::string& name) {
    return std::filesystem::path{options_.pcap_prefix->string() + "-" + name + ".pcap"};
  };
  if (const auto folder = options_.pcap_prefix->parent_path(); !folder.empty()) {
    std::filesystem::create_directories(folder);
  }
  for (const LinkEnds& link : topology_.links) {
    const std::string& name = scenario_.links[link.index].name;
    capture(link.a, file(name + "-a"));
    capture(link.b, file(name + "-b"));
  }
  if (!overlay_a_) return;
  capture(overlay_a_->device(), file("overlay-a"));
  capture(overlay_b_->device(), file("overlay-b"));
}

void Simulation::apply(const LinkEvent& event) {
  const Instant now = simulated_now();
  recorder_.note(now, event.text);
  const auto used = std::ranges::find(variant_.links, event.link);
  if (used == variant_.links.end()) return;
  const auto path = static_cast<std::size_t>(used - variant_.links.begin());
  const LinkEnds& link = topology_.links[path];
  const bool was_up = link.a->IsLinkUp();
  links_.apply(now, link, event);
  if (!overlay_a_ || was_up == link.a->IsLinkUp()) return;
  for (OverlayDevice* overlay : {overlay_a_.get(), overlay_b_.get()}) {
    overlay->handle_carrier(PathId{static_cast<std::uint8_t>(path)}, link.a->IsLinkUp());
  }
}

void Simulation::sample() {
  const Instant now = simulated_now();
  links_.sample(now);
  if (!overlay_a_) return;
  overlay_a_->flush_trace();
  overlay_b_->flush_trace();
  recorder_.tunnel_sample(End::a, overlay_a_->tunnel().metrics(now));
  recorder_.tunnel_sample(End::b, overlay_b_->tunnel().metrics(now));
}

void Simulation::sample_repeatedly() {
  if (simulated_now() >= Instant{} + scenario_.duration) return;  // finish() takes the last one
  sample();
  ns3::Simulator::Schedule(to_ns3(sample_interval), [this] { sample_repeatedly(); });
}

void Simulation::look_up() {
  if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) {
    interrupted_ = true;
    ns3::Simulator::Stop();
    return;
  }
  report_progress();
  ns3::Simulator::Schedule(to_ns3(look_up_interval), [this] { look_up(); });
}

void Simulation::report_progress() {
  const auto wall = std::chrono::steady_clock::now();
  if (!options_.progress || wall - reported_ < progress_interval) return;
  reported_ = wall;
  options_.progress(simulated_now() - Instant{});
}

RunOutcome Simulation::run() {
  ns3::Simulator::Stop(to_ns3(scenario_.duration));
  ns3::Simulator::Run();
  RunOutcome outcome;
  outcome.end = simulated_now();
  outcome.interrupted = interrupted_;
  outcome.events = ns3::Simulator::GetEventCount();
  outcome.digest = digest();
  outcome.inner_mtu = mtu_;
  outcome.outer_overhead = overlay_a_ ? tunnel_overhead : 0;
  finish(outcome.end);
  const auto wall = std::chrono::steady_clock::now() - started_;
  outcome.wall_s = std::chrono::duration<double>(wall).count();
  return outcome;
}

void Simulation::finish(Instant end) {
  links_.finish(end);
  sample();
  if (!overlay_a_) return;
  const std::uint64_t refused = overlay_a_->refused_packets() + overlay_b_->refused_packets();
  if (refused == 0) return;
  recorder_.note(end, std::to_string(refused) + " packets found the packet pool empty");
}

std::uint64_t Simulation::digest() const {
  std::uint64_t digest = links_.digest();
  if (!overlay_a_) return digest;
  for (const OverlayDevice* overlay : {overlay_a_.get(), overlay_b_.get()}) {
    digest = (digest ^ overlay->tunnel().digest()) * 0x9e3779b97f4a7c15;
  }
  return digest;
}

}  // namespace

RunOutcome simulate(const Scenario& scenario, const Variant& variant, std::uint64_t seed,
                    Recorder& recorder, const SimulationOptions& options) {
  return Simulation{scenario, variant, seed, recorder, options}.run();
}

}  // namespace sennit
