#pragma once

#include "libflock/seams/transport.hpp"

#include <string>

namespace flock {

/// The network of a node that is alone: it listens nowhere, and nobody can be reached.
class no_network final : public transport {
 public:
  /// \param why  what whoever wants to reach somebody is told
  explicit no_network(std::string why) : why_(std::move(why)) {}

  /// \returns an empty address: there is none
  result<std::string> start(listener& to) override;
  /// Fails at once, and is not tried again: rejected.
  void dial(const node_id& id, const std::string& address) override;
  void hang_up(const node_id&) override {}
  result<void> send_all(const node_id& to, std::span<const message> all) override;
  std::size_t queued(const node_id&) const override { return 0; }
  void introduce(const hello&) override {}
  result<void> reload() override { return {}; }
  void stop() override {}

 private:
  const std::string why_;
  listener* listener_ = nullptr;
};

}  // namespace flock
