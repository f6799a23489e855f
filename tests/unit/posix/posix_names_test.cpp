// The system's headers first on purpose: that is the order that would clash.
// clang-format off
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "flock/error.hpp"

#include <doctest/doctest.h>
// clang-format on

namespace flock {
constexpr int beside_the_system = 1;
}

TEST_CASE("namespace flock lives beside the system's struct flock and flock()") {
  struct posix_flock whole_file = {};
  whole_file.l_type = F_WRLCK;
  int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);

  int locked = posix_flock(fd, LOCK_EX | LOCK_NB);

  CHECK(locked == 0);
  CHECK(whole_file.l_type == F_WRLCK);
  CHECK(flock::beside_the_system == 1);
  ::close(fd);
}
