#include "real/daemon/poller.h"

#include <algorithm>
#include <bit>

#include "real/daemon/clock.h"

namespace sennit {
namespace {

static_assert(sizeof(Tag) == sizeof(std::uint64_t));

// No sleep is longer, so that a far instant does not overflow what the kernel adds it to.
constexpr Duration sleep_max = 1h;

}  // namespace

Poller::Poller() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!fd_) fail_with_errno("make an epoll descriptor");
}

void Poller::control(int operation, int fd, Tag tag, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = std::bit_cast<std::uint64_t>(tag);
  if (epoll_ctl(fd_.get(), operation, fd, &event) != 0) fail_with_errno("watch a descriptor");
}

std::span<const Ready> Poller::wait(Duration most) {
  const timespec timeout = to_timespec(std::clamp(most, Duration{0}, sleep_max));
  const int count = epoll_pwait2(fd_.get(), events_.data(), ready_max, &timeout, nullptr);
  if (count < 0 && errno != EINTR) fail_with_errno("wait for events");
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::uint32_t events = events_[at].events;
    ready_[at] = {std::bit_cast<Tag>(events_[at].data.u64),
                  (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0, (events & EPOLLOUT) != 0};
  }
  return {ready_.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
}

}  // namespace sennit
