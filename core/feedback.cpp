#include "core/feedback.h"

#include <algorithm>
#include <cstring>

namespace sennit {
namespace {

// Every so many reports one more goes out on the path that it is about, so that a path whose
// reverse direction is dead, and one whose forward direction is, can be told apart.
constexpr std::uint32_t own_path_every = 4;
// What is said on a path that costs more than others, only to be safe, is said no oftener: at the
// usual pace it was 1.4 % of a load of 10 Mbit/s.
constexpr Duration costly_interval = 50ms;

std::span<std::byte> append_frame(Packet& packet, wire::FrameKind kind, ClassId class_id,
                                  std::size_t size, bool length_follows) {
  const std::size_t head = wire::kind_size + (length_follows ? wire::length_size : 0);
  const auto frame = packet.append(head + size);
  frame[0] = wire::frame_kind(kind, class_id, length_follows);
  if (length_follows) {
    wire::Writer{frame.subspan(wire::kind_size)}.u16(static_cast<std::uint16_t>(size));
  }
  return frame.subspan(head);
}

}  // namespace

void Feedback::ping(Instant now, Path& path) {
  path.last_ping = now;  // also when there is no packet to send: it is not due again at once
  // After a quarter of an hour unanswered PINGs fill the records of a dead path, and nothing more
  // could be sent on it, not even when it is back.
  const PathState state = path.liveness.state();
  const bool dead = state == PathState::down || state == PathState::probing;
  if (dead && path.flight.full()) path.flight.forget_in_flight();
  Packet packet = sender_.new_control();
  if (!packet) return;
  const auto token = static_cast<std::uint64_t>(now.time_since_epoch().count());
  wire::Writer{append_frame(packet, wire::FrameKind::ping, ClassId{}, 8, false)}.u64(token);
  path.queue_control(std::move(packet));
}

void Feedback::pong(Path& path, std::uint64_t token) {
  Packet packet = sender_.new_control();
  if (!packet) return;
  wire::Writer{append_frame(packet, wire::FrameKind::pong, ClassId{}, 8, false)}.u64(token);
  path.queue_control(std::move(packet));
}

void Feedback::append_path_status(Packet& packet, bool another_frame_follows) const {
  const auto paths = paths_.all();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const bool length = another_frame_follows || i + 1 < paths.size();
    wire::Writer writer{append_frame(packet, wire::FrameKind::path_status, ClassId{}, 3, length)};
    writer.u8(static_cast<std::uint8_t>(paths[i]->id));
    writer.u8(static_cast<std::uint8_t>(paths[i]->up() ? wire::PathUse::available
                                                       : wire::PathUse::standby));
    writer.u8(paths[i]->config.cost);
  }
}

void Feedback::announce_paths() {
  for (Path* path : paths_.all()) {
    if (!path->up()) continue;
    Packet packet = sender_.new_control();
    if (!packet) return;
    append_path_status(packet, false);
    path->queue_control(std::move(packet));
  }
}

void Feedback::handle_timeout(Instant now) {
  if (report_due() <= now) send_reports(now);
  for (Path* path : paths_.all()) {
    if (ping_due(*path) <= now) ping(now, *path);
    if (tail_due(*path) <= now) send_tails(now, *path);
  }
}

// One datagram tells about every path with news, on the two paths where it arrives first: feedback
// that stalls in one path's outage would make every path look silent. A further copy goes on each
// reported path every fourth time.
void Feedback::send_reports(Instant now) {
  std::uint32_t reported = 0;
  Packet packet = make_report_datagram(now, reported);
  if (!packet) return;
  Path* fastest = paths_.fastest(now, packet.size());
  const Path* second =
      fastest == nullptr ? nullptr : paths_.fastest(now, packet.size(), 1u << index(fastest->id));
  for (Path* path : paths_.all()) {
    const bool about = (reported >> index(path->id) & 1) != 0;
    const bool own_turn = about && path->reports_made % own_path_every == 0;
    const bool only_way = fastest == nullptr && about;
    const bool safer = path == second && now >= path->last_safety_copy + pause_on(*path);
    if (path == fastest || !(own_turn || only_way || safer)) continue;
    path->last_safety_copy = now;
    Packet copy = sender_.new_control();
    if (!copy) return;
    copy.resize(packet.size());
    std::memcpy(copy.bytes().data(), packet.bytes().data(), packet.size());
    path->queue_control(std::move(copy));
  }
  if (fastest != nullptr) fastest->queue_control(std::move(packet));
}

