#pragma once

#include <flock/clock.hpp>
#include <flock/registry.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace flock::internal {

struct zookeeper_options {
  std::string servers;  ///< "host:port,host:port"
  std::string root;     ///< "/flock/production"; made if it is missing
  std::string auth;     ///< "digest:user:password": entries are then open to this user alone; empty for everybody
  milliseconds session_timeout{10'000};
  std::function<void(std::string_view level, const std::string& text)> log;
};

/// A registry on ZooKeeper's multi-threaded C client.
///
/// The session's end is judged by our own monotonic clock as well: ZooKeeper reports an expiry only when a server
/// answers again, so from session_timeout without a connection on the session counts as lost, and the listener is told.
std::unique_ptr<registry> make_zookeeper_registry(const clock& time, zookeeper_options o);

}  // namespace flock::internal
