#include "core/link_model/bottleneck.h"

#include "core/assert.h"
#include "core/link_model/jitter.h"

namespace sennit {

Station::Station(const LinkConfig& config, const Rng& rng)
    : config_(config), loss_(config.loss, rng.fork("loss")), jitter_rng_(rng.fork("jitter")) {}

void Station::configure(Instant now, const LinkConfig& config, BitRate rate) {
  config_ = config;
  loss_.set_model(config.loss);
  set_rate(rate);
  if (config.state != LinkState::up) {
    flight_.lose_all_after(now);
    last_arrival_ = std::min(last_arrival_, now);
  }
  if (config.state == LinkState::carrier_down) lose_queue(now);
}

void Station::set_rate(BitRate rate) {
  const auto* const packets = std::get_if<QueuePackets>(&config_.queue);
  const auto* const bytes = std::get_if<QueueBytes>(&config_.queue);
  const auto* const time = std::get_if<QueueTime>(&config_.queue);
  packets_max_ = packets != nullptr ? packets->limit : std::numeric_limits<std::size_t>::max();
  bytes_max_ = bytes != nullptr  ? bytes->limit
               : time != nullptr ? rate.sent_in(time->limit)
                                 : Bytes{std::numeric_limits<std::int64_t>::max()};
}

bool Station::has_room_for(Bytes size) const {
  return queue_.empty() || (queue_.size() < packets_max_ && queued_bytes_ + size <= bytes_max_);
}

void Station::enqueue(const Waiting& packet) {
  queue_.push_back(packet);
  queued_bytes_ += Bytes{packet.size};
}

Waiting Station::dequeue() {
  const Waiting packet = queue_.front();
  queue_.pop_front();
  queued_bytes_ -= Bytes{packet.size};
  return packet;
}

void Station::lose_queue(Instant now) {
  while (!queue_.empty()) {
    const Waiting packet = dequeue();
    flight_.push({.at = now,
                  .token = packet.token,
                  .queueing = now - packet.offered,
                  .size = packet.size,
                  .lost = true});
  }
}

Instant Station::draw_arrival(Instant sent) {
  const Instant arrival = sent + draw_delay(config_.delay, config_.jitter, jitter_rng_);
  if (config_.jitter.reorder) return last_arrival_ = arrival;
  return last_arrival_ = std::max(arrival, last_arrival_);
}

void Station::launch(const Transmitter::Passage& passage) {
  const Waiting packet = dequeue();
  const bool lost = loss_.next_is_lost() || config_.state != LinkState::up;
  flight_.push({.at = lost ? passage.end + config_.delay : draw_arrival(passage.end),
                .token = packet.token,
                .queueing = passage.start - packet.offered,
                .size = packet.size,
                .lost = lost});
}

Instant Station::arrival_min(Instant start) const {
  return start == never ? never : start + delay_min(config_.delay, config_.jitter);
}

void Bottleneck::attach(Instant now, Station& station) {
  if (!transmitter_) transmitter_.emplace(station.config().capacity, now);
  stations_.push_back(&station);
  station.set_rate(transmitter_->mean_rate());
}

void Bottleneck::detach(const Station& station) { std::erase(stations_, &station); }

void Bottleneck::configure(Instant now, Station& station, const LinkConfig& config) {
  advance(now);
  if (&station == stations_.front()) {
    transmitter_->set_capacity(config.capacity, now);
    for (Station* const other : stations_) other->set_rate(transmitter_->mean_rate());
  }
  station.configure(now, config, transmitter_->mean_rate());
  advance(now);
}

Station* Bottleneck::first_in_line() const {
  Station* first = nullptr;
  for (Station* const station : stations_) {
    if (station->queue().empty()) continue;
    if (first == nullptr || station->queue().front().order < first->queue().front().order) {
      first = station;
    }
  }
  return first;
}

void Bottleneck::advance(Instant now) {
  SENNIT_ASSERT(now >= clock_);
  clock_ = now;
  next_start_ = never;
  while (Station* const station = first_in_line()) {
    const Waiting& head = station->queue().front();
    next_start_ = transmitter_->next_start(head.offered);
    if (next_start_ > now) return;
    station->launch(transmitter_->carry(head.offered, Bytes{head.size}));
    next_start_ = never;
  }
}

void Bottleneck::enqueue(Instant now, Station& station, Bytes size, std::uint64_t token) {
  station.enqueue({enqueued_++, token, now, static_cast<std::uint32_t>(size.count)});
  advance(now);
}

Instant Bottleneck::start_of_next_offer(Instant now) const {
  Bytes backlog{};
  for (const Station* const station : stations_) backlog += station->queued_bytes();
  return transmitter_->start_behind(backlog, now);
}

}  // namespace sennit
