#include "core/resequencer.h"

#include <algorithm>

#include "core/assert.h"
#include "core/wire.h"

namespace sennit {
namespace {

// Held packets of all flows live in one open-addressing table of twice their bound, keyed by flow
// and sequence: insertion and release cost the same whatever the skew between paths.
constexpr std::size_t table_size = 2 * resequence_max;
constexpr unsigned sequence_bits = 48;
// A jump this far ahead cannot be waited for: nothing near it was ever acknowledged.
constexpr std::uint64_t jump_max = 65536;
// What a packet may have waited for its pacer after its successors on another path had left; the
// scheduler binds packets to the slowest path at most this far ahead
// (SchedulerConfig::commit_slack).
constexpr Duration commit_allowance = 5ms;

constexpr std::uint64_t key_of(std::size_t flow, std::uint64_t sequence) {
  return static_cast<std::uint64_t>(flow) << sequence_bits | sequence;
}
constexpr std::size_t slot_of(std::uint64_t key) {
  return static_cast<std::size_t>((key * 0x9e3779b97f4a7c15) >> 32) % table_size;
}
constexpr std::size_t class_of(std::size_t flow) { return flow / flow_buckets; }

}  // namespace

Resequencer::Resequencer(std::span<const ClassConfig> classes, Observer& observer)
    : classes_(classes),
      observer_(observer),
      flows_(classes.size() * flow_buckets),
      table_(table_size) {
  blocked_.reserve(flows_.size());
}

void Resequencer::push(Instant now, Packet packet, Duration one_way) {
  const PacketInfo& info = packet.info();
  const std::size_t class_index = index(info.class_id);
  if (!classes_[class_index].ordered) {
    deliver(now, std::move(packet));
    return;
  }
  if (held_ == resequence_max) end_all_gaps(now, blocked_.front());
  const std::size_t flow_at = class_index * flow_buckets + info.flow_hash % flow_buckets;
  Flow& flow = flows_[flow_at];
  const std::uint64_t sequence =
      FlowSeq::expand(info.flow_sequence, wire::flow_sequence_bits, FlowSeq{flow.expected}).value;
  if (sequence == flow.expected) {
    ++flow.expected;
    deliver(now, std::move(packet));
    if (flow.held > 0) release_run(now, flow_at);
    return;
  }
  if (sequence < flow.expected) {
    if (classes_[class_index].realtime) {
      observer_.dropped(now, Drop::late, packet, info.path);
      return;
    }
    ++delivered_late_;
    deliver(now, std::move(packet));
    return;
  }
  hold(now, flow_at, sequence, std::move(packet), one_way);
}

void Resequencer::hold(Instant now, std::size_t flow_at, std::uint64_t sequence, Packet packet,
                       Duration one_way) {
  Flow& flow = flows_[flow_at];
  if (sequence - flow.expected >= jump_max) {
    end_all_gaps(now, flow_at);
    flow.expected = sequence + 1;
    deliver(now, std::move(packet));
    return;
  }
  if (find(key_of(flow_at, sequence)) != nullptr) {  // only a broken peer gives a place twice
    observer_.dropped(now, Drop::duplicate, packet, packet.info().path);
    return;
  }
  // Whatever arrives later with a smaller number is released earlier, so the longest held after the
  // present one is the first that was larger than all before it.
  if (flow.held == 0) {
    flow.lowest = flow.oldest = flow.highest = sequence;
  } else if (sequence > flow.highest) {
    find(key_of(flow_at, flow.highest))->next_oldest = sequence;
    flow.highest = sequence;
  }
  flow.lowest = std::min(flow.lowest, sequence);
  ++flow.held;
  ++held_;
  ++held_in_class_[class_of(flow_at)];
  insert(key_of(flow_at, sequence), std::move(packet), one_way);
  if (flow.blocked_at == 0) block(flow_at);
}

void Resequencer::deliver(Instant now, Packet packet) {
  const PacketInfo& info = packet.info();
  const Duration waited = std::max(Duration::zero(), now - info.since);
  const auto waited_us = static_cast<std::uint64_t>(waited.count() / 1000);
  std::size_t bucket = 0;
  while (waited_us >= hold_edges_us[bucket] && bucket + 1 < hold_edges_us.size()) ++bucket;
  ++histogram_[bucket];
  ++delivered_packets_;
  delivered_bytes_ += packet.size();
  observer_.trace(now, TraceKind::delivered, info.path, info.class_id, info.sequence.value,
                  static_cast<std::uint64_t>(waited.count()), info.flow_hash % flow_buckets,
                  packet.size());
  observer_.decided(info.sequence.value << 8 ^ packet.size() ^
                    static_cast<std::uint64_t>(now.time_since_epoch().count()));
  ready_.push_back(std::move(packet));
}

std::array<std::uint64_t, hold_edges_us.size()> Resequencer::hold_histogram() const {
  auto cumulative = histogram_;
  for (std::size_t i = 1; i < cumulative.size(); ++i) cumulative[i] += cumulative[i - 1];
  return cumulative;
}

void Resequencer::release_run(Instant now, std::size_t flow_at) {
  Flow& flow = flows_[flow_at];
  while (flow.held > 0) {
    Held* slot = find(key_of(flow_at, flow.expected));
    if (slot == nullptr) break;
    if (flow.expected == flow.oldest) flow.oldest = slot->next_oldest;
    deliver(now, take(slot));
    ++flow.expected;
    --flow.held;
    --held_;
    --held_in_class_[class_of(flow_at)];
  }
  if (flow.held == 0) {
    unblock(flow_at);
    return;
  }
  flow.lowest = std::max(flow.lowest, flow.expected);
  while (find(key_of(flow_at, flow.lowest)) == nullptr) ++flow.lowest;
}

void Resequencer::end_gap(Instant now, std::size_t flow_at) {
  flows_[flow_at].expected = flows_[flow_at].lowest;
  release_run(now, flow_at);
}

void Resequencer::end_all_gaps(Instant now, std::size_t flow_at) {
  while (flows_[flow_at].held > 0) end_gap(now, flow_at);
}

// Latest arrival of whatever is missing: it was bound to a path before anything that is held, so it
// left no later than commit_allowance after it, and the slowest path takes one_way_max. Repair
// begins then. What has been held for the longest decides: a packet that comes later with a smaller
// number must not put its end off. Proof may come earlier, but only ends a gap that no repair will
// close.
Instant Resequencer::gap_ends_at(std::size_t flow_at, const ArrivalHorizon& horizon) {
  const Held& oldest = *find(key_of(flow_at, flows_[flow_at].oldest));
  const PacketInfo& info = oldest.packet.info();
  const Duration behind =
      std::max(Duration::zero(), horizon.one_way_max - Duration{oldest.one_way_ns});
  const Duration longest = classes_[index(info.class_id)].hold_max;
  const Instant end =
      info.since + std::min(longest, behind + commit_allowance + horizon.repair_wait);
  if (horizon.repair_wait > Duration::zero()) return end;
  const Held& first = *find(key_of(flow_at, flows_[flow_at].lowest));
  if (horizon.settled >= first.packet.info().sequence) return Instant::min();
  return end;
}

void Resequencer::advance(Instant now, std::span<const ArrivalHorizon> horizons) {
  next_wake_ = never;
  for (std::size_t i = 0; i < blocked_.size();) {
    const std::size_t flow_at = blocked_[i];
    const ArrivalHorizon& horizon = horizons[class_of(flow_at)];
    while (flows_[flow_at].held > 0) {
      const Instant end = gap_ends_at(flow_at, horizon);
      if (end > now) {
        next_wake_ = std::min({next_wake_, end, horizon.settles_at});
        break;
      }
      end_gap(now, flow_at);
    }
    if (flows_[flow_at].held > 0) ++i;  // else unblock() put another flow into this position
  }
}

void Resequencer::block(std::size_t flow) {
  blocked_.push_back(static_cast<std::uint32_t>(flow));
  flows_[flow].blocked_at = static_cast<std::uint32_t>(blocked_.size());
}

void Resequencer::unblock(std::size_t flow) {
  const std::uint32_t position = flows_[flow].blocked_at;
  if (position == 0) return;
  flows_[flow].blocked_at = 0;
  const std::uint32_t last = blocked_.back();
  blocked_.pop_back();
  if (last == flow) return;
  blocked_[position - 1] = last;
  flows_[last].blocked_at = position;
}

Resequencer::Held* Resequencer::find(std::uint64_t key) {
  for (std::size_t i = slot_of(key); table_[i].packet; i = (i + 1) % table_size) {
    if (table_[i].key == key) return &table_[i];
  }
  return nullptr;
}

void Resequencer::insert(std::uint64_t key, Packet packet, Duration one_way) {
  std::size_t i = slot_of(key);
  while (table_[i].packet) {
    SENNIT_ASSERT(table_[i].key != key);
    i = (i + 1) % table_size;
  }
  table_[i].packet = std::move(packet);
  table_[i].key = key;
  table_[i].one_way_ns = one_way.count();
}

// Deletion by shifting back (Knuth, TAOCP 6.4, algorithm R): no tombstones to clean up later.
Packet Resequencer::take(Held* slot) {
  Packet packet = std::move(slot->packet);
  auto hole = static_cast<std::size_t>(slot - table_.data());
  for (std::size_t i = (hole + 1) % table_size; table_[i].packet; i = (i + 1) % table_size) {
    const std::size_t home = slot_of(table_[i].key);
    const bool stays = hole <= i ? (hole < home && home <= i) : (hole < home || home <= i);
    if (stays) continue;
    table_[hole].packet = std::move(table_[i].packet);
    table_[hole].key = table_[i].key;
    table_[hole].one_way_ns = table_[i].one_way_ns;
    table_[hole].next_oldest = table_[i].next_oldest;
    hole = i;
  }
  return packet;
}

}  // namespace sennit
