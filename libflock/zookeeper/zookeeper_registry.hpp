#pragma once

#include "libflock/seams/registry.hpp"
#include <flock/clock.hpp>

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

/// A registry on ZooKeeper's multi-threaded C client. Answers and reports come on one thread of its own; after stop()
/// calls are answered before they return.
///
/// The session's end is judged by our own monotonic clock as well, for ZooKeeper reports an expiry only when a server
/// answers again: session_timeout after the making of the last call that was answered, the session counts as lost. That
/// is never later than the servers end it. Servers may allow less than the session_timeout asked for; theirs counts.
std::unique_ptr<registry> make_zookeeper_registry(const clock& time, zookeeper_options o);

/// Of the client library, by its headers.
std::string zookeeper_version();

}  // namespace flock::internal
