#include "core/repair.h"

#include <algorithm>

namespace sennit {
namespace {

constexpr unsigned copies_max = 3;
// That a path which lost a packet loses its copy: losses come in bursts, but the copy is later.
constexpr double lost_again_probability = 0.25;
constexpr std::uint64_t tail_datagrams = 2;  // what a probe timeout sends again (RFC 9002: up to 2)

}  // namespace

void Repair::expect(const SentRecord& record) const {
  for (std::size_t i = 0; i < record.refs; ++i) retention_.prefetch(record.retained[i]);
}

void Repair::on_acknowledged(const SentRecord& record) {
  for (std::size_t i = 0; i < record.refs; ++i) {
    Retained* entry = retention_.find(record.retained[i]);
    if (entry == nullptr) continue;
    if (entry->in_flight > 0) --entry->in_flight;
    entry->settled = true;
    retention_.release_if_done(record.retained[i], *entry);
  }
}

void Repair::on_lost(Instant now, Path& path, const SentRecord& record) {
  for (std::size_t i = 0; i < record.refs; ++i) {
    const RetainedRef ref = record.retained[i];
    Retained* entry = retention_.find(ref);
    if (entry == nullptr) continue;
    if (entry->in_flight > 0) --entry->in_flight;
    // Nobody waits for a copy that measures a path: it may be the last of its burst, whose loss
    // shows late.
    if (entry->measuring > 0 && !path.capacity_probe.done()) --entry->measuring;
    const bool other_copy = entry->in_flight + entry->waiting > entry->measuring;
    if (!entry->settled && !other_copy && worth_saving(now, *entry)) {
      const unsigned copies = std::min<unsigned>(entry->rounds + 1u, copies_max);
      reinject(now, ref, *entry, path, copies);
    }
    retention_.release_if_done(ref, *entry);
  }
}

bool Repair::worth_saving(Instant now, const Retained& entry) const {
  const ClassConfig& config = config_.classes[index(entry.packet.info().class_id)];
  return config.reinject && now - entry.first_sent < config.latency_budget;
}

// A copy on the path that lost the packet may be lost there too, and another one comes only when
// that is known. A far path that does not lose it may still be later than that, on average.
bool Repair::better_again(Instant now, const Path& lost_on, const Path& other,
                          const Retained& entry) const {
  if (!lost_on.usable()) return false;
  const std::size_t size = entry.packet.size();
  const Duration until_known = lost_on.flight.srtt() + lost_on.flight.report_interval();
  const Duration again = lost_on.arrival_delay(now, size);
  const Duration expected = again + scaled(until_known, lost_again_probability);
  return expected < other.arrival_delay(now, size);
}

void Repair::reinject(Instant now, RetainedRef ref, Retained& entry, Path& lost_on,
                      unsigned copies) {
  if (entry.rounds < 255) ++entry.rounds;
  const std::uint32_t lost_here = 1u << index(lost_on.id);
  std::uint32_t used = 0;
  for (unsigned i = 0; i < copies; ++i) {
    Path* path = paths_.fastest(now, entry.packet.size(), used | lost_here);
    if (path != nullptr && (used & lost_here) == 0 && better_again(now, lost_on, *path, entry)) {
      path = &lost_on;
    }
    if (path == nullptr) path = paths_.fastest(now, entry.packet.size(), used);
    if (path == nullptr || !binder_.queue_copy(now, *path, ref, entry)) return;
    used |= 1u << index(path->id);
    ++reinjected_;
    const PacketInfo& info = entry.packet.info();
    observer_.trace(now, TraceKind::reinjected, static_cast<std::uint8_t>(path->id), info.class_id,
                    info.sequence.value, entry.rounds, static_cast<std::uint64_t>(lost_on.id),
                    entry.packet.size());
  }
}

void Repair::copy_in_flight(Instant now, Path& path, PathSeq from) {
  path.flight.for_each_in_flight([&](PathSeq number, const SentRecord& record) {
    if (number >= from) copy_datagram(now, path, record);
  });
}

void Repair::copy_datagram(Instant now, Path& path, const SentRecord& record) {
  for (std::size_t i = 0; i < record.refs; ++i) {
    Retained* entry = retention_.find(record.retained[i]);
    if (entry == nullptr || entry->settled || entry->waiting > 0 || entry->in_flight > 1) continue;
    if (worth_saving(now, *entry)) reinject(now, record.retained[i], *entry, path, 1);
  }
}

void Repair::on_overdue(Instant now, Path& path) {
  while (path.overdue_at() <= now) {
    const PathSeq number = path.flight.first_in_flight(path.overdue_from);
    path.overdue_from = number.next();
    const bool elsewhere = paths_.fastest(now, 0, 1u << index(path.id)) != nullptr;
    if (elsewhere) copy_datagram(now, path, path.flight.record(number));
  }
}

void Repair::on_probe_timeout(Instant now, Path& path) {
  const std::uint64_t next = path.flight.next_number().value;
  copy_in_flight(now, path, PathSeq{next - std::min(next, tail_datagrams)});
}

void Repair::on_silent(Instant now, Path& path) {
  copy_in_flight(now, path, PathSeq{});
  binder_.give_back(now, path);
}

void Repair::on_down(Path& path) {
  path.flight.for_each_in_flight([&](PathSeq, const SentRecord& record) {
    for (std::size_t i = 0; i < record.refs; ++i) {
      Retained* entry = retention_.find(record.retained[i]);
      if (entry == nullptr) continue;
      if (entry->in_flight > 0) --entry->in_flight;
      retention_.release_if_done(record.retained[i], *entry);
    }
  });
  path.flight.forget_in_flight();
}

}  // namespace sennit
