// The little of HDF5's C API that we need, with handles that close themselves and errors that say
// in words what happened ("No space left on device").
#pragma once

#include <hdf5.h>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sennit::hdf5 {

/// Something of HDF5 that must be closed. Closing ignores errors: whoever cares has flushed before.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close how) : id_(id), close_(how) {}
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  hid_t get() const { return id_; }
  /// Closes now; negative if that failed.
  herr_t close() { return id_ < 0 ? 0 : close_(std::exchange(id_, H5I_INVALID_HID)); }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

/// Throws InputError "<file>: cannot <what>: <reason>" if `status` (a herr_t or hid_t) is negative.
/// The reason is the innermost one of HDF5's error stack.
hid_t check(hid_t status, const std::string& file, const char* what);

/// HDF5 prints its error stack to stderr unless told otherwise.
void silence();

/// A column of a table: its place in the row, its type, and what it means.
struct Column {
  const char* name;
  std::size_t offset;
  hid_t type;
  const char* unit;
  const char* description;
};

// Attributes; each throws InputError, naming `file`.
void set_text(hid_t object, const std::string& file, const char* name, std::string_view text);
void set_texts(hid_t object, const std::string& file, const char* name,
               const std::vector<std::string>& texts);
void set_number(hid_t object, const std::string& file, const char* name, std::uint64_t value);
void set_real(hid_t object, const std::string& file, const char* name, double value);

/// Makes or replaces `file`, and groups below it. They keep no times: equal runs give equal files.
Handle create_file(const std::string& file);
void create_group(hid_t parent, const std::string& file, const char* path);

/// Opens an existing file to read, also one that is being written or whose writer was killed.
/// Throws InputError.
Handle open_file(const std::string& file);
bool has_attribute(hid_t object, const char* name);
std::string get_text(hid_t object, const std::string& file, const char* name);
std::vector<std::string> get_texts(hid_t object, const std::string& file, const char* name);
std::uint64_t get_number(hid_t object, const std::string& file, const char* name);
double get_real(hid_t object, const std::string& file, const char* name);

/// Reads the given columns of the table at `path` into rows of `row_bytes` and shows them in their
/// order, some thousands at a time, until `look(rows, count)` says false. Columns are found by
/// name; the table may have others. Throws InputError.
void read_table(hid_t parent, const std::string& file, const std::string& path,
                std::span<const Column> columns, std::size_t row_bytes,
                const std::function<bool(const std::byte* rows, std::size_t count)>& look);

/// An extendible one-dimensional dataset of compound rows, written chunk by chunk. Every column's
/// unit and description become the attributes "<column>.unit" and "<column>.description".
class Table {
 public:
  struct Shape {
    std::size_t row_bytes;
    std::size_t chunk_rows;
    bool compress;  // shuffle and deflate 1: the fastest, and 90 % of what 9 saves
  };
  /// Makes it at `path` below `parent`, in a group that exists. Throws InputError.
  Table(hid_t parent, const std::string& file, const std::string& path,
        std::span<const Column> columns, Shape shape);

  /// Copies one row of `row_bytes`; writes when a chunk is full. Throws InputError.
  void append(const void* row);
  /// Writes what has not been written. Throws InputError.
  void write();
  hid_t id() const { return dataset_.get(); }

 private:
  std::string file_;
  Shape shape_;
  Handle type_, dataset_;
  std::vector<std::byte> pending_;
  hsize_t written_ = 0;
};

}  // namespace sennit::hdf5
