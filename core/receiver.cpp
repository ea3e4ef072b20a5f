#include "core/receiver.h"

#include <algorithm>
#include <cstring>

namespace sennit {

Receiver::Receiver(const TunnelConfig& config, Observer& observer, PathSet& paths, PacketPool& pool)
    : config_(config),
      observer_(observer),
      paths_(paths),
      pool_(pool),
      classes_(config.classes.size()),
      resequencer_(config.classes, observer) {
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    if (config.classes[i].fec.code == FecCode::none) continue;
    classes_[i].decoder = std::make_unique<FecDecoder>();
  }
}

DataSeq Receiver::expand(ClassId class_id, std::uint32_t wire) const {
  const DuplicateWindow& seen = classes_[index(class_id)].seen;
  return DataSeq::expand(wire, 32, seen.empty() ? first_ : seen.largest());
}

void Receiver::on_data(const Origin& origin, const wire::DataFields& fields, bool in_order,
                       Packet inner) {
  ClassState& state = classes_[index(origin.class_id)];
  const DataSeq sequence = expand(origin.class_id, fields.sequence);
  if (in_order) {
    origin.path.arrivals[index(origin.class_id)].on_sequence(origin.arrived, sequence,
                                                             origin.path.monitor.reorders());
  }
  inner.info().class_id = origin.class_id;
  if (state.seen.check(sequence) != DuplicateWindow::Verdict::fresh) {
    observer_.dropped(origin.now, Drop::duplicate, inner,
                      static_cast<std::uint8_t>(origin.path.id));
    return;
  }
  if (state.decoder) measure_spacing(state, origin.arrived, sequence);
  state.seen.commit(sequence);
  if (state.decoder) {
    const std::uint32_t flow =
        fields.flow_bucket << wire::flow_sequence_bits | fields.flow_sequence;
    state.decoder->handle_source(sequence, flow, inner.bytes());
  }
  accept(origin, sequence, fields, std::move(inner));
  if (state.decoder) deliver_recovered(origin, *state.decoder);
}

void Receiver::accept(const Origin& origin, DataSeq sequence, const wire::DataFields& fields,
                      Packet inner) {
  PacketInfo& info = inner.info();
  info.since = origin.arrived;
  info.sequence = sequence;
  info.flow_hash = fields.flow_bucket;
  info.flow_sequence = fields.flow_sequence;
  info.class_id = origin.class_id;
  info.path = static_cast<std::uint8_t>(origin.path.id);
  resequencer_.push(origin.now, std::move(inner), origin.one_way);
}

void Receiver::on_repair(const Origin& origin, const wire::RepairFields& fields,
                         std::span<const std::byte> coded) {
  ClassState& state = classes_[index(origin.class_id)];
  const FecRepair repair{static_cast<FecCode>(fields.code),
                         expand(origin.class_id, fields.base),
                         fields.length,
                         fields.row,
                         fields.rows,
                         coded};
  if (!state.decoder || state.decoder->handle_repair(repair) == RepairUse::useless) {
    observer_.dropped(origin.now, Drop::fec_useless, coded.size(),
                      static_cast<std::uint8_t>(origin.path.id));
    return;
  }
  deliver_recovered(origin, *state.decoder);
}

void Receiver::deliver_recovered(const Origin& origin, FecDecoder& decoder) {
  FecRecovered recovered;
  ClassState& state = classes_[index(origin.class_id)];
  while (decoder.poll_recovered(recovered)) {
    if (state.seen.check(recovered.sequence) != DuplicateWindow::Verdict::fresh) continue;
    Packet inner = pool_.allocate();
    if (!inner) {
      observer_.dropped(origin.now, Drop::pool_empty, recovered.packet.size());
      return;
    }
    state.seen.commit(recovered.sequence);
    std::memcpy(inner.append(recovered.packet.size()).data(), recovered.packet.data(),
                recovered.packet.size());
    ++recovered_;
    observer_.trace(origin.now, TraceKind::recovered, static_cast<std::uint8_t>(origin.path.id),
                    origin.class_id, recovered.sequence.value,
                    static_cast<std::uint64_t>(config_.classes[index(origin.class_id)].fec.code), 0,
                    recovered.packet.size());
    const std::uint32_t flow = recovered.flow_field;
    accept(origin, recovered.sequence,
           {static_cast<std::uint32_t>(recovered.sequence.value), flow >> wire::flow_sequence_bits,
            flow & ((1u << wire::flow_sequence_bits) - 1)},
           std::move(inner));
  }
}

