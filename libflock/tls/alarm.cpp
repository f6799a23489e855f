#include "libflock/tls/alarm.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <sys/timerfd.h>
#include <system_error>
#include <unistd.h>

namespace flock::internal {

alarm::alarm() : fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
}

alarm::~alarm() { ::close(fd_); }

void alarm::set(std::chrono::nanoseconds later) {
  using namespace std::chrono_literals;
  const auto in = std::max(later, 1ns);  // zero would take back what was set
  const auto seconds = std::chrono::floor<std::chrono::seconds>(in);
  itimerspec when{};
  when.it_value = {seconds.count(), (in - seconds).count()};
  ::timerfd_settime(fd_, 0, &when, nullptr);
}

void alarm::wait() {
  std::uint64_t rung = 0;
  while (::read(fd_, &rung, sizeof rung) < 0 && errno == EINTR) continue;
}

}  // namespace flock::internal
