#include "core/testing/pair.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "core/assert.h"
#include "core/wire.h"

namespace sennit {
namespace {

constexpr std::size_t ip_header = 20, udp_header = 8, label_size = 14;

std::uint16_t ipv4_checksum(std::span<const std::byte> header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < ip_header; i += 2) {
    sum += static_cast<std::uint32_t>(header[i]) << 8 | static_cast<std::uint32_t>(header[i + 1]);
  }
  while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::byte filler(std::uint32_t number, std::size_t i) {
  return static_cast<std::byte>(number * 31 + i * 7);
}

/// What a packet says about itself. One that is too short or was touched is not intact.
Delivery read_packet(std::span<const std::byte> bytes, Instant now) {
  Delivery delivery{};
  delivery.at = now;
  delivery.size = bytes.size();
  if (bytes.size() < ip_header + udp_header + label_size) return delivery;
  wire::Reader reader{bytes.subspan(ip_header + udp_header)};
  delivery.flow = reader.u16();
  delivery.number = reader.u32();
  delivery.sent = Instant{Duration{static_cast<std::int64_t>(reader.u64())}};
  const std::size_t length = wire::Reader{bytes.subspan(2)}.u16();
  delivery.intact = ipv4_checksum(bytes) == 0 && length == bytes.size();
  for (std::size_t i = ip_header + udp_header + label_size; i < bytes.size(); ++i) {
    delivery.intact = delivery.intact && bytes[i] == filler(delivery.number, i);
  }
  return delivery;
}

}  // namespace

PairLink symmetric(double mbps, Duration delay) {
  LinkConfig config;
  config.capacity = BitRate::from_mbps(mbps);
  config.delay = delay;
  return {config, config, 0};
}

Pair::Pair(const std::vector<PairLink>& links, const TunnelConfig& config, std::uint64_t seed,
           const PairOptions& options)
    : config_(config), seed_(seed), options_(options), links_(links) {
  const Rng rng{seed};
  wires_.reserve(2 * links.size());
  for (std::size_t i = 0; i < links.size(); ++i) {
    const std::string name = std::to_string(i);
    wires_.push_back({LinkModel{links[i].a_to_b, rng.fork("up" + name), now_}, {}, {}});
    wires_.push_back({LinkModel{links[i].b_to_a, rng.fork("down" + name), now_}, {}, {}});
  }
  for (const End end : {a, b}) {
    ends_[end].pool = std::make_unique<PacketPool>(options.pool_slots);
    begin_session(end);
  }
  for (std::size_t i = 0; i < std::min(links.size(), options.paths); ++i) add_path(i);
}

Pair::~Pair() = default;

void Pair::begin_session(End end) {
  Side& side = ends_[end];
  SessionSecret secret{};
  secret[0] = std::byte{7};
  wire::Writer{std::span{secret}.subspan(1)}.u32(side.session);
  side.tunnel = std::make_unique<Tunnel>(config_, end == a ? Role::a : Role::b, secret, *side.pool,
                                         seed_ + end + 1000 * side.session, clock(end), nullptr,
                                         options_.first_number);
  side.handed = 0;
}

void Pair::renew(End end, std::uint32_t session) {
  if (on_session_end) on_session_end(end);
  Side& side = ends_[end];
  side.digest_before = side.digest_before * 31 + side.tunnel->digest();
  side.tunnel.reset();
  side.entering.clear();
  SENNIT_ASSERT(side.pool->available() == side.pool->slots());
  side.session = session;
  begin_session(end);
  for (std::size_t i = 0; i < links_.size(); ++i) {
    if ((in_use_ >> i & 1) != 0) add_path(end, i);
  }
}

void Pair::add_path(std::size_t link) {
  in_use_ |= 1u << link;
  for (const End end : {a, b}) add_path(end, link);
}

// With what its driver knows of the device and the socket.
void Pair::add_path(End end, std::size_t link) {
  const PathId id{static_cast<std::uint8_t>(link)};
  PathConfig path;
  path.name = "link" + std::to_string(link);
  path.cost = links_[link].cost;
  tunnel(end).add_path(clock(end), id, path, Address{});
  const bool no_carrier = this->link(link, end).config().state == LinkState::carrier_down;
  if (no_carrier) tunnel(end).handle_carrier(clock(end), id, false);
  if ((ends_[end].blocked >> link & 1) != 0) tunnel(end).handle_blocked(id);
}

void Pair::remove_path(std::size_t link) {
  in_use_ &= ~(1u << link);
  for (const End end : {a, b}) {
    tunnel(end).remove_path(clock(end), PathId{static_cast<std::uint8_t>(link)});
  }
}

Packet Pair::make_packet(End end, std::uint16_t flow, std::size_t size, std::uint8_t dscp) {
  Packet packet = ends_[end].pool->allocate();
  if (!packet) return packet;
  auto& sent = ends_[end].sent[flow];
  const auto number = static_cast<std::uint32_t>(sent.size());
  sent.push_back({now_, ends_[end].session});
  const auto bytes = packet.append(size);
  wire::Writer writer{bytes};
  writer.u8(0x45);
  writer.u8(static_cast<std::uint8_t>(dscp << 2));
  writer.u16(static_cast<std::uint16_t>(size));
  writer.u32(0);
  writer.u8(64);
  writer.u8(17);  // UDP
  writer.u16(0);  // checksum, below
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
  wire::Writer{bytes.subspan(10)}.u16(ipv4_checksum(bytes));
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

void Pair::set_link(std::size_t link, const std::function<void(LinkConfig&)>& change) {
  for (const std::size_t wire : {2 * link, 2 * link + 1}) {
    LinkConfig config = wires_[wire].model.config();
    change(config);
    wires_[wire].model.configure(now_, config);
  }
}

void Pair::set_state(std::size_t link, LinkState state) {
  set_link(link, [state](LinkConfig& config) { config.state = state; });
}

void Pair::set_carrier(std::size_t link, bool up) {
  set_state(link, up ? LinkState::up : LinkState::carrier_down);
  for (const End end : {a, b}) {
    tunnel(end).handle_carrier(clock(end), PathId{static_cast<std::uint8_t>(link)}, up);
  }
}

void Pair::set_blocked(std::size_t link, End end, bool blocked) {
  const PathId path{static_cast<std::uint8_t>(link)};
  const std::uint32_t bit = 1u << link;
  Side& side = ends_[end];
  side.blocked = blocked ? side.blocked | bit : side.blocked & ~bit;
  if (blocked) {
    side.tunnel->handle_blocked(path);
  } else {
    side.tunnel->handle_writable(clock(end), path);
  }
}

void Pair::inject(std::size_t link, End to, std::vector<std::byte> datagram) {
  wires_[2 * link + (1 - to)].injected.push_back(std::move(datagram));
}

std::uint64_t Pair::sent(End end, std::uint16_t flow) const {
  const auto found = ends_[end].sent.find(flow);
  return found == ends_[end].sent.end() ? 0 : found->second.size();
}

std::uint64_t Pair::missing(End end, std::uint16_t flow, Instant from) const {
  std::vector<bool> arrived(sent(end, flow));
  for (const Delivery& d : delivered(end == a ? b : a)) {
    if (d.flow == flow && d.intact) arrived.at(d.number) = true;
  }
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < arrived.size(); ++i) {
    if (!arrived[i] && ends_[end].sent.at(flow)[i].at >= from) ++count;
  }
  return count;
}

std::uint64_t Pair::drops(End end, Drop reason) {
  return metrics(end).drops[static_cast<std::size_t>(reason)];
}

std::uint64_t Pair::digest() const {
  const std::uint64_t before = ends_[a].digest_before * 31 + ends_[b].digest_before;
  return before + ends_[a].tunnel->digest() * 31 + ends_[b].tunnel->digest();
}

// --- clocks
// ------------------------------------------------------------------------------------------

Instant Pair::local(End end, Instant world) const {
  const PairClock& clock = options_.clocks[end];
  return world + clock.offset + scaled(world.time_since_epoch(), clock.drift);
}

// The first instant of the world at which the end's clock shows at least `local`.
Instant Pair::world(End end, Instant local) const {
  if (local == never) return local;
  if (local <= this->local(end, now_)) return now_;
  const Duration ahead = local - this->local(end, now_);
  Instant t = now_ + scaled(ahead, 1 / (1 + options_.clocks[end].drift));
  while (this->local(end, t) < local) t += Duration{1};
  return t;
}

Instant Pair::handed_over(Instant arrived) const {
  const Duration grain = options_.coalescing;
  if (grain == Duration::zero() || arrived == never) return arrived;
  return Instant{(arrived.time_since_epoch() + grain - Duration{1}) / grain * grain};
}

Instant Pair::next() const {
  Instant at = actions_.empty() ? never : actions_.begin()->first;
  for (const Wire& wire : wires_) {
    at = std::min(at, handed_over(wire.model.next_wake()));
    if (!wire.injected.empty()) at = now_;
  }
  for (const End end : {a, b}) {
    at = std::min(at, world(end, ends_[end].tunnel->next_wake().at));
    if (!ends_[end].entering.empty()) at = now_;
  }
  return at;
}

// --- the loop
// ----------------------------------------------------------------------------------------

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
    if (wake.at <= clock(end)) {
      ++wakes[static_cast<std::size_t>(wake.why)];
      metered([&] { tunnel(end).handle_timeout(clock(end)); });
    }
    enter(end);
    drain(end);
  }
}

