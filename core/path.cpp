#include "core/path.h"

#include <algorithm>

namespace sennit {
namespace {

// A report lost more often than every ten seconds, at one every 20 ms.
constexpr double loss_of_reports = 0.002;

constexpr std::size_t full_packet = 1500;
constexpr int probe_timeout_doublings_max = 5;
// Beyond the path's usual answer. A copy then arrives elsewhere before the receiver's longest hold
// (250 ms for bulk) is over; a radio link's ordinary queue does not reach it. 50 ms doubled the
// repair traffic on lte-pair (7 %) and carried less.
constexpr Duration overdue_after = 120ms;

}  // namespace

void ClassArrivals::on_sequence(Instant now, DataSeq sequence, bool reorders) {
  if (count_ > 0 && sequence <= newest_[0]) return;
  newest_ = {sequence, newest_[0], newest_[1]};
  ++count_;
  newest_at_ = now;
  if (!reorders && count_ >= newest_.size()) settled_ = std::max(settled_, newest_.back());
  if (!pending_) {
    pending_ = true;
    pending_sequence_ = sequence;
    pending_at_ = now;
  }
}

DataSeq ClassArrivals::settled(Instant now, Duration slack) {
  if (pending_ && now >= pending_at_ + slack) {
    settled_ = std::max(settled_, pending_sequence_);
    pending_ = newest_[0] > settled_;
    pending_sequence_ = newest_[0];
    pending_at_ = newest_at_;
    if (pending_ && now >= pending_at_ + slack) {
      settled_ = pending_sequence_;
      pending_ = false;
    }
  }
  return settled_;
}

Path::Path(PathId path_id, const PathConfig& path_config, const Address& address,
           const RateLimits& limits, Instant now)
    : id(path_id), config(path_config), remote(address), rate(limits, now) {}

bool Path::has_queued() const {
  if (stash || !control.empty() || !repairs.empty() || !sparse.empty() || !symbols.empty()) {
    return true;
  }
  return std::any_of(queues.begin(), queues.end(), [](const RefQueue& q) { return !q.empty(); });
}

std::optional<Reason> Path::unusable_because() const {
  switch (liveness.state()) {
    case PathState::probing:
      return Reason::probing;
    case PathState::suspect:
      return Reason::suspect;
    case PathState::down:
      return Reason::down;
    case PathState::up:
      break;
  }
  if (blocked) return Reason::blocked;
  if (!forward.measured()) return Reason::unmeasured;
  return std::nullopt;
}

PathFacts Path::facts(const TunnelConfig& tunnel, Instant peer_heard) const {
  PathFacts facts;
  facts.oldest_unanswered = flight.oldest_unanswered();
  facts.usual_answer = flight.has_rtt() ? flight.srtt() + flight.report_interval() : Duration{1s};
  // Where datagrams get lost so do reports, and the next one comes an interval later.
  if (line_loss.share() > loss_of_reports) facts.usual_answer += flight.report_interval();
  facts.deviation = flight.rttvar();
  facts.packet_time = rate.rate().time_to_send(bytes_of(full_packet));
  facts.down_after_min = tunnel.path_down_after;
  facts.peer_heard = peer_heard;
  return facts;
}

PathView Path::view(Instant now, Rank rank) const {
  const Bytes queued = queued_before(rank);
  PathView v{};
  v.srtt_ns = flight.srtt().count();
  v.base_one_way_ns = forward.measured() ? forward.base().count() : 0;
  v.one_way_ns = forward.forecast(flight.srtt() / 2).count();
  v.deviation_ns = forward.deviation().count();
  v.rate_bps = rate.sustained().bits_per_second();
  v.window_bytes = (rate.inflight_limit() - flight.in_flight() - queued).count;
  // What the pacer still owes counts as queued: both delay the next packet alike.
  v.queued_bytes = (queued + rate.sustained().sent_in(pacer.debt(now))).count;
  v.loss = static_cast<float>(flight.loss());
  v.path = static_cast<std::uint8_t>(id);
  v.cost = config.cost;
  v.mtu = static_cast<std::uint16_t>(inner_max());
  return v;
}

Duration Path::arrival_delay(Instant now, std::size_t size) const {
  return pacer.debt(now) +
         rate.sustained().time_to_send(queued_before(Rank::ahead) + bytes_of(size)) +
         forward.forecast(flight.srtt() / 2) + 2 * forward.deviation();
}

Instant Path::overdue_at() const {
  const PathSeq oldest = flight.first_in_flight(overdue_from);
  if (oldest == flight.next_number() || !flight.has_rtt()) return never;
  return flight.record(oldest).at + flight.rtt_min() + flight.report_interval() + overdue_after;
}

Instant Path::probe_timeout_at() const {
  if (!flight.last_eliciting_sent() || flight.in_flight() == Bytes{}) return never;
  const Instant from = std::max(*flight.last_eliciting_sent(), probe_timeout_from);
  return from +
         flight.probe_timeout() * (1 << std::min(probe_timeouts, probe_timeout_doublings_max));
}

}  // namespace sennit