void Receiver::on_tail(const Origin& origin, std::uint32_t next) {
  const DataSeq sequence = expand(origin.class_id, next);
  if (sequence <= first_) return;
  origin.path.arrivals[index(origin.class_id)].on_sequence(
      origin.arrived, DataSeq{sequence.value - 1}, origin.path.monitor.reorders());
}

void Receiver::advance(Instant now) {
  if (resequencer_.held() > 0) {
    for (std::size_t i = 0; i < classes_.size(); ++i) {
      const ClassId class_id{static_cast<std::uint8_t>(i)};
      if (resequencer_.holds(class_id)) horizons_[i] = horizon(now, class_id);
    }
  }
  resequencer_.advance(now, {horizons_.data(), classes_.size()});
}

ArrivalHorizon Receiver::horizon(Instant now, ClassId class_id) {
  ArrivalHorizon result;
  bool first = true, first_heard = true;
  for (Path* path : paths_.all()) {
    if (path->peer_use != wire::PathUse::available) continue;
    ClassArrivals& arrivals = path->arrivals[index(class_id)];
    const Duration slack = path->monitor.reordering_slack();
    const DataSeq settled = arrivals.settled(now, slack);
    result.settled = first ? settled : std::min(result.settled, settled);
    result.settles_at = std::min(result.settles_at, arrivals.settles_at(slack));
    first = false;
    if (!path->monitor.heard()) continue;
    const Duration latest = path->monitor.one_way() + 4 * path->monitor.deviation();
    result.one_way_max = first_heard ? latest : std::max(result.one_way_max, latest);
    first_heard = false;
  }
  result.repair_wait = repair_wait(class_id);
  return result;
}

// How far apart the packets of a coded class come, in time.
void Receiver::measure_spacing(ClassState& state, Instant arrived, DataSeq sequence) {
  const bool first = state.seen.empty();
  if (!first && sequence <= state.seen.largest()) return;
  if (!first) {
    const Duration since = std::max(Duration::zero(), arrived - state.newest_at);
    const Duration sample = since / (sequence - state.seen.largest());
    state.spacing += (sample - state.spacing) / 16;
  }
  state.newest_at = arrived;
}

Duration Receiver::repair_wait(ClassId class_id) const {
  return std::max(reinjection_wait(config_.classes[index(class_id)]), code_wait(class_id));
}

// A loss is reported, comes back on another path, and may be lost again: three rounds. Nothing is
// waited for when not even one fits into what the class may be held.
Duration Receiver::reinjection_wait(const ClassConfig& config) const {
  if (!config.reinject) return {};
  Duration round = Duration::max();
  for (const Path* path : paths_.all()) {
    if (!path->up() || !path->flight.has_rtt()) continue;
    round = std::min(round, path->flight.srtt() + 4 * path->flight.rttvar() +
                                path->flight.report_interval() + Duration{2ms});
  }
  return round > config.hold_max ? Duration{} : 3 * round;
}

// The last repair that covers a packet leaves when as many sources as one repair covers have
// followed it, or when none did for flush_after.
Duration Receiver::code_wait(ClassId class_id) const {
  const ClassState& state = classes_[index(class_id)];
  if (!state.decoder) return {};
  const FecConfig& fec = config_.classes[index(class_id)].fec;
  if (state.spacing >= fec.flush_after) return fec.flush_after;
  return fec.source * state.spacing + fec.flush_after;
}

}  // namespace sennit