void Pair::enter(End end) {
  std::span<Packet> rest{ends_[end].entering};
  while (!rest.empty()) {
    const std::size_t n = std::min(batch, rest.size());
    metered([&] { tunnel(end).handle_inner(clock(end), rest.first(n)); });
    rest = rest.subspan(n);
  }
  ends_[end].entering.clear();
}

void Pair::arrive(std::size_t wire) {
  Wire& from = wires_[wire];
  if (handed_over(now_) == now_) {
    while (const auto exit = from.model.poll_exit(now_)) {
      const auto node = from.cargo.extract(exit->token);
      if (!exit->lost) add_datagram(wire, exit->at, node.mapped());
    }
  }
  const auto injected = std::exchange(from.injected, {});
  for (const auto& bytes : injected) add_datagram(wire, now_, bytes);
  const End to = wire % 2 == 0 ? b : a;
  std::span<Datagram> rest{datagrams_};
  while (!rest.empty()) {
    const std::size_t n = std::min(batch, rest.size());
    metered([&] { tunnel(to).handle_datagrams(clock(to), rest.first(n)); });
    rest = rest.subspan(n);
  }
  datagrams_.clear();
}

void Pair::add_datagram(std::size_t wire, Instant arrived, std::span<const std::byte> bytes) {
  const End to = wire % 2 == 0 ? b : a;
  Datagram datagram;
  datagram.packet = ends_[to].pool->allocate();
  if (!datagram.packet) return;  // the driver has nowhere to read it to
  std::ranges::copy(bytes, datagram.packet.append(bytes.size()).begin());
  datagram.arrived = local(to, arrived);
  datagram.path = PathId{static_cast<std::uint8_t>(wire / 2)};
  ++ends_[to].handed;
  datagrams_.push_back(std::move(datagram));
}

