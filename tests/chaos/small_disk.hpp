#pragma once

#include <flock/error.hpp>

#include <memory>
#include <string>
#include <utility>

namespace flock::chaos {

/// A disk of its own with little room, seen by this process and those that it starts from now on. Takes CAP_SYS_ADMIN.
class small_disk {
 public:
  /// \param folder  where it appears; exists, and stays when this goes
  /// Errors: refused (this process may not mount anything)
  static result<std::unique_ptr<small_disk>> mount(std::string folder, int megabytes);
  ~small_disk();
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  /// Leaves room for nothing. Errors: io
  result<void> fill();
  void make_room();

 private:
  explicit small_disk(std::string folder) : folder_(std::move(folder)) {}
  std::string ballast() const { return folder_ + "/ballast"; }

  const std::string folder_;
};

}  // namespace flock::chaos
