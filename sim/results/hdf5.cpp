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
