#include "core/fq_codel.h"

#include <algorithm>

#include "core/inner_packet.h"

namespace sennit {

static_assert((flow_buckets & (flow_buckets - 1)) == 0 && flow_buckets < 0xffff);

FqCodel::FqCodel(Observer& observer) : observer_(observer), queues_(flow_buckets) {}

void FqCodel::append(Ring& ring, std::uint16_t queue) {
  queues_[queue].next = none;
  (ring.empty() ? ring.head : queues_[ring.tail].next) = queue;
  ring.tail = queue;
}

void FqCodel::remove_head(Ring& ring) { ring.head = queues_[ring.head].next; }

void FqCodel::push(Packet packet) {
  const auto at = static_cast<std::uint16_t>(packet.info().flow_hash & (flow_buckets - 1));
  Queue& queue = queues_[at];
  ++packets_;
  bytes_ += bytes_of(packet.size());
  queue.packets.push_back(std::move(packet));
  if (queue.active) return;
  queue.active = true;
  queue.deficit = quantum;
  append(new_, at);
}

Packet FqCodel::take(Queue& queue) {
  Packet packet = queue.packets.pop_front();
  if (!packet) return packet;
  --packets_;
  bytes_ -= bytes_of(packet.size());
  return packet;
}

/// The backlog that CoDel looks at is that of all queues, as in Linux: a single packet of a flow
/// that waits too long behind a thousand other flows is still a queue that somebody must shorten.
Packet FqCodel::take_unless_aged(Queue& queue, Instant now) {
  for (;;) {
    Packet packet = take(queue);
    if (!packet) {
      queue.codel.reset();
      return packet;
    }
    const Duration sojourn = now - packet.info().since;
    if (!queue.codel.must_drop(now, sojourn, bytes_, parameters_)) return packet;
    if (packet.info().ecn != Ecn::not_ect && set_ce(packet.bytes())) {
      packet.info().ecn = Ecn::ce;
      ++ce_marked_;
      return packet;
    }
    observer_.dropped(now, Drop::queue_aged, packet);
  }
}

Packet FqCodel::pop(Instant now) {
  for (;;) {
    const bool sparse = !new_.empty();
    Ring& ring = sparse ? new_ : old_;
    if (ring.empty()) return {};
    const std::uint16_t at = ring.head;
    Queue& queue = queues_[at];
    if (queue.deficit <= 0) {
      queue.deficit += quantum;
      remove_head(ring);
      append(old_, at);
      continue;
    }
    Packet packet = take_unless_aged(queue, now);
    if (packet) {
      queue.deficit -= static_cast<std::int32_t>(packet.size());
      packet.info().flags = static_cast<std::uint8_t>((packet.info().flags & ~PacketFlag::sparse) |
                                                      (sparse ? PacketFlag::sparse : 0));
      return packet;
    }
    remove_head(ring);
    // A new queue that ran empty passes once through the old ones, or a flow could send one packet
    // at a time and always be new (RFC 8290 section 4.2).
    if (sparse && !old_.empty()) {
      append(old_, at);
    } else {
      queue.active = false;
    }
  }
}

std::uint16_t FqCodel::fattest(const Ring& ring, std::uint16_t best) const {
  for (std::uint16_t at = ring.head; at != none; at = queues_[at].next) {
    if (best == none || queues_[at].packets.bytes() > queues_[best].packets.bytes()) best = at;
  }
  return best;
}

void FqCodel::drop_from_fattest(Instant now) {
  constexpr std::size_t at_once = 16;  // Linux: 64, of ten thousand
  const std::uint16_t at = fattest(old_, fattest(new_, none));
  if (at == none) return;
  Queue& queue = queues_[at];
  const std::size_t n = std::clamp<std::size_t>(queue.packets.size() / 2, 1, at_once);
  for (std::size_t i = 0; i < n; ++i) {
    const Packet packet = take(queue);
    if (packet) observer_.dropped(now, Drop::queue_full, packet);
  }
}

}  // namespace sennit
