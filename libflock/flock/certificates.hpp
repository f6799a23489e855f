#pragma once

#include <flock/error.hpp>
#include <flock/name.hpp>

#include <memory>
#include <string>

namespace flock {

/// A certificate authority for the nodes of one test or one local cluster. Its key lives in memory and is gone with it.
/// For a real flock, use the authority that the machines have already.
class local_authority {
 public:
  /// Errors: io
  static result<local_authority> make();

  local_authority(local_authority&&) noexcept;
  local_authority& operator=(local_authority&&) noexcept;
  ~local_authority();

  /// Writes a node's ca.pem, cert.pem and key.pem (mode 0600) into a folder, which must be there. Valid for a year.
  /// Errors: io
  result<void> issue(const node_id& id, const std::string& folder) const;

 private:
  struct secret;
  explicit local_authority(std::unique_ptr<secret> s);

  std::unique_ptr<secret> secret_;
};

}  // namespace flock
