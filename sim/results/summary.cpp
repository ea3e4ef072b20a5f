#include "sim/results/summary.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <system_error>

#include <nlohmann/json.hpp>

#include "sim/scenario/scenario.h"

namespace sennit {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, const char* what, int error) {
  throw InputError(file.string() + ": cannot " + what + ": " +
                   std::generic_category().message(error));
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

/// 0, or the errno of what failed.
int write_all(const std::filesystem::path& file, std::string_view text) {
  const Descriptor out{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
  if (out.get() < 0) return errno;
  while (!text.empty()) {
    const ssize_t written = ::write(out.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(out.get()) < 0 ? errno : 0;
}

}  // namespace

std::string_view sennit_version() { return SENNIT_VERSION; }

nlohmann::ordered_json json_number(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  char digits[32];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, *value, std::chars_format::scientific, 5);
  double rounded = 0;
  std::from_chars(digits, end.ptr, rounded);
  return rounded == 0 ? 0.0 : rounded;  // no -0
}

nlohmann::ordered_json json_ms(std::optional<Duration> value) {
  if (!value) return nullptr;
  return json_number(to_seconds(*value) * 1e3);
}

nlohmann::ordered_json json_quantiles_ms(const DurationHistogram& histogram) {
  return {{"p50", json_ms(histogram.quantile(0.50))},
          {"p95", json_ms(histogram.quantile(0.95))},
          {"p99", json_ms(histogram.quantile(0.99))},
          {"max", json_ms(histogram.max())}};
}

void write_json(const std::filesystem::path& file, const nlohmann::ordered_json& object) {
  std::filesystem::path temporary = file;
  temporary += ".tmp";
  const std::string text =
      object.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  std::error_code ignored;
  if (const int error = write_all(temporary, text); error != 0) {
    std::filesystem::remove(temporary, ignored);
    fail(file, "write", error);
  }
  if (::rename(temporary.c_str(), file.c_str()) < 0) {
    const int error = errno;
    std::filesystem::remove(temporary, ignored);
    fail(file, "replace", error);
  }
}

nlohmann::ordered_json read_json(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) fail(file, "read", errno);
  auto object = nlohmann::ordered_json::parse(in, nullptr, false);
  if (object.is_discarded()) throw InputError(file.string() + ": is not JSON");
  return object;
}

}  // namespace sennit
