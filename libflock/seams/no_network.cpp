#include "libflock/seams/no_network.hpp"

namespace flock {

result<std::string> no_network::start(listener& to) {
  listener_ = &to;
  return std::string();
}

void no_network::dial(const node_id& id, const std::string&) {
  listener_->dial_failed(id, dial_failure::rejected, {error_code::refused, why_});
}

result<void> no_network::send_all(const node_id& to, std::span<const message>) {
  return error{error_code::unreachable, "cannot reach " + to.str() + ": " + why_};
}

}  // namespace flock