Duration Feedback::pause_on(const Path& path) const {
  const auto all = paths_.all();
  const bool costly = std::any_of(all.begin(), all.end(), [&](const Path* other) {
    return other->up() && other->config.cost < path.config.cost;
  });
  return costly ? costly_interval : Duration::zero();
}

Packet Feedback::make_report_datagram(Instant now, std::uint32_t& reported) {
  Packet packet = sender_.new_control();
  if (!packet) return packet;
  append_path_status(packet, true);
  packet.append(wire::kind_size)[0] = wire::frame_kind(wire::FrameKind::report, ClassId{}, false);
  for (Path* path : paths_.all()) {
    // The datagram must fit into the smallest link that IPv6 allows.
    const std::size_t room = 1280 - 48 - wire::header_size - wire::tag_size - packet.size();
    if (!path->monitor.unreported() || room < wire::report_size_max) continue;
    const wire::PathReport report = path->monitor.make_report(path->id, now);
    std::array<std::byte, wire::report_size_max> bytes;
    const std::size_t size = wire::write_report(bytes, report);
    std::memcpy(packet.append(size).data(), bytes.data(), size);
    ++path->reports_made;
    reported |= 1u << index(path->id);
  }
  return packet;
}

Instant Feedback::report_due() const {
  Instant due = never;
  for (const Path* path : paths_.all()) due = std::min(due, path->monitor.report_due());
  return due;
}

Instant Feedback::probe_due() const {
  Instant due = never;
  for (const Path* path : paths_.all()) {
    due = std::min({due, ping_due(*path), tail_due(*path)});
  }
  return due;
}

Instant Feedback::ping_due(const Path& path) const {
  if (!path.carrier) return never;
  const Duration interval = path.up() ? config_.probe_interval : config_.probe_interval / 2;
  if (!path.last_ping) return Instant::min();
  Instant last = *path.last_ping;
  // Live traffic measures as well as a PING does.
  if (path.up() && path.flight.last_eliciting_sent()) {
    last = std::max(last, *path.flight.last_eliciting_sent());
  }
  return last + interval;
}

// While other paths carry a class, an idle one must say that it has nothing in between.
bool Feedback::owes_tail(const Path& path, ClassId class_id) const {
  const std::size_t i = index(class_id);
  return path.queues[i].empty() && config_.classes[i].ordered &&
         path.tail_sent[i] < binder_.next_sequence(class_id);
}

Instant Feedback::tail_due(const Path& path) const {
  if (!path.usable() || paths_.all().size() < 2) return never;
  for (std::size_t i = 0; i < config_.classes.size(); ++i) {
    if (!owes_tail(path, ClassId{static_cast<std::uint8_t>(i)})) continue;
    return path.last_tail + std::max(path.flight.report_interval(), pause_on(path));
  }
  return never;
}

void Feedback::send_tails(Instant now, Path& path) {
  Packet packet = sender_.new_control();
  if (!packet) return;
  path.last_tail = now;
  for (std::size_t i = 0; i < config_.classes.size(); ++i) {
    const ClassId class_id{static_cast<std::uint8_t>(i)};
    if (!owes_tail(path, class_id)) continue;
    const DataSeq next = binder_.next_sequence(class_id);
    wire::Writer{append_frame(packet, wire::FrameKind::tail, class_id, 4, true)}.u32(
        static_cast<std::uint32_t>(next.value));
    path.tail_sent[i] = next;
  }
  path.queue_control(std::move(packet));
}

}  // namespace sennit
