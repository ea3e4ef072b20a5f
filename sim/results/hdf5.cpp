#include "sim/results/hdf5.h"

#include <algorithm>
#include <cstring>

#include "sim/scenario/scenario.h"

namespace sennit::hdf5 {
namespace {

herr_t keep_innermost(unsigned depth, const H5E_error2_t* error, void* reason) {
  if (depth == 0) *static_cast<std::string*>(reason) = error->desc != nullptr ? error->desc : "";
  return 0;
}

/// HDF5 says "file write failed: time = ..., errno = 28, error message = 'No space left on
/// device', ...": what stands in the quotes is what the operator needs.
std::string reason_of_failure() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &reason);
  constexpr std::string_view mark = "error message = '";
  const std::size_t begin = reason.find(mark);
  if (begin == std::string::npos) return reason.empty() ? "unknown error" : reason;
  const std::size_t from = begin + mark.size();
  return reason.substr(from, reason.find('\'', from) - from);
}

Handle text_type(std::size_t size) {
  Handle type{H5Tcopy(H5T_C_S1), H5Tclose};
  H5Tset_size(type.get(), std::max<std::size_t>(1, size));
  H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

void set_attribute(hid_t object, const std::string& file, const char* name, hid_t type, hid_t space,
                   const void* value) {
  const Handle attribute{H5Aexists(object, name) > 0
                             ? H5Aopen(object, name, H5P_DEFAULT)
                             : H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose};
  check(attribute.get(), file, "write an attribute");
  check(H5Awrite(attribute.get(), type, value), file, "write an attribute");
}

template <class Value>
Value get_value(hid_t object, const std::string& file, const char* name, hid_t type) {
  const Handle attribute{H5Aopen(object, name, H5P_DEFAULT), H5Aclose};
  check(attribute.get(), file, "read an attribute");
  Value value{};
  check(H5Aread(attribute.get(), type, &value), file, "read an attribute");
  return value;
}

Handle compound_of(std::span<const Column> columns, std::size_t row_bytes) {
  Handle type{H5Tcreate(H5T_COMPOUND, row_bytes), H5Tclose};
  for (const Column& column : columns) {
    H5Tinsert(type.get(), column.name, column.offset, column.type);
  }
  return type;
}

Handle properties_of(const Table::Shape& shape) {
  Handle properties{H5Pcreate(H5P_DATASET_CREATE), H5Pclose};
  const hsize_t chunk = shape.chunk_rows;
  H5Pset_chunk(properties.get(), 1, &chunk);
  H5Pset_obj_track_times(properties.get(), false);
  if (shape.compress) {
    H5Pset_shuffle(properties.get());
    H5Pset_deflate(properties.get(), 1);
  }
  return properties;
}

}  // namespace

hid_t check(hid_t status, const std::string& file, const char* what) {
  if (status < 0) throw InputError(file + ": cannot " + what + ": " + reason_of_failure());
  return status;
}

void silence() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

void set_text(hid_t object, const std::string& file, const char* name, std::string_view text) {
  const std::string terminated(text);
  const Handle space{H5Screate(H5S_SCALAR), H5Sclose};
  set_attribute(object, file, name, text_type(text.size()).get(), space.get(), terminated.c_str());
}

void set_texts(hid_t object, const std::string& file, const char* name,
               const std::vector<std::string>& texts) {
  std::size_t longest = 1;
  for (const std::string& text : texts) longest = std::max(longest, text.size());
  std::vector<char> rows(std::max<std::size_t>(1, texts.size()) * longest, '\0');
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::copy(texts[i].begin(), texts[i].end(),
              rows.begin() + static_cast<std::ptrdiff_t>(i * longest));
  }
  const hsize_t count = texts.size();
  const Handle space{H5Screate_simple(1, &count, nullptr), H5Sclose};
  set_attribute(object, file, name, text_type(longest).get(), space.get(), rows.data());
}

void set_number(hid_t object, const std::string& file, const char* name, std::uint64_t value) {
  const Handle space{H5Screate(H5S_SCALAR), H5Sclose};
  set_attribute(object, file, name, H5T_NATIVE_UINT64, space.get(), &value);
}

void set_real(hid_t object, const std::string& file, const char* name, double value) {
  const Handle space{H5Screate(H5S_SCALAR), H5Sclose};
  set_attribute(object, file, name, H5T_NATIVE_DOUBLE, space.get(), &value);
}

Handle create_file(const std::string& file) {
  const Handle access{H5Pcreate(H5P_FILE_ACCESS), H5Pclose};
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110);  // needed by SWMR
  const Handle properties{H5Pcreate(H5P_FILE_CREATE), H5Pclose};
  H5Pset_obj_track_times(properties.get(), false);
  Handle created{H5Fcreate(file.c_str(), H5F_ACC_TRUNC, properties.get(), access.get()), H5Fclose};
  check(created.get(), file, "make it");
  return created;
}

void create_group(hid_t parent, const std::string& file, const char* path) {
  const Handle properties{H5Pcreate(H5P_GROUP_CREATE), H5Pclose};
  H5Pset_obj_track_times(properties.get(), false);
  const Handle group{H5Gcreate2(parent, path, H5P_DEFAULT, properties.get(), H5P_DEFAULT),
                     H5Gclose};
  check(group.get(), file, "make a group");
}

