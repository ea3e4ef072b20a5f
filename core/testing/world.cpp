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

/// Where something wraps soon: the clocks on the wire after 2^32 us, sequences after 2^32 or 2^22.
PairClock draw_clock(Rng& rng) {
  constexpr Duration wrap = (std::int64_t{1} << 32) * 1us;
  PairClock clock;
  if (rng.chance(0.5)) clock.offset = any(rng, 0s, 3h);
  if (rng.chance(0.3)) clock.offset = wrap - any(rng, 0s, World::calm + 3s);
  if (rng.chance(0.1)) clock.offset = wrap / 2 - any(rng, 0s, World::calm);
  if (rng.chance(0.5)) clock.drift = 2e-4 * (rng.uniform() - 0.5);
  return clock;
}

void draw_host(Rng& rng, PairOptions& options) {
  options.pool_slots = rng.chance(0.15) ? 100 + rng.below(1000) : 8192;
  if (rng.chance(0.3)) options.coalescing = any(rng, 100us, 2ms);
  for (PairClock& clock : options.clocks) clock = draw_clock(rng);
  // A clock behind the other by about a delay: what arrives seems to have taken no time at all.
  const Duration behind = any(rng, 0ms, 150ms);
  if (rng.chance(0.15) && options.clocks[Pair::a].offset > behind) {
    options.clocks[Pair::b].offset = options.clocks[Pair::a].offset - behind;
  }
  if (rng.chance(0.3)) options.first_number = (std::uint64_t{1} << 32) - rng.below(2000);
  if (rng.chance(0.1)) options.first_number = (std::uint64_t{1} << 31) - rng.below(2000);
}

void draw_mischief(Rng& rng, MischiefOdds& odds) {
  if (rng.chance(0.3)) odds.corruption = log_uniform(rng, 0.001, 0.05);
  if (rng.chance(0.3)) odds.duplication = log_uniform(rng, 0.001, 0.2);
  if (rng.chance(0.3)) odds.replay = log_uniform(rng, 0.001, 0.2);
}

void draw_reboots(Rng& rng, World& world) {
  const std::size_t count = rng.chance(0.3) ? 1 + rng.below(2) : 0;
  const Duration share = count == 0 ? 0s : World::calm / static_cast<std::int64_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Duration handshake = any(rng, 0s, share / 2);
    const Duration at = share * static_cast<std::int64_t>(i) + any(rng, 0s, share - handshake);
    world.reboots.push_back({rng.chance(0.5) ? Pair::a : Pair::b, at, handshake});
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
  draw_host(rng, world.options);
  draw_mischief(rng, world.odds);
  draw_reboots(rng, world);
  if (rng.chance(0.1)) world.idle = any(rng, 1s, 2min);
  return world;
}

OpenWorld open(const World& world, std::size_t batch) {
  OpenWorld opened;
  opened.pair = std::make_unique<Pair>(world.links, world.config, world.seed, world.options);
  Pair& pair = *opened.pair;
  opened.mischief = std::make_unique<Mischief>(pair, world.odds, Rng{world.seed}.fork("mischief"));
  pair.batch = batch;
  for (const World::Flow& flow : world.flows) {
    pair.send_stream(flow.from, flow.id, flow.rate, World::calm, flow.size, flow.dscp);
  }
  for (const World::Trouble& trouble : world.troubles) {
    pair.at(Instant{trouble.at}, [&pair, trouble] { begin(pair, trouble); });
    pair.at(Instant{trouble.at + trouble.lasts},
            [&pair, world, trouble] { end(pair, world, trouble); });
  }
  std::uint32_t session = 0;
  for (const World::Reboot& reboot : world.reboots) {
    const Pair::End peer = reboot.end == Pair::a ? Pair::b : Pair::a;
    ++session;
    pair.at(Instant{reboot.at}, [&pair, reboot, session] { pair.renew(reboot.end, session); });
    pair.at(Instant{reboot.at + reboot.handshake},
            [&pair, peer, session] { pair.renew(peer, session); });
  }
  pair.at(Instant{World::calm},
          [&pair, mischief = opened.mischief.get(), links = world.links.size()] {
            mischief->stop();
            calm_down(pair, links);
          });
  return opened;
}

std::ostream& operator<<(std::ostream& out, const World& world) {
  out << "world " << world.seed << " (SENNIT_SEED=" << world.seed << " SENNIT_WORLDS=1), scheduler "
      << world.config.scheduler.algorithm << ", " << world.options.pool_slots
      << " slots, coalescing " << to_seconds(world.options.coalescing) * 1e3 << " ms, first number "
      << world.options.first_number << '\n';
  for (const PairClock& clock : world.options.clocks) {
    out << "  clock ahead " << to_seconds(clock.offset) << " s, drift " << clock.drift << '\n';
  }
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
  for (const World::Reboot& reboot : world.reboots) {
    out << "  end " << (reboot.end == Pair::a ? 'a' : 'b') << " reboots at "
        << to_seconds(reboot.at) << " s, handshake after " << to_seconds(reboot.handshake)
        << " s\n";
  }
  return out << "  corruption " << world.odds.corruption << ", duplication "
             << world.odds.duplication << ", replay " << world.odds.replay << ", idle "
             << to_seconds(world.idle) << " s\n";
}

}  // namespace sennit
