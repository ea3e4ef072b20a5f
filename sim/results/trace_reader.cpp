#include "sim/results/trace_reader.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "sim/results/hdf5.h"
#include "sim/scenario/scenario.h"

namespace sennit {
namespace {

namespace fs = std::filesystem;
using hdf5::Column;
using hdf5::Handle;

constexpr const char* allowed =
    "allowed is a run's folder, as results/lte-pair/default/seed-1, or "
    "its trace.h5";

/// "; there is summary.json": what a folder has instead.
std::string contents_of(const fs::path& folder) {
  constexpr std::size_t shown_max = 8;
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    names.push_back(entry.path().filename().string());
  }
  if (names.empty()) return "; it is empty";
  std::sort(names.begin(), names.end());
  std::string list = "; there is ";
  for (std::size_t i = 0; i < std::min(names.size(), shown_max); ++i) {
    list += (i == 0 ? "" : ", ") + names[i];
  }
  return list + (names.size() > shown_max ? ", ..." : "");
}

std::string find_trace(const fs::path& place) {
  std::error_code ignored;
  if (!fs::exists(place, ignored)) {
    throw InputError(place.string() + ": no such file or folder; " + allowed);
  }
  if (!fs::is_directory(place, ignored)) return place.string();
  const fs::path file = place / "trace.h5";
  if (fs::exists(file, ignored)) return file.string();
  throw InputError(place.string() + ": has no trace.h5 (a run with --no-trace writes none)" +
                   contents_of(place) + "; " + allowed);
}

std::array<Column, 10> packet_columns() {
  return {{{"at_ns", offsetof(TraceRow, at_ns), H5T_NATIVE_INT64, "", ""},
           {"sequence", offsetof(TraceRow, sequence), H5T_NATIVE_UINT64, "", ""},
           {"a", offsetof(TraceRow, a), H5T_NATIVE_UINT64, "", ""},
           {"b", offsetof(TraceRow, b), H5T_NATIVE_UINT64, "", ""},
           {"size", offsetof(TraceRow, size), H5T_NATIVE_UINT32, "", ""},
           {"flags", offsetof(TraceRow, flags), H5T_NATIVE_UINT16, "", ""},
           {"class_id", offsetof(TraceRow, class_id), H5T_NATIVE_UINT8, "", ""},
           {"kind", offsetof(TraceRow, kind), H5T_NATIVE_UINT8, "", ""},
           {"path", offsetof(TraceRow, path), H5T_NATIVE_UINT8, "", ""},
           {"end", offsetof(TraceRow, end), H5T_NATIVE_UINT8, "", ""}}};
}

std::array<Column, 8> path_columns() {
  const hid_t f32 = H5T_NATIVE_FLOAT, f64 = H5T_NATIVE_DOUBLE;
  return {{{"time_s", offsetof(TracePathRow, time_s), f64, "", ""},
           {"inflight_bytes", offsetof(TracePathRow, inflight_bytes), f64, "", ""},
           {"inflight_limit_bytes", offsetof(TracePathRow, inflight_limit_bytes), f64, "", ""},
           {"rate_mbps", offsetof(TracePathRow, rate_mbps), f32, "", ""},
           {"srtt_ms", offsetof(TracePathRow, srtt_ms), f32, "", ""},
           {"standing_queue_ms", offsetof(TracePathRow, standing_queue_ms), f32, "", ""},
           {"loss", offsetof(TracePathRow, loss), f32, "", ""},
           {"capacity_mbps", offsetof(TracePathRow, capacity_mbps), f32, "", ""}}};
}

}  // namespace

struct TraceReader::State {
  explicit State(const fs::path& place) : name(find_trace(place)), file(hdf5::open_file(name)) {
    describe();
    describe_packets();
    each_path_row('a', info.links.at(0), [this](const TracePathRow& row) {
      info.reached_s = row.time_s;
      return true;
    });
  }
  void describe();
  void describe_packets();
  template <class Look>
  void each_path_row(char end, const std::string& link, Look look) const;

  std::string name;
  Handle file;
  TraceInfo info;
};

void TraceReader::State::describe() {
  const hid_t root = file.get();
  if (!hdf5::has_attribute(root, "format") || !hdf5::has_attribute(root, "links")) {
    throw InputError(name + ": is HDF5, but not a trace of sennit-sim; " + allowed);
  }
  info.scenario = hdf5::get_text(root, name, "name");
  info.variant = hdf5::get_text(root, name, "variant");
  info.links = hdf5::get_texts(root, name, "links");
  info.seed = hdf5::get_number(root, name, "seed");
  info.complete = hdf5::get_number(root, name, "complete") == 1;
  info.duration_s = hdf5::get_real(root, name, "duration_s");
  if (hdf5::has_attribute(root, "scheduler")) {
    info.scheduler = hdf5::get_text(root, name, "scheduler");
  }
}

void TraceReader::State::describe_packets() {
  const Handle table{H5Dopen2(file.get(), "packets", H5P_DEFAULT), H5Dclose};
  hdf5::check(table.get(), name, "read /packets");
  if (!hdf5::has_attribute(table.get(), "reason_names")) {
    throw InputError(name + ": has no decisions: sennit-sim " +
                     hdf5::get_text(file.get(), name, "version") +
                     " that wrote it recorded none; run the scenario again");
  }
  const Handle space{H5Dget_space(table.get()), H5Sclose};
  if (H5Sget_simple_extent_npoints(space.get()) == 0) {
    throw InputError(name +
                     ": has no packet events; run the scenario with "
                     "tunnel.trace_packets: true, and for longer");
  }
  info.classes = hdf5::get_texts(table.get(), name, "class_names");
  info.reasons = hdf5::get_texts(table.get(), name, "reason_names");
}

template <class Look>
void TraceReader::State::each_path_row(char end, const std::string& link, Look look) const {
  const std::string path = std::string("paths/") + end + "/" + link;
  hdf5::read_table(file.get(), name, path, path_columns(), sizeof(TracePathRow),
                   [&](const std::byte* rows, std::size_t count) {
                     const auto* begin = reinterpret_cast<const TracePathRow*>(rows);
                     return std::all_of(begin, begin + count, look);
                   });
}

TraceReader::TraceReader(const fs::path& place) : state_(std::make_unique<State>(place)) {}

TraceReader::~TraceReader() = default;

const TraceInfo& TraceReader::info() const { return state_->info; }

void TraceReader::each_packet(const std::function<bool(std::span<const TraceRow>)>& look) const {
  hdf5::read_table(state_->file.get(), state_->name, "packets", packet_columns(), sizeof(TraceRow),
                   [&](const std::byte* rows, std::size_t count) {
                     return look({reinterpret_cast<const TraceRow*>(rows), count});
                   });
}

TracePathRow TraceReader::path_at(char end, const std::string& link, double time_s) const {
  TracePathRow found{};
  state_->each_path_row(end, link, [&](const TracePathRow& row) {
    found = row;
    return row.time_s < time_s;
  });
  return found;
}

}  // namespace sennit
