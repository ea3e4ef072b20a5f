#include "core/link_model/link_model.h"

#include "core/assert.h"
#include "core/link_model/bottleneck.h"

namespace sennit {

SharedBottleneck::SharedBottleneck() : bottleneck_(std::make_unique<Bottleneck>()) {}
SharedBottleneck::~SharedBottleneck() = default;

struct LinkModel::State {
  std::shared_ptr<SharedBottleneck> shared;  // keeps `bottleneck` alive
  Bottleneck& bottleneck;
  Station station;
  LinkStats stats{};
};

LinkModel::LinkModel(const LinkConfig& config, Rng rng, Instant now,
                     std::shared_ptr<SharedBottleneck> shared) {
  if (shared == nullptr) shared = std::make_shared<SharedBottleneck>();
  Bottleneck& bottleneck = *shared->bottleneck_;
  state_.reset(new State{std::move(shared), bottleneck, Station{config, rng}});
  bottleneck.attach(now, state_->station);
}

LinkModel::~LinkModel() {
  if (state_ != nullptr) state_->bottleneck.detach(state_->station);
}

LinkModel::LinkModel(LinkModel&&) noexcept = default;

LinkModel& LinkModel::operator=(LinkModel&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Offer LinkModel::handle_packet(Instant now, Bytes size, std::uint64_t token) {
  SENNIT_ASSERT(size > Bytes{0});
  Station& station = state_->station;
  LinkStats& stats = state_->stats;
  state_->bottleneck.advance(now);
  ++stats.offered_packets;
  stats.offered_bytes += static_cast<std::uint64_t>(size.count);
  Offer offer = Offer::queued;
  if (config().state == LinkState::carrier_down) {
    offer = Offer::link_down;
  } else if (size > Bytes{config().mtu}) {
    offer = Offer::too_big;
  } else if (!station.has_room_for(size)) {
    offer = Offer::queue_full;
  }
  if (offer == Offer::queued) {
    state_->bottleneck.enqueue(now, station, size, token);
  } else {
    ++stats.dropped_packets;
  }
  return offer;
}

void LinkModel::configure(Instant now, const LinkConfig& config) {
  state_->bottleneck.configure(now, state_->station, config);
}

std::optional<Exit> LinkModel::poll_exit(Instant now) {
  state_->bottleneck.advance(now);
  Flight& flight = state_->station.flight();
  if (flight.next_arrival() > now) return std::nullopt;
  const InFlight packet = flight.pop();
  LinkStats& stats = state_->stats;
  if (packet.lost) {
    ++stats.lost_packets;
  } else {
    ++stats.carried_packets;
    stats.carried_bytes += packet.size;
  }
  return Exit{packet.token, packet.at, packet.lost, packet.queueing};
}

Instant LinkModel::next_wake() const {
  const Station& station = state_->station;
  const Instant arrival = station.flight().next_arrival();
  if (station.queue().empty()) return arrival;
  return std::min(arrival, station.arrival_min(state_->bottleneck.next_start()));
}

const LinkConfig& LinkModel::config() const { return state_->station.config(); }
const LinkStats& LinkModel::stats() const { return state_->stats; }
std::size_t LinkModel::queued_packets() const { return state_->station.queue().size(); }
Bytes LinkModel::queued_bytes() const { return state_->station.queued_bytes(); }

Duration LinkModel::queueing_delay(Instant now) const {
  state_->bottleneck.advance(now);
  return state_->bottleneck.start_of_next_offer(now) - now;
}

Bytes LinkModel::capacity_between(Instant from, Instant to) const {
  if (config().state != LinkState::up) return Bytes{0};
  return state_->bottleneck.transmitter().capacity_between(from, to);
}

}  // namespace sennit
