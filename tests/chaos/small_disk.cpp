#include "tests/chaos/small_disk.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

namespace flock::chaos {

namespace {

error refused(const std::string& what) { return error{error_code::refused, what + ": " + std::strerror(errno)}; }

}  // namespace

result<std::unique_ptr<small_disk>> small_disk::mount(std::string folder, int megabytes) {
  // In a namespace of this thread's, so that nothing stays mounted if this process is killed.
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return refused("no mount namespace");
  const auto size = "size=" + std::to_string(megabytes) + "m";
  if (::mount("flock-chaos", folder.c_str(), "tmpfs", 0, size.c_str()) != 0) return refused("no tmpfs on " + folder);
  return std::unique_ptr<small_disk>(new small_disk(std::move(folder)));
}

small_disk::~small_disk() { ::umount2(folder_.c_str(), MNT_DETACH); }

result<void> small_disk::fill() {
  const int file = ::open(ballast().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return error{error_code::io, ballast() + ": " + std::strerror(errno)};
  const std::string block(4096, 'x');
  while (::write(file, block.data(), block.size()) > 0) {
  }
  const int why = errno;
  ::close(file);
  if (why == ENOSPC) return {};
  return error{error_code::io, ballast() + ": " + std::strerror(why)};
}

void small_disk::make_room() { ::unlink(ballast().c_str()); }

}  // namespace flock::chaos
