#pragma once

#include <flock/error.hpp>

#include <string>
#include <utility>

namespace flock::internal {

/// A folder that belongs to one process at a time, for as long as this lives. The lock is the kernel's: it goes with
/// the process, however that ends.
class state_folder {
 public:
  /// Makes the folder, open to its user alone, if it is missing; not the one that it is in.
  /// Errors: io, conflict (it is used by another process, or twice by this one); the text names it
  static result<state_folder> lock(const std::string& path);

  /// Whether lock() could do its work, as far as that shows without changing anything.
  /// Errors: io
  static result<void> check(const std::string& path);

  state_folder(state_folder&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  state_folder& operator=(state_folder&&) = delete;
  ~state_folder();

  const std::string& path() const { return path_; }
  /// Makes names that were made, changed or removed in it durable. Errors: io
  result<void> sync() const;

 private:
  state_folder(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_;
};

}  // namespace flock::internal
