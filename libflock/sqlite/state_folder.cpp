#include "libflock/sqlite/state_folder.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace flock::internal {

namespace {

error failed(const std::string& what, int number) {
  return {error_code::io, what + ": " + std::string(std::strerror(number))};
}

std::string folder_of(const std::string& path) {
  const auto absolute = std::filesystem::absolute(path).lexically_normal();
  return (absolute.has_filename() ? absolute : absolute.parent_path()).parent_path().string();
}

void sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // one that may be passed but not read
  ::fsync(fd);
  ::close(fd);
}

result<void> check_writable(const std::string& path) {
  if (::access(path.c_str(), W_OK | X_OK) == 0) return {};
  return failed("cannot write in " + path, errno);
}

}  // namespace

result<state_folder> state_folder::lock(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0)
    sync_folder(folder_of(path));
  else if (errno != EEXIST)
    return failed("cannot make " + path, errno);
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failed("cannot open " + path, errno);
  state_folder taken(path, fd);
  if (::posix_flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return error{error_code::conflict, path + " is used by another process"};
    return failed("cannot lock " + path, errno);
  }
  if (auto writable = check_writable(path); !writable) return writable.error();
  return taken;
}

result<void> state_folder::check(const std::string& path) {
  struct stat is {};
  if (::stat(path.c_str(), &is) == 0) {
    if (!S_ISDIR(is.st_mode)) return failed("cannot open " + path, ENOTDIR);
    return check_writable(path);
  }
  if (errno != ENOENT) return failed("cannot open " + path, errno);
  if (auto writable = check_writable(folder_of(path)); !writable) return writable.error().within("cannot make " + path);
  return {};
}

state_folder::~state_folder() {
  if (fd_ >= 0) ::close(fd_);
}

result<void> state_folder::sync() const {
  if (::fsync(fd_) == 0) return {};
  return failed("cannot sync " + path_, errno);
}

}  // namespace flock::internal
