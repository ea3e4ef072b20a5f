#include "sim/results/trace_file.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/decision_log.h"
#include "sim/results/flow_statistics.h"
#include "sim/results/hdf5.h"
#include "sim/results/summary.h"

namespace sennit {
namespace {

using hdf5::Column;
using hdf5::Handle;
using hdf5::Table;

/// TraceRecord without bit fields and padding, as h5py shows it.
struct [[gnu::packed]] PacketRow {
  std::int64_t at_ns;
  std::uint64_t sequence, a, b;
  std::uint32_t size;
  std::uint16_t flags;
  std::uint8_t class_id, kind, path, end;
};

struct EventRow {
  double time_s;
  char text[240];
};

constexpr std::size_t packet_chunk_rows = 16384;
constexpr std::size_t series_chunk_rows = 128;

std::vector<Column> packet_columns() {
  return {
      {"at_ns", offsetof(PacketRow, at_ns), H5T_NATIVE_INT64, "ns", "time since the run began"},
      {"sequence", offsetof(PacketRow, sequence), H5T_NATIVE_UINT64, "1",
       "see kind_sequence_means"},
      {"a", offsetof(PacketRow, a), H5T_NATIVE_UINT64, "see kind_a_means", "see kind_a_means"},
      {"b", offsetof(PacketRow, b), H5T_NATIVE_UINT64, "see kind_b_means", "see kind_b_means"},
      {"size", offsetof(PacketRow, size), H5T_NATIVE_UINT32, "byte",
       "of the packet or datagram; of a decision, packets that it was made for"},
      {"flags", offsetof(PacketRow, flags), H5T_NATIVE_UINT16, "1",
       "of a decision, what became of the packets: see outcome_names; else 0"},
      {"class_id", offsetof(PacketRow, class_id), H5T_NATIVE_UINT8, "1",
       "traffic class; see class_names"},
      {"kind", offsetof(PacketRow, kind), H5T_NATIVE_UINT8, "1", "what happened; see kind_names"},
      {"path", offsetof(PacketRow, path), H5T_NATIVE_UINT8, "1",
       "path, an index into path_names; 255 = none"},
      {"end", offsetof(PacketRow, end), H5T_NATIVE_UINT8, "1", "where it happened; see end_names"},
  };
}

std::vector<Column> path_columns() {
  const hid_t f32 = H5T_NATIVE_FLOAT, f64 = H5T_NATIVE_DOUBLE;
  return {
      {"time_s", offsetof(PathRow, time_s), f64, "s", "end of the interval, since the run began"},
      {"rate_mbps", offsetof(PathRow, rate_mbps), f32, "Mbit/s", "pacing rate"},
      {"delivery_rate_mbps", offsetof(PathRow, delivery_rate_mbps), f32, "Mbit/s",
       "delivery rate that the tunnel measured"},
      {"sent_mbps", offsetof(PathRow, sent_mbps), f32, "Mbit/s",
       "sent by the tunnel, with outer IP and UDP headers"},
      {"carried_mbps", offsetof(PathRow, carried_mbps), f32, "Mbit/s",
       "IP packets that the link brought to its far end"},
      {"srtt_ms", offsetof(PathRow, srtt_ms), f32, "ms", "smoothed feedback round trip"},
      {"one_way_ms", offsetof(PathRow, one_way_ms), f32, "ms",
       "smoothed one-way delay plus a constant that all paths share"},
      {"standing_queue_ms", offsetof(PathRow, standing_queue_ms), f32, "ms",
       "least one-way delay now minus that of the last 10 s"},
      {"inflight_bytes", offsetof(PathRow, inflight_bytes), f64, "byte", "unacknowledged"},
      {"inflight_limit_bytes", offsetof(PathRow, inflight_limit_bytes), f64, "byte",
       "most that may be unacknowledged"},
      {"queued_bytes", offsetof(PathRow, queued_bytes), f64, "byte",
       "committed to the path, not yet sent"},
      {"loss", offsetof(PathRow, loss), f32, "1", "smoothed fraction lost"},
      {"state", offsetof(PathRow, state), H5T_NATIVE_UINT8, "1",
       "path state; see state_names; 255 = not in use"},
      {"group", offsetof(PathRow, group), H5T_NATIVE_UINT8, "1",
       "first path of those that were found behind the same bottleneck; its own number when none "
       "was; 255 = not in use"},
      {"link_queue_ms", offsetof(PathRow, link_queue_ms), f32, "ms",
       "time that a packet offered to the link now would wait in its queue"},
      {"capacity_mbps", offsetof(PathRow, capacity_mbps), f32, "Mbit/s",
       "what the link could have carried in the interval by its rate and state"},
  };
}

std::vector<Column> flow_columns() {
  return {
      {"time_s", offsetof(FlowRow, time_s), H5T_NATIVE_DOUBLE, "s",
       "end of the interval, since the run began"},
      {"goodput_mbps", offsetof(FlowRow, goodput_mbps), H5T_NATIVE_FLOAT, "Mbit/s",
       "payload received by the application"},
      {"owd_ms_mean", offsetof(FlowRow, owd_ms_mean), H5T_NATIVE_FLOAT, "ms",
       "mean one-way delay of what arrived; NaN if nothing did"},
      {"owd_ms_max", offsetof(FlowRow, owd_ms_max), H5T_NATIVE_FLOAT, "ms",
       "largest one-way delay of what arrived; NaN if nothing did"},
      {"lost", offsetof(FlowRow, lost), H5T_NATIVE_INT32, "packets",
       "skipped by later arrivals, minus skipped ones that came after all"},
  };
}

std::vector<Column> tunnel_columns() {
  const hid_t f32 = H5T_NATIVE_FLOAT;
  return {
      {"time_s", offsetof(TunnelRow, time_s), H5T_NATIVE_DOUBLE, "s",
       "end of the interval, since the run began"},
      {"ingress_packets", offsetof(TunnelRow, ingress_packets), H5T_NATIVE_UINT32, "packets",
       "inner packets that wait for a path"},
      {"held_packets", offsetof(TunnelRow, held_packets), H5T_NATIVE_UINT32, "packets",
       "inner packets that wait for predecessors"},
      {"accepted_mbps", offsetof(TunnelRow, accepted_mbps), f32, "Mbit/s", "inner packets in"},
      {"delivered_mbps", offsetof(TunnelRow, delivered_mbps), f32, "Mbit/s", "inner packets out"},
      {"outer_mbps", offsetof(TunnelRow, outer_mbps), f32, "Mbit/s",
       "datagrams sent on all paths, with outer IP and UDP headers"},
      {"repair_mbps", offsetof(TunnelRow, repair_mbps), f32, "Mbit/s",
       "FEC, reinjections and duplicates sent"},
      {"hold_ms_p99", offsetof(TunnelRow, hold_ms_p99), f32, "ms",
       "99th percentile of the time that packets were held for order; NaN if none was delivered"},
  };
}

Handle event_text_type() {
  Handle type{H5Tcopy(H5T_C_S1), H5Tclose};
  H5Tset_size(type.get(), sizeof EventRow::text);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

// Its tables can be read at any moment once HDF5 has begun to write for concurrent readers, not
// before: until then the file has another name.
std::string name_of_unborn(const std::filesystem::path& file) { return file.string() + ".new"; }

Handle create(const std::string& name) {
  hdf5::silence();
  Handle file = hdf5::create_file(name_of_unborn(name));
  for (const char* group : {"paths", "paths/a", "paths/b", "flows", "tunnel"}) {
    hdf5::create_group(file.get(), name, group);
  }
  return file;
}

std::vector<std::string> state_names() {
  std::vector<std::string> names;
  for (const auto state :
       {PathState::probing, PathState::up, PathState::suspect, PathState::down}) {
    names.emplace_back(to_string(state));
  }
  return names;
}

std::string series_path(const char* group, End end, const std::string& name) {
  const std::string side = end == End::a ? "a" : "b";
  return std::string(group) + side + (name.empty() ? "" : "/") + name;
}

}  // namespace

struct TraceFile::State {
  State(const RunIdentity& identity, const std::filesystem::path& path);