void Pair::drain(End end) {
  Side& side = ends_[end];
  Transmit out;
  while (metered([&] { return tunnel(end).poll_transmit(clock(end), out); })) transmit(end, out);
  std::array<Packet, batch_max> inner;
  const auto deliver = [&] { return tunnel(end).poll_deliver(clock(end), inner); };
  while (const std::size_t n = metered(deliver)) {
    for (std::size_t i = 0; i < n; ++i) {
      side.delivered.push_back(read_packet(std::as_const(inner[i]).bytes(), now_));
      side.delivered.back().current = same_session(end, side.delivered.back());
      inner[i] = Packet{};
    }
  }
  look(end);
}

bool Pair::same_session(End to, const Delivery& delivery) const {
  const auto& sent = ends_[to == a ? b : a].sent;
  const auto flow = sent.find(delivery.flow);
  return flow != sent.end() && delivery.number < flow->second.size() &&
         flow->second[delivery.number].session == ends_[to].session;
}

void Pair::transmit(End end, Transmit& out) {
  const std::size_t link = index(out.path);
  SENNIT_ASSERT((ends_[end].blocked >> link & 1) == 0);
  Wire& wire = wires_[2 * link + end];
  for (Packet& packet : out.datagrams.all()) {
    std::vector<std::byte> cargo(packet.bytes().begin(), packet.bytes().end());
    if (tamper) tamper(link, end, cargo);
    if (cargo.empty()) continue;
    const std::uint64_t token = tokens_++;
    const Bytes size = bytes_of(cargo.size() + ip_header + udp_header);
    if (wire.model.handle_packet(now_, size, token) == Offer::queued) {
      wire.cargo.emplace(token, std::move(cargo));
    }
  }
}

void Pair::look(End end) {
  while (const auto event = tunnel(end).poll_event()) {
    if (on_event) on_event(end, *event);
  }
  if (!on_trace) return;
  std::array<TraceRecord, batch_max> records;
  while (const std::size_t n = tunnel(end).poll_trace(records)) {
    for (std::size_t i = 0; i < n; ++i) on_trace(end, records[i]);
  }
}

// --- what a story asks
// ------------------------------------------------------------------------------

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

std::size_t out_of_order(std::span<const Delivery> deliveries, std::uint16_t flow, Instant from) {
  std::size_t count = 0;
  std::uint32_t next = 0;
  for (const Delivery& d : deliveries) {
    if (d.flow != flow || d.sent < from) continue;
    if (d.number < next) ++count;
    next = std::max(next, d.number + 1);
  }
  return count;
}

std::size_t repeated(std::span<const Delivery> deliveries, std::uint16_t flow) {
  std::set<std::uint32_t> seen;
  return static_cast<std::size_t>(std::count_if(
      deliveries.begin(), deliveries.end(),
      [&](const Delivery& d) { return d.flow == flow && !seen.insert(d.number).second; }));
}

std::size_t count_of(std::span<const Delivery> deliveries, std::uint16_t flow) {
  return static_cast<std::size_t>(std::count_if(deliveries.begin(), deliveries.end(),
                                                [&](const Delivery& d) { return d.flow == flow; }));
}

bool all_intact(std::span<const Delivery> deliveries) {
  return std::all_of(deliveries.begin(), deliveries.end(),
                     [](const Delivery& d) { return d.intact; });
}

double goodput_mbps(std::span<const Delivery> deliveries, Instant from, Instant to) {
  double bits = 0;
  for (const Delivery& d : deliveries) {
    if (d.at >= from && d.at < to) bits += 8.0 * static_cast<double>(d.size);
  }
  return bits / to_seconds(to - from) / 1e6;
}

Duration transit_quantile(std::span<const Delivery> deliveries, std::uint16_t flow, double q,
                          Instant from) {
  std::vector<Duration> times;
  for (const Delivery& d : deliveries) {
    if (d.flow == flow && d.sent >= from) times.push_back(d.at - d.sent);
  }
  if (times.empty()) return {};
  std::sort(times.begin(), times.end());
  return times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1))];
}

}  // namespace sennit