Handle open_file(const std::string& file) {
  silence();
  const Handle access{H5Pcreate(H5P_FILE_ACCESS), H5Pclose};
  H5Pset_file_locking(access.get(), false, true);  // whoever writes it is not disturbed
  Handle opened{H5Fopen(file.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose};
  if (opened.get() >= 0) return opened;
  const std::string reason = reason_of_failure();
  Handle growing{H5Fopen(file.c_str(), H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access.get()), H5Fclose};
  if (growing.get() < 0) throw InputError(file + ": cannot be read as HDF5: " + reason);
  return growing;
}

bool has_attribute(hid_t object, const char* name) { return H5Aexists(object, name) > 0; }

std::vector<std::string> get_texts(hid_t object, const std::string& file, const char* name) {
  const Handle attribute{H5Aopen(object, name, H5P_DEFAULT), H5Aclose};
  check(attribute.get(), file, "read an attribute");
  const Handle type{H5Aget_type(attribute.get()), H5Tclose};
  const Handle space{H5Aget_space(attribute.get()), H5Sclose};
  const std::size_t size = H5Tget_size(type.get());
  const hssize_t count = H5Sget_simple_extent_npoints(space.get());
  if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) > 0 || count < 0) {
    throw InputError(file + ": attribute " + name + " is not text of fixed length");
  }
  std::vector<char> rows(size * static_cast<std::size_t>(count) + 1);
  check(H5Aread(attribute.get(), type.get(), rows.data()), file, "read an attribute");
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const std::string_view row{rows.data() + i * size, size};
    texts.emplace_back(row.substr(0, row.find('\0')));
  }
  return texts;
}

std::string get_text(hid_t object, const std::string& file, const char* name) {
  const auto texts = get_texts(object, file, name);
  return texts.empty() ? "" : texts.front();
}

std::uint64_t get_number(hid_t object, const std::string& file, const char* name) {
  return get_value<std::uint64_t>(object, file, name, H5T_NATIVE_UINT64);
}

double get_real(hid_t object, const std::string& file, const char* name) {
  return get_value<double>(object, file, name, H5T_NATIVE_DOUBLE);
}

void read_table(hid_t parent, const std::string& file, const std::string& path,
                std::span<const Column> columns, std::size_t row_bytes,
                const std::function<bool(const std::byte* rows, std::size_t count)>& look) {
  constexpr hsize_t at_a_time = 16384;  // a chunk of /packets
  const std::string what = "read /" + path;
  const Handle table{H5Dopen2(parent, path.c_str(), H5P_DEFAULT), H5Dclose};
  check(table.get(), file, what.c_str());
  const Handle space{H5Dget_space(table.get()), H5Sclose};
  const hssize_t rows = H5Sget_simple_extent_npoints(space.get());
  const Handle type = compound_of(columns, row_bytes);
  std::vector<std::byte> buffer;
  for (hsize_t begin = 0; begin < static_cast<hsize_t>(rows); begin += at_a_time) {
    const hsize_t count = std::min(at_a_time, static_cast<hsize_t>(rows) - begin);
    buffer.resize(count * row_bytes);
    H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &begin, nullptr, &count, nullptr);
    const Handle memory{H5Screate_simple(1, &count, nullptr), H5Sclose};
    check(H5Dread(table.get(), type.get(), memory.get(), space.get(), H5P_DEFAULT, buffer.data()),
          file, what.c_str());
    if (!look(buffer.data(), count)) return;
  }
}

Table::Table(hid_t parent, const std::string& file, const std::string& path,
             std::span<const Column> columns, Shape shape)
    : file_(file), shape_(shape), type_(compound_of(columns, shape.row_bytes)) {
  const hsize_t none = 0, unlimited = H5S_UNLIMITED;
  const Handle space{H5Screate_simple(1, &none, &unlimited), H5Sclose};
  const Handle links{H5Pcreate(H5P_LINK_CREATE), H5Pclose};
  H5Pset_char_encoding(links.get(), H5T_CSET_UTF8);
  dataset_ = Handle{H5Dcreate2(parent, path.c_str(), type_.get(), space.get(), links.get(),
                               properties_of(shape).get(), H5P_DEFAULT),
                    H5Dclose};
  check(id(), file_, "make a table");
  for (const Column& column : columns) {
    const std::string name = column.name;
    set_text(id(), file_, (name + ".unit").c_str(), column.unit);
    set_text(id(), file_, (name + ".description").c_str(), column.description);
  }
  pending_.reserve(shape.chunk_rows * shape.row_bytes);
}

void Table::append(const void* row) {
  const auto* begin = static_cast<const std::byte*>(row);
  pending_.insert(pending_.end(), begin, begin + shape_.row_bytes);
  const std::size_t rows = pending_.size() / shape_.row_bytes;
  if ((written_ + rows) % shape_.chunk_rows == 0) write();
}

void Table::write() {
  const hsize_t count = pending_.size() / shape_.row_bytes;
  if (count == 0) return;
  const hsize_t begin = written_, size = written_ + count;
  check(H5Dset_extent(id(), &size), file_, "write");
  const Handle file_space{H5Dget_space(id()), H5Sclose};
  H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, &begin, nullptr, &count, nullptr);
  const Handle memory_space{H5Screate_simple(1, &count, nullptr), H5Sclose};
  check(H5Dwrite(id(), type_.get(), memory_space.get(), file_space.get(), H5P_DEFAULT,
                 pending_.data()),
        file_, "write");
  written_ = size;
  pending_.clear();
}

}  // namespace sennit::hdf5
