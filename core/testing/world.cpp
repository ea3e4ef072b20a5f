#include "core/testing/world.h"

#include <array>
#include <ostream>
#include <string_view>

namespace sennit {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(World::Fault::count)> fault_names{
    "black hole", "black hole from a", "carrier down", "socket blocked", "slow", "lossy"};
constexpr std::array<std::uint8_t, 3> dscp_of_class{dscp_realtime, dscp_interactive, dscp_bulk};

/// Even on a logarithmic scale: small and large values are equally likely.
double log_uniform(Rng& rng, double least, double most) {
  return least * std::pow(most / least, rng.uniform());
}
Duration any(Rng& rng, Duration least, Duration most) {
  return least + scaled(most - least, rng.uniform());
}

LinkConfig draw_link(Rng& rng) {
  LinkConfig link;
  link.capacity = BitRate::from_mbps(log_uniform(rng, 1, 25));
  link.delay = from_seconds(log_uniform(rng, 0.001, 0.080));
  if (rng.chance(0.4)) link.loss = RandomLoss{log_uniform(rng, 0.0005, 0.05)};
  if (rng.chance(0.2))
    link.loss = GilbertElliott{log_uniform(rng, 0.001, 0.03), 1 + rng.uniform() * 8};
  if (rng.chance(0.4)) {
    link.jitter.stddev = scaled(link.delay, 0.3 * rng.uniform());
    link.jitter.reorder = rng.chance(0.5);
    if (rng.chance(0.5)) link.jitter.distribution = JitterDistribution::pareto;
  }
  link.queue = QueueTime{any(rng, 10ms, 300ms)};
  return link;
}

void draw_config(Rng& rng, TunnelConfig& config) {
  const auto names = scheduler_names();
  if (rng.chance(0.4)) config.scheduler.algorithm = names[rng.below(names.size())];
  for (ClassConfig& c : config.classes) {
    c.reinject = rng.chance(0.8);
    c.duplicate = rng.chance(0.1);
    c.ordered = rng.chance(0.9);
    if (!rng.chance(0.3)) continue;
    constexpr std::array codes{FecCode::parity, FecCode::reed_solomon, FecCode::sliding_rlc};
    c.fec.code = codes[rng.below(codes.size())];
    c.fec.adaptive = rng.chance(0.5);
  }
}

void draw_flows(Rng& rng, World& world) {
  const std::size_t count = 1 + rng.below(6);
  for (std::size_t i = 0; i < count; ++i) {
    const Pair::End from = rng.chance(0.7) ? Pair::a : Pair::b;
    const std::size_t size = rng.chance(0.3) ? 60 + rng.below(300) : 400 + rng.below(1000);
    world.flows.push_back({from, static_cast<std::uint16_t>(i + 1),
                           BitRate::from_mbps(log_uniform(rng, 0.05, 20)), size,
                           dscp_of_class[rng.below(dscp_of_class.size())]});
  }
}

void draw_troubles(Rng& rng, World& world) {
  const std::size_t count = rng.below(5);
  for (std::size_t i = 0; i < count; ++i) {
    const auto fault = static_cast<World::Fault>(rng.below(fault_names.size()));
    const Duration at = any(rng, 0ms, World::calm - 100ms);
    const Duration lasts = any(rng, 5ms, World::calm - at);
    world.troubles.push_back({fault, rng.below(world.links.size()), at, lasts});
  }
}

void begin(Pair& pair, const World::Trouble& trouble) {
  const std::size_t link = trouble.link;
  switch (trouble.fault) {
    case World::Fault::blackhole:
      return pair.set_state(link, LinkState::blackhole);
    case World::Fault::one_way_blackhole: {
      LinkConfig config = pair.link(link, Pair::a).config();
      config.state = LinkState::blackhole;
      return pair.link(link, Pair::a).configure(pair.now(), config);
    }
    case World::Fault::carrier_down:
      return pair.set_carrier(link, false);
    case World::Fault::blocked:
      return pair.set_blocked(link, Pair::a, true);
    case World::Fault::slow:
      return pair.set_link(link, [](LinkConfig& config) {
        config.capacity = std::get<BitRate>(config.capacity).scaled_by(0.1);
      });
    case World::Fault::lossy:
      return pair.set_link(link, [](LinkConfig& config) { config.loss = RandomLoss{0.25}; });
    case World::Fault::count:
      break;
  }
}

/// Back to what the link was; whatever else troubled it ends with it.
void end(Pair& pair, const World& world, const World::Trouble& trouble) {
  const std::size_t link = trouble.link;
  pair.set_blocked(link, Pair::a, false);
  pair.set_carrier(link, true);
  pair.link(link, Pair::a).configure(pair.now(), world.links[link].a_to_b);
  pair.link(link, Pair::b).configure(pair.now(), world.links[link].b_to_a);
}

void calm_down(Pair& pair, std::size_t links) {
  pair.tamper = nullptr;
  for (std::size_t i = 0; i < links; ++i) {
    pair.set_link(i, [](LinkConfig& config) {
      config.loss = NoLoss{};
      config.jitter = {};
    });
  }
}

}  // namespace