  void describe(const RunIdentity& identity);
  void describe_packets(const RunIdentity& identity);
  void describe_decisions();
  Table series(const std::string& path, std::span<const Column> columns, std::size_t row_bytes) {
    return Table{file.get(), name, path, columns, {row_bytes, series_chunk_rows, false}};
  }
  template <class Action>
  void for_each_table(Action action);

  std::string name;
  Handle file;
  Table packets;
  std::vector<Table> paths[2], flows, tunnel;
  std::optional<Table> events;
};

TraceFile::State::State(const RunIdentity& identity, const std::filesystem::path& path)
    : name(path.string()),
      file(create(name)),
      packets(file.get(), name, "packets", packet_columns(),
              {sizeof(PacketRow), packet_chunk_rows, true}) {
  for (const End end : {End::a, End::b}) {
    for (const std::string& link : identity.variant.links) {
      auto& tables = paths[static_cast<std::size_t>(end)];
      tables.push_back(series(series_path("paths/", end, link), path_columns(), sizeof(PathRow)));
      hdf5::set_texts(tables.back().id(), name, "state_names", state_names());
    }
    tunnel.push_back(series(series_path("tunnel/", end, ""), tunnel_columns(), sizeof(TunnelRow)));
  }
  for (const Traffic& traffic : identity.scenario.traffic) {
    flows.push_back(series("flows/" + traffic.name, flow_columns(), sizeof(FlowRow)));
    hdf5::set_text(flows.back().id(), name, "kind", to_string(traffic.kind));
    hdf5::set_text(flows.back().id(), name, "direction", traffic.from == 'a' ? "up" : "down");
  }
  const Handle text_type = event_text_type();
  const std::array event_columns{
      Column{"time_s", offsetof(EventRow, time_s), H5T_NATIVE_DOUBLE, "s", "since the run began"},
      Column{"text", offsetof(EventRow, text), text_type.get(), "", "what happened"}};
  events.emplace(series("events", event_columns, sizeof(EventRow)));
  describe(identity);
  describe_packets(identity);
}

void TraceFile::State::describe(const RunIdentity& identity) {
  const hid_t root = file.get();
  hdf5::set_text(root, name, "format", "sennit trace 1");
  hdf5::set_text(root, name, "scenario", identity.scenario.text);
  hdf5::set_text(root, name, "name", identity.scenario.name);
  hdf5::set_text(root, name, "variant", identity.variant.name);
  hdf5::set_text(root, name, "backend", identity.backend);
  hdf5::set_text(root, name, "version", sennit_version());
  hdf5::set_texts(root, name, "links", identity.variant.links);
  hdf5::set_text(root, name, "scheduler", identity.variant.tunnel.scheduler.algorithm);
  hdf5::set_number(root, name, "seed", identity.seed);
  hdf5::set_real(root, name, "duration_s", seconds_of(identity.scenario.duration));
  hdf5::set_real(root, name, "warmup_s", seconds_of(identity.scenario.warmup));
  hdf5::set_number(root, name, "digest", 0);
  hdf5::set_number(root, name, "complete", 0);
  hdf5::set_number(root, name, "partial", 1);
}

void TraceFile::State::describe_packets(const RunIdentity& identity) {
  const hid_t table = packets.id();
#define SENNIT_TRACE(kind, sequence_means, a_means, b_means) #kind,
  hdf5::set_texts(table, name, "kind_names",
                  {
#include "core/trace_events.def"
                  });
#undef SENNIT_TRACE
#define SENNIT_TRACE(kind, sequence_means, a_means, b_means) sequence_means,
  hdf5::set_texts(table, name, "kind_sequence_means",
                  {
#include "core/trace_events.def"
                  });
#undef SENNIT_TRACE
#define SENNIT_TRACE(kind, sequence_means, a_means, b_means) a_means,
  hdf5::set_texts(table, name, "kind_a_means",
                  {
#include "core/trace_events.def"
                  });
#undef SENNIT_TRACE
#define SENNIT_TRACE(kind, sequence_means, a_means, b_means) b_means,
  hdf5::set_texts(table, name, "kind_b_means",
                  {
#include "core/trace_events.def"
                  });
#undef SENNIT_TRACE
  describe_decisions();
  std::vector<std::string> drops, classes;
  for (std::size_t i = 0; i < drop_count; ++i) drops.emplace_back(to_string(static_cast<Drop>(i)));
  for (const ClassConfig& entry : identity.variant.tunnel.classes) classes.push_back(entry.name);
  hdf5::set_texts(table, name, "drop_names", drops);
  hdf5::set_texts(table, name, "class_names", classes);
  hdf5::set_texts(table, name, "path_names", identity.variant.links);
  hdf5::set_texts(table, name, "end_names", {"a", "b"});
}

void TraceFile::State::describe_decisions() {
  const hid_t table = packets.id();
#define SENNIT_REASON(reason, a_means, b_means) #reason,
  hdf5::set_texts(table, name, "reason_names",
                  {
#include "core/decision_reasons.def"
                  });
#undef SENNIT_REASON
#define SENNIT_REASON(reason, a_means, b_means) a_means,
  hdf5::set_texts(table, name, "reason_a_means",
                  {
#include "core/decision_reasons.def"
                  });
#undef SENNIT_REASON
#define SENNIT_REASON(reason, a_means, b_means) b_means,
  hdf5::set_texts(table, name, "reason_b_means",
                  {
#include "core/decision_reasons.def"
                  });
#undef SENNIT_REASON
  std::vector<std::string> outcomes;
  for (std::size_t i = 0; i < outcome_count; ++i) {
    outcomes.emplace_back(to_string(static_cast<Outcome>(i)));
  }
  hdf5::set_texts(table, name, "outcome_names", outcomes);
}

template <class Action>
void TraceFile::State::for_each_table(Action action) {
  action(packets);
  for (auto& tables : paths) std::for_each(tables.begin(), tables.end(), action);
  std::for_each(flows.begin(), flows.end(), action);
  std::for_each(tunnel.begin(), tunnel.end(), action);
  action(*events);
}

TraceFile::TraceFile(const RunIdentity& identity, const std::filesystem::path& file)
    : state_(std::make_unique<State>(identity, file)) {
  hdf5::check(H5Fflush(state_->file.get(), H5F_SCOPE_LOCAL), state_->name, "write");
  hdf5::check(H5Fstart_swmr_write(state_->file.get()), state_->name, "write");
  std::error_code failed;
  std::filesystem::rename(name_of_unborn(file), file, failed);
  if (failed) throw InputError(state_->name + ": cannot make it: " + failed.message());
}

TraceFile::~TraceFile() = default;

void TraceFile::add_packets(End end, std::span<const TraceRecord> records) {
  for (const TraceRecord& record : records) {
    const PacketRow row{record.at_ns,
                        record.sequence,
                        record.a,
                        record.b,
                        record.size,
                        record.flags,
                        static_cast<std::uint8_t>(record.class_id),
                        static_cast<std::uint8_t>(record.kind),
                        record.path,
                        static_cast<std::uint8_t>(end)};
    state_->packets.append(&row);
  }
}

void TraceFile::add_path(End end, std::size_t link_of_variant, const PathRow& row) {
  state_->paths[static_cast<std::size_t>(end)].at(link_of_variant).append(&row);
}

void TraceFile::add_flow(std::size_t flow, const FlowRow& row) {
  state_->flows.at(flow).append(&row);
}

void TraceFile::add_tunnel(End end, const TunnelRow& row) {
  state_->tunnel.at(static_cast<std::size_t>(end)).append(&row);
}

void TraceFile::add_event(Instant at, const std::string& text) {
  EventRow row{seconds_of(at - Instant{}), {}};
  text.copy(row.text, sizeof row.text - 1);
  state_->events->append(&row);
}

void TraceFile::flush() {
  state_->for_each_table([](Table& table) { table.write(); });
  hdf5::check(H5Fflush(state_->file.get(), H5F_SCOPE_LOCAL), state_->name, "write");
}

void TraceFile::finish(std::uint64_t digest, bool complete) {
  flush();
  const std::string name = state_->name;
  state_.reset();
  Handle file{H5Fopen(name.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose};
  hdf5::check(file.get(), name, "finish it");
  hdf5::set_number(file.get(), name, "digest", digest);
  hdf5::check(H5Fflush(file.get(), H5F_SCOPE_LOCAL), name, "finish it");
  if (complete) {
    hdf5::set_number(file.get(), name, "complete", 1);
    hdf5::set_number(file.get(), name, "partial", 0);
  }
  hdf5::check(H5Fflush(file.get(), H5F_SCOPE_LOCAL), name, "finish it");
  hdf5::check(file.close(), name, "finish it");
}

bool TraceFile::seal(const std::filesystem::path& file) {
  hdf5::silence();
  const Handle access{H5Pcreate(H5P_FILE_ACCESS), H5Pclose};
  // What `h5clear -s` does: the mark of an open writer goes, everything else stays.
  const hbool_t clear = true;
  H5Pset(access.get(), "clear_status_flags", &clear);
  Handle opened{H5Fopen(file.c_str(), H5F_ACC_RDWR, access.get()), H5Fclose};
  return opened.get() >= 0 && opened.close() >= 0;
}

}  // namespace sennit
