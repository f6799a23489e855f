#pragma once

#include "libflock/core/node_core.hpp"
#include "libflock/delivery/event_log.hpp"
#include "node/control/control_api.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace flock {

/// Whose events are followed.
class event_source {
 public:
  virtual ~event_source() = default;

  /// The events after a cursor, then every later one, until the handle is destroyed. `first` is called once, before any
  /// `next`; none is lost or repeated between the two. Both on a thread of the source; neither may block.
  virtual std::shared_ptr<void> follow_events(std::optional<std::string> since,
                                              std::function<void(result<event_log::page>)> first,
                                              std::function<void(const event&)> next) = 0;
};

/// Those of a node.
class node_events final : public event_source {
 public:
  explicit node_events(node_core& of) : core_(of) {}
  std::shared_ptr<void> follow_events(std::optional<std::string> since,
                                      std::function<void(result<event_log::page>)> first,
                                      std::function<void(const event&)> next) override;

 private:
  node_core& core_;
};

const control_topic<event_source>& event_routes();

}  // namespace flock