World draw_world(std::uint64_t seed) {
  Rng rng = Rng{seed}.fork("world");
  World world;
  world.seed = seed;
  const std::size_t links = 1 + rng.below(4);
  for (std::size_t i = 0; i < links; ++i)
    world.links.push_back({draw_link(rng), draw_link(rng), 0});
  draw_config(rng, world.config);
  draw_flows(rng, world);
  draw_troubles(rng, world);
  if (rng.chance(0.2)) world.corruption = log_uniform(rng, 0.001, 0.02);
  if (rng.chance(0.2)) world.duplication = log_uniform(rng, 0.001, 0.1);
  world.options.pool_slots = rng.chance(0.15) ? 100 + rng.below(1000) : 8192;
  if (rng.chance(0.3)) world.options.coalescing = any(rng, 100us, 2ms);
  if (rng.chance(0.5)) world.options.clock_offset = any(rng, 0s, 3h);
  if (rng.chance(0.5)) world.options.clock_drift = 1e-4 * (rng.uniform() - 0.5);
  return world;
}

std::unique_ptr<Pair> open(const World& world, std::size_t batch) {
  auto opened = std::make_unique<Pair>(world.links, world.config, world.seed, world.options);
  Pair& pair = *opened;
  pair.batch = batch;
  for (const World::Flow& flow : world.flows) {
    pair.send_stream(flow.from, flow.id, flow.rate, World::calm, flow.size, flow.dscp);
  }
  for (const World::Trouble& trouble : world.troubles) {
    pair.at(Instant{trouble.at}, [&pair, trouble] { begin(pair, trouble); });
    pair.at(Instant{trouble.at + trouble.lasts},
            [&pair, world, trouble] { end(pair, world, trouble); });
  }
  pair.tamper = [&pair, world, rng = Rng{world.seed}.fork("tamper")](
                    std::size_t link, Pair::End from, std::vector<std::byte>& bytes) mutable {
    if (rng.chance(world.duplication)) {
      const Duration delay = pair.link(link, from).config().delay + any(rng, 0ms, 20ms);
      pair.at(pair.now() + delay, [&pair, link, to = from == Pair::a ? Pair::b : Pair::a,
                                   copy = bytes] { pair.inject(link, to, copy); });
    }
    if (rng.chance(world.corruption)) bytes[rng.below(bytes.size())] ^= std::byte{0x20};
  };
  pair.at(Instant{World::calm}, [&pair, links = world.links.size()] { calm_down(pair, links); });
  return opened;
}

std::ostream& operator<<(std::ostream& out, const World& world) {
  out << "world " << world.seed << " (SENNIT_SEED=" << world.seed << " SENNIT_WORLDS=1), scheduler "
      << world.config.scheduler.algorithm << ", " << world.options.pool_slots
      << " slots, coalescing " << to_seconds(world.options.coalescing) * 1e3 << " ms\n";
  for (const ClassConfig& c : world.config.classes) {
    out << "  class " << c.name << (c.ordered ? "" : ", unordered")
        << (c.reinject ? "" : ", not reinjected") << (c.duplicate ? ", duplicated" : "")
        << ", code " << static_cast<int>(c.fec.code) << (c.fec.adaptive ? " adaptive" : "") << '\n';
  }
  for (const PairLink& link : world.links) {
    for (const LinkConfig* way : {&link.a_to_b, &link.b_to_a}) {
      out << (way == &link.a_to_b ? "  link " : "       ")
          << std::get<BitRate>(way->capacity).mbps() << " Mbit/s, " << to_seconds(way->delay) * 1e3
          << " ms +- " << to_seconds(way->jitter.stddev) * 1e3
          << (way->jitter.reorder ? "" : " in order") << ", loss model " << way->loss.index()
          << '\n';
    }
  }
  for (const World::Flow& flow : world.flows) {
    out << "  flow " << flow.id << " from " << (flow.from == Pair::a ? 'a' : 'b') << ": "
        << flow.rate.mbps() << " Mbit/s of " << flow.size << " bytes, DSCP " << int{flow.dscp}
        << '\n';
  }
  for (const World::Trouble& t : world.troubles) {
    out << "  link " << t.link << ": " << fault_names[static_cast<std::size_t>(t.fault)] << " at "
        << to_seconds(t.at) << " s for " << to_seconds(t.lasts) << " s\n";
  }
  return out << "  corruption " << world.corruption << ", duplication " << world.duplication
             << '\n';
}

}  // namespace sennit
