#include <algorithm>
#include <cstring>

#include "core/testing/pair.h"
#include "core/wire.h"

namespace sennit {
namespace {

constexpr std::size_t ip_header = 20, udp_header = 8;

void checksum_ipv4(std::span<std::byte> header) {
  header[10] = header[11] = std::byte{0};
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < ip_header; i += 2) {
    sum += static_cast<std::uint32_t>(header[i]) << 8 | static_cast<std::uint32_t>(header[i + 1]);
  }
  while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
  header[10] = static_cast<std::byte>(~sum >> 8);
  header[11] = static_cast<std::byte>(~sum);
}

std::byte filler(std::uint32_t number, std::size_t i) {
  return static_cast<std::byte>(number * 31 + i * 7);
}

}  // namespace

PairLink symmetric(double mbps, Duration delay) {
  LinkConfig config;
  config.capacity = BitRate::from_mbps(mbps);
  config.delay = delay;
  return {config, config, 0};
}

Pair::Pair(const std::vector<PairLink>& links, const TunnelConfig& config, std::uint64_t seed) {
  const Rng rng{seed};
  SessionSecret secret{};
  secret[0] = std::byte{7};
  wires_.reserve(2 * links.size());
  for (std::size_t i = 0; i < links.size(); ++i) {
    wires_.push_back({LinkModel{links[i].a_to_b, rng.fork("up" + std::to_string(i)), now_}, {}});
    wires_.push_back({LinkModel{links[i].b_to_a, rng.fork("down" + std::to_string(i)), now_}, {}});
  }
  for (const End end : {a, b}) {
    Side& side = ends_[end];
    side.pool = std::make_unique<PacketPool>(tunnel_pool_slots);
    side.tunnel = std::make_unique<Tunnel>(config, end == a ? Role::a : Role::b, secret,
                                           *side.pool, seed + end, now_);
    for (std::size_t i = 0; i < links.size(); ++i) {
      PathConfig path;
      path.name = "link" + std::to_string(i);
      path.cost = links[i].cost;
      side.tunnel->add_path(now_, PathId{static_cast<std::uint8_t>(i)}, path, Address{});
    }
  }
}

Pair::~Pair() = default;

