#include "sim/runner/run_folder.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>
#include <vector>

#include "sim/scenario/scenario.h"

namespace sennit {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& place, const std::string& what, std::error_code error) {
  throw InputError(place.string() + ": cannot " + what + ": " + error.message());
}

std::error_code last_error() { return {errno, std::generic_category()}; }

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && !fs::is_directory(folder)) error = std::make_error_code(std::errc::not_a_directory);
  if (error) fail(folder, "make the folder", error);
}

/// Writes and removes a file as large as a small run's results.
std::error_code try_to_write(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return last_error();
  const std::vector<char> content(1 << 20, 'x');
  const ssize_t written = ::write(fd, content.data(), content.size());
  std::error_code error;
  if (written < 0 || ::fsync(fd) < 0) {
    error = last_error();
  } else if (static_cast<std::size_t>(written) < content.size()) {
    error = std::make_error_code(std::errc::no_space_on_device);
  }
  ::close(fd);
  ::unlink(file.c_str());
  return error;
}

/// ".seed-1.4711" is process 4711's.
void remove_abandoned(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(".seed-")) continue;
    const int owner = std::atoi(name.substr(name.rfind('.') + 1).c_str());
    if (owner > 0 && ::kill(owner, 0) < 0 && errno == ESRCH) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

void check_writable(const fs::path& out) {
  make_folder(out);
  const auto error =
      try_to_write(out / std::string{".writable."}.append(std::to_string(::getpid())));
  if (error) fail(out, "write results there", error);
}

RunFolder::RunFolder(fs::path final_place)
    : final_(std::move(final_place)),
      hidden_(final_.parent_path() / std::string{"."}
                                         .append(final_.filename().string())
                                         .append(".")
                                         .append(std::to_string(::getpid()))) {
  make_folder(final_.parent_path());
  remove_abandoned(final_.parent_path());
  make_folder(hidden_);
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : final_(std::move(other.final_)), hidden_(std::exchange(other.hidden_, {})) {}

RunFolder::~RunFolder() {
  std::error_code ignored;
  if (!hidden_.empty()) fs::remove_all(hidden_, ignored);
}

void RunFolder::publish() { move_to(final_); }

fs::path RunFolder::keep_as_crashed() {
  fs::path place = final_;
  place += ".crashed";
  move_to(place);
  return place;
}

/// rename() does not replace a folder that has files, so the two are exchanged; what is then
/// hidden is the old one.
void RunFolder::move_to(const fs::path& place) {
  if (::renameat2(AT_FDCWD, hidden_.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) < 0) {
    std::error_code error;
    if (errno != ENOENT) fs::remove_all(place, error);  // a file system that cannot exchange
    fs::rename(hidden_, place, error);
    if (error) fail(place, "put the results there", error);
  } else {
    std::error_code ignored;
    fs::remove_all(hidden_, ignored);
  }
  hidden_.clear();
}

}  // namespace sennit
