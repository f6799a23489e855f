#include "flock/certificates.hpp"
#include "libflock/tls/certificates.hpp"
#include <flock/clock.hpp>

#include <utility>

namespace flock {

namespace {

internal::validity from_now() {
  using namespace std::chrono;
  const auto now = system_clock().wall();
  // From yesterday, for tests that turn back the clock of a node.
  return {now - days(1), now + years(1)};
}

}  // namespace

struct local_authority::secret {
  internal::certificate_authority authority;
};

result<local_authority> local_authority::make() {
  auto made = internal::certificate_authority::make("Flock, on this machine", from_now());
  if (!made) return made.error();
  return local_authority(std::make_unique<secret>(secret{*std::move(made)}));
}

local_authority::local_authority(std::unique_ptr<secret> s) : secret_(std::move(s)) {}
local_authority::local_authority(local_authority&&) noexcept = default;
local_authority& local_authority::operator=(local_authority&&) noexcept = default;
local_authority::~local_authority() = default;

result<void> local_authority::issue(const node_id& id, const std::string& folder) const {
  auto files = secret_->authority.issue_into(folder, id, from_now());
  if (!files) return files.error();
  return {};
}

}  // namespace flock
