// A file descriptor that closes itself, and what the system says when a call fails.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace sennit {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Of errno: "cannot bind a UDP socket to eth0, port 51820: Address already in use".
[[noreturn]] inline void fail_with_errno(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), "cannot " + what);
}

}  // namespace sennit
