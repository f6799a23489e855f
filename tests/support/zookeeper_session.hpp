#pragma once

#include <flock/error.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace flock::testing {

/// A ZooKeeper server: all that it answers to a request.
using zookeeper_answers = std::function<result<std::string>(std::string_view request)>;

/// Ends a session as if its time-out had passed. The server has ended it when this returns; its client is told when it
/// connects again, or notices after its time-out that nothing is answered.
/// Errors: timeout (it goes on), and those of the server
result<void> end_session(const zookeeper_answers& server, std::uint64_t session);

}  // namespace flock::testing
