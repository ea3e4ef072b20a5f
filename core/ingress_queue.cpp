#include "core/ingress_queue.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/classifier.h"
#include "core/fq_codel.h"
#include "core/inner_packet.h"

namespace sennit {

namespace {

/// A token bucket told by one instant (GCRA): when everything so far would have left at exactly
/// the limit. A packet may go while that instant is not further ahead than the bucket is deep.
class RateLimit {
 public:
  RateLimit() = default;
  explicit RateLimit(BitRate rate)
      : ns_per_byte_(8e9 / static_cast<double>(rate.bits_per_second())) {}
  bool limits() const { return ns_per_byte_ > 0; }
  Instant free_at() const { return limits() ? due_ - depth : Instant{}; }
  void charge(Instant now, std::size_t size) {
    if (!limits()) return;
    due_ = std::max(due_, now) +
           Duration{static_cast<std::int64_t>(static_cast<double>(size) * ns_per_byte_)};
  }

 private:
  static constexpr Duration depth = 50ms;
  double ns_per_byte_ = 0;  // 0 = no limit
  Instant due_{};
};

/// CoDel's targets grow with the round trip beyond this: a bulk flow (20 ms) then gets 0.3 round
/// trips, what one CUBIC flow needs to keep a long path full, and an interactive one (5 ms) 0.075,
/// within the 5..10 % of RFC 8289 section 4.3.
constexpr Duration round_trip_of_targets = 66ms;
/// On links whose rate varies (radio), a queue sized for a steady link empties and overflows with
/// every swing, and each overflow costs a loss-based flow seconds: only-lte-a carried 0.73 of its
/// capacity with 20 ms and 0.93 with 60 ms, at a mean deviation of about a quarter of the rate.
constexpr double stretch_per_variation = 16.0;
/// Samples (one each 100 ms) that the variation remembers.
constexpr double rate_memory = 25.0;
constexpr Duration interval_min = 100ms;  // RFC 8289 section 4.3

}  // namespace

struct IngressQueue::State {
  struct Class {
    explicit Class(const ClassConfig& config, Observer& observer)
        : queue(observer), codel_target(config.codel_target), realtime(config.realtime) {
      if (config.rate_max) limit = RateLimit{*config.rate_max};
    }
    FqCodel queue;
    RateLimit limit;
    Duration codel_target;
    bool realtime;  // its budget does not grow with the round trip
  };

  State(const TunnelConfig& config, Observer& report_to, std::uint64_t hash_seed)
      : observer(report_to), seed(hash_seed), classifier(config) {
    classes.reserve(config.classes.size());
    for (const ClassConfig& c : config.classes) {
      order[classes.size()] = static_cast<ClassId>(classes.size());
      classes.emplace_back(c, report_to);
    }
    std::stable_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(classes.size()),
                     [&](ClassId a, ClassId b) {
                       return config.classes[index(a)].priority < config.classes[index(b)].priority;
                     });
    set_parameters();
  }

  void set_parameters() {
    const double stretch =
        std::max(1.0, to_seconds(round_trip) / to_seconds(round_trip_of_targets)) *
        (1.0 + stretch_per_variation * variation);
    for (Class& c : classes) {
      CodelParameters p = c.queue.parameters();
      const Duration target = c.realtime ? c.codel_target : scaled(c.codel_target, stretch);
      // At a low rate a single packet takes longer than the target.
      p.target = std::max(target, packet_time * 3 / 2);
      p.interval = std::max(interval_min, scaled(round_trip, 1.2));
      c.queue.set_parameters(p);
    }
  }

  // Mean and mean deviation of the rate over the last two to three seconds.
  void follow(BitRate total) {
    const double rate = total.mbps();
    if (rate_mean <= 0) rate_mean = rate;
    rate_deviation += (std::abs(rate - rate_mean) - rate_deviation) / rate_memory;
    rate_mean += (rate - rate_mean) / rate_memory;
    variation = rate_mean > 0 ? std::min(1.0, rate_deviation / rate_mean) : 0;
  }

  std::size_t packets() const {
    std::size_t n = 0;
    for (const Class& c : classes) n += c.queue.packets();
    return n;
  }

  void make_room(Instant now) {
    const auto fattest = std::max_element(
        classes.begin(), classes.end(),
        [](const Class& a, const Class& b) { return a.queue.bytes() < b.queue.bytes(); });
    fattest->queue.drop_from_fattest(now);
  }

  Observer& observer;
  std::uint64_t seed;
  Classifier classifier;
  std::vector<Class> classes;
  std::array<ClassId, classes_max> order{};
  Duration round_trip{};
  Duration packet_time{};                    // of a full packet at the aggregate rate
  double rate_mean = 0, rate_deviation = 0;  // Mbit/s
  double variation = 0;                      // their ratio, at most 1
};

IngressQueue::IngressQueue(const TunnelConfig& config, Observer& observer, std::uint64_t seed)
    : state_(std::make_unique<State>(config, observer, seed)) {}
IngressQueue::~IngressQueue() = default;

void IngressQueue::push(Instant now, Packet packet) {
  State& s = *state_;
  const auto header = parse_inner(packet.bytes());
  if (!header) return s.observer.dropped(now, Drop::not_ip, packet);
  PacketInfo& info = packet.info();
  info.since = now;
  info.flow_hash = flow_hash(*header, s.seed);
  info.class_id = s.classifier.classify(*header);
  info.ecn = header->ecn;
  info.flags = header->stream ? PacketFlag::stream : 0;
  const std::size_t queued = s.packets() + 1;
  s.observer.trace(now, TraceKind::accepted, no_path, info.class_id, 0, info.flow_hash, queued,
                   packet.size());
  s.classes[index(info.class_id)].queue.push(std::move(packet));
  if (queued > ingress_packets_max) s.make_room(now);
}

Packet IngressQueue::pop(Instant now, ClassId class_id) {
  State::Class& c = state_->classes[index(class_id)];
  if (c.queue.empty() || c.limit.free_at() > now) return {};
  Packet packet = c.queue.pop(now);
  if (packet) c.limit.charge(now, packet.size());
  return packet;
}

std::span<const ClassId> IngressQueue::service_order() const {
  return {state_->order.data(), state_->classes.size()};
}
bool IngressQueue::empty(ClassId class_id) const {
  return state_->classes[index(class_id)].queue.empty();
}
std::size_t IngressQueue::packets() const { return state_->packets(); }
std::size_t IngressQueue::packets(ClassId class_id) const {
  return state_->classes[index(class_id)].queue.packets();
}
Bytes IngressQueue::bytes() const {
  Bytes sum;
  for (const auto& c : state_->classes) sum += c.queue.bytes();
  return sum;
}
Bytes IngressQueue::bytes(ClassId class_id) const {
  return state_->classes[index(class_id)].queue.bytes();
}

Instant IngressQueue::next_wake(Instant now) const {
  Instant wake = never;
  for (const auto& c : state_->classes) {
    const Instant at = c.limit.free_at();
    if (!c.queue.empty() && at > now) wake = std::min(wake, at);
  }
  return wake;
}

void IngressQueue::set_round_trip(Duration round_trip) {
  state_->round_trip = round_trip;
  state_->set_parameters();
}

void IngressQueue::set_rate(BitRate total) {
  state_->follow(total);
  state_->packet_time = total.is_zero() ? Duration{} : total.time_to_send(Bytes{FqCodel::quantum});
  state_->set_parameters();
}

std::uint64_t IngressQueue::ce_marked() const {
  std::uint64_t n = 0;
  for (const auto& c : state_->classes) n += c.queue.ce_marked();
  return n;
}

}  // namespace sennit
