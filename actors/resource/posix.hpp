#pragma once

#include <flock/error.hpp>

#include <cerrno>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace flock {

/// An open file, pipe or the like; closed when this goes.
class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(int number) : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~descriptor() { close(); }

  explicit operator bool() const { return number_ >= 0; }
  int number() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

/// "what: No such file or directory"
inline error system_error(const std::string& what, int number = errno) {
  return {error_code::io, what + ": " + std::generic_category().message(number)};
}

}  // namespace flock