Packet Pair::make_packet(End end, std::uint16_t flow, std::size_t size, std::uint8_t dscp) {
  Packet packet = ends_[end].pool->allocate();
  if (!packet) return packet;
  const std::uint32_t number = ends_[end].numbers[flow]++;
  const auto bytes = packet.append(size);
  wire::Writer writer{bytes};
  writer.u8(0x45);
  writer.u8(static_cast<std::uint8_t>(dscp << 2));
  writer.u16(static_cast<std::uint16_t>(size));
  writer.u32(0);
  writer.u8(64);
  writer.u8(17);  // UDP
  writer.u16(0);
  writer.u32(end == a ? 0x0a000001 : 0x0a000002);
  writer.u32(end == a ? 0x0a000002 : 0x0a000001);
  writer.u16(flow);
  writer.u16(4000);
  writer.u16(static_cast<std::uint16_t>(size - ip_header));
  writer.u16(0);
  writer.u16(flow);
  writer.u32(number);
  writer.u64(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  for (std::size_t i = writer.size(); i < size; ++i) bytes[i] = filler(number, i);
  checksum_ipv4(bytes.first(ip_header));
  return packet;
}

void Pair::send(End end, std::uint16_t flow, std::size_t size, std::uint8_t dscp) {
  Packet packet = make_packet(end, flow, size, dscp);
  if (packet) ends_[end].entering.push_back(std::move(packet));
}

void Pair::send_stream(End end, std::uint16_t flow, BitRate rate, Duration duration,
                       std::size_t size, std::uint8_t dscp) {
  const Duration gap = rate.time_to_send(bytes_of(size));
  const Instant stop = now_ + duration;
  for (Instant t = now_; t < stop; t += gap) {
    at(t, [this, end, flow, size, dscp] { send(end, flow, size, dscp); });
  }
}

void Pair::at(Instant when, std::function<void()> action) {
  actions_.emplace(when, std::move(action));
}

void Pair::set_link(std::size_t i, const std::function<void(LinkConfig&)>& change) {
  for (const std::size_t wire : {2 * i, 2 * i + 1}) {
    LinkConfig config = wires_[wire].model.config();
    change(config);
    wires_[wire].model.configure(now_, config);
  }
}

std::uint64_t Pair::sent(End end, std::uint16_t flow) const {
  const auto found = ends_[end].numbers.find(flow);
  return found == ends_[end].numbers.end() ? 0 : found->second;
}

std::uint64_t Pair::digest() const {
  return ends_[a].tunnel->digest() * 31 + ends_[b].tunnel->digest();
}

Instant Pair::next() const {
  Instant at = actions_.empty() ? never : actions_.begin()->first;
  for (const Wire& wire : wires_) at = std::min(at, wire.model.next_wake());
  for (const Side& side : ends_) at = std::min(at, side.tunnel->next_wake().at);
  return at;
}

void Pair::run(Duration duration) {
  const Instant stop = now_ + duration;
  step();
  while (next() <= stop) {
    now_ = std::max(now_, next());
    step();
  }
  now_ = stop;
}

void Pair::step() {
  while (!actions_.empty() && actions_.begin()->first <= now_) {
    const auto action = std::move(actions_.begin()->second);
    actions_.erase(actions_.begin());
    action();
  }
  for (std::size_t i = 0; i < wires_.size(); ++i) arrive(i);
  for (const End end : {a, b}) {
    const Wake wake = ends_[end].tunnel->next_wake();
    if (wake.at <= now_) {
      ++wakes[static_cast<std::size_t>(wake.why)];
      ends_[end].tunnel->handle_timeout(now_);
    }
    enter(end);
    drain(end);
  }
}

void Pair::enter(End end) {
  std::span<Packet> rest{ends_[end].entering};
  while (!rest.empty()) {
    const std::size_t n = std::min(batch, rest.size());
    ends_[end].tunnel->handle_inner(now_, rest.first(n));
    rest = rest.subspan(n);
  }
  ends_[end].entering.clear();
}

void Pair::arrive(std::size_t wire) {
  const End to = wire % 2 == 0 ? b : a;
  std::vector<Datagram> datagrams;
  while (const auto exit = wires_[wire].model.poll_exit(now_)) {
    auto node = wires_[wire].cargo.extract(exit->token);
    if (exit->lost) continue;
    Datagram datagram;
    datagram.packet = ends_[to].pool->allocate();
    if (!datagram.packet) continue;
    std::ranges::copy(node.mapped(), datagram.packet.append(node.mapped().size()).begin());
    datagram.arrived = now_;
    datagram.path = PathId{static_cast<std::uint8_t>(wire / 2)};
    datagrams.push_back(std::move(datagram));
  }
  std::span<Datagram> rest{datagrams};
  while (!rest.empty()) {
    const std::size_t n = std::min(batch, rest.size());
    ends_[to].tunnel->handle_datagrams(now_, rest.first(n));
    rest = rest.subspan(n);
  }
}

void Pair::drain(End end) {
  Side& side = ends_[end];
  Transmit out;
  while (side.tunnel->poll_transmit(now_, out)) {
    const std::size_t link = index(out.path);
    for (Packet& packet : out.datagrams.all()) {
      std::vector<std::byte> cargo(packet.bytes().begin(), packet.bytes().end());
      if (tamper) tamper(link, end, cargo);
      if (cargo.empty()) continue;
      Wire& wire = wires_[2 * link + end];
      const std::uint64_t token = tokens_++;
      if (wire.model.handle_packet(now_, bytes_of(cargo.size() + 28), token) == Offer::queued) {
        wire.cargo.emplace(token, std::move(cargo));
      }
    }
  }
  out.datagrams.clear();
  std::array<Packet, batch_max> inner;
  while (const std::size_t n = side.tunnel->poll_deliver(now_, inner)) {
    for (std::size_t i = 0; i < n; ++i) {
      const auto bytes = inner[i].bytes();
      wire::Reader reader{bytes.subspan(ip_header + udp_header)};
      Delivery delivery{};
      delivery.flow = reader.u16();
      delivery.number = reader.u32();
      delivery.sent = Instant{Duration{static_cast<std::int64_t>(reader.u64())}};
      delivery.at = now_;
      delivery.size = bytes.size();
      delivery.intact = true;
      for (std::size_t k = ip_header + udp_header + 14; k < bytes.size(); ++k) {
        delivery.intact = delivery.intact && bytes[k] == filler(delivery.number, k);
      }
      side.delivered.push_back(delivery);
      inner[i] = Packet{};
    }
  }
  while (side.tunnel->poll_event()) {
  }
}

Duration longest_gap(std::span<const Delivery> deliveries, std::uint16_t flow) {
  Duration longest{};
  const Delivery* last = nullptr;
  for (const Delivery& d : deliveries) {
    if (d.flow != flow) continue;
    if (last != nullptr) longest = std::max(longest, d.at - last->at);
    last = &d;
  }
  return longest;
}

std::size_t out_of_order(std::span<const Delivery> deliveries, std::uint16_t flow) {
  std::size_t count = 0;
  std::uint32_t next = 0;
  for (const Delivery& d : deliveries) {
    if (d.flow != flow) continue;
    if (d.number < next) ++count;
    next = std::max(next, d.number + 1);
  }
  return count;
}

std::size_t count_of(std::span<const Delivery> deliveries, std::uint16_t flow) {
  return static_cast<std::size_t>(std::count_if(
      deliveries.begin(), deliveries.end(), [&](const Delivery& d) { return d.flow == flow; }));
}

double goodput_mbps(std::span<const Delivery> deliveries, Instant from, Instant to) {
  double bits = 0;
  for (const Delivery& d : deliveries) {
    if (d.at >= from && d.at < to) bits += 8.0 * static_cast<double>(d.size);
  }
  return bits / to_seconds(to - from) / 1e6;
}

Duration transit_quantile(std::span<const Delivery> deliveries, std::uint16_t flow, double q) {
  std::vector<Duration> times;
  for (const Delivery& d : deliveries) {
    if (d.flow == flow) times.push_back(d.at - d.sent);
  }
  if (times.empty()) return {};
  std::sort(times.begin(), times.end());
  return times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1))];
}

}  // namespace sennit
