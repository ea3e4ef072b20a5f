#include "sim/helper/link_monitor.h"

#include <algorithm>
#include <bit>

namespace sennit {

namespace {

double mean_loss(const LossModel& loss) {
  if (const auto* random = std::get_if<RandomLoss>(&loss)) return random->probability;
  if (const auto* bursts = std::get_if<GilbertElliott>(&loss)) return bursts->mean;
  return 0;
}

std::uint64_t mix(std::uint64_t digest, std::int64_t value) {
  return (std::rotl(digest, 23) ^ static_cast<std::uint64_t>(value)) * 0x9e3779b97f4a7c15;
}

}  // namespace

LinkMonitor::LinkMonitor(const Topology& topology, Recorder& recorder, Instant warmup)
    : recorder_(recorder), settled_(warmup) {
  for (const LinkEnds& link : topology.links) {
    watch(link.index, Direction::up, link.a);
    watch(link.index, Direction::down, link.b);
  }
}

void LinkMonitor::watch(std::size_t link, Direction direction,
                        ns3::Ptr<EmulatedLinkDevice> device) {
  accounts_.push_back({link, direction, device});
  device->on_exit([this, link, direction](Instant now, const Exit& exit, Bytes size) {
    digest_ = mix(digest_, (exit.at - Instant{}).count());
    digest_ = mix(digest_, exit.lost ? -size.count : size.count);
    recorder_.link_exit(link, direction, now, exit, size);
  });
}

void LinkMonitor::sample(Instant now) {
  for (const Account& account : accounts_) {
    const LinkModel& model = account.device->transmitter();
    recorder_.link_sample(account.link, account.direction, now, model.stats(),
                          model.queueing_delay(now));
  }
}

void LinkMonitor::settle(Instant now) {
  if (now <= settled_) return;
  for (Account& account : accounts_) {
    const LinkModel& model = account.device->transmitter();
    const Bytes capacity = model.capacity_between(settled_, now);
    account.capacity += capacity;
    account.lost_bytes += static_cast<double>(capacity.count) * mean_loss(model.config().loss);
  }
  settled_ = now;
}

void LinkMonitor::apply(Instant now, const LinkEnds& link, const LinkEvent& event) {
  settle(now);
  link.a->configure(now, event.up);
  link.b->configure(now, event.down);
  const bool up =
      event.up.state != LinkState::carrier_down && event.down.state != LinkState::carrier_down;
  link.a->set_carrier(up);
  link.b->set_carrier(up);
  for (const Account& account : accounts_) account.device->refresh();
}

void LinkMonitor::finish(Instant now) {
  settle(now);
  for (const Account& account : accounts_) {
    const auto capacity = static_cast<double>(account.capacity.count);
    recorder_.link_capacity(account.link, account.direction, account.capacity,
                            capacity > 0 ? account.lost_bytes / capacity : 0);
  }
}

}  // namespace sennit
