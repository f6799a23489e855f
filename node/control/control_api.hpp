#pragma once

#include "node/control/control_backend.hpp"
#include "node/control/event_stream.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// What of an HTTP request matters here.
struct control_request {
  std::string method;
  std::string target;         ///< path and query as they came, percent-encoded
  std::string last_event_id;  ///< the header; empty if there is none
  std::string body;
};

struct control_response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;                     ///< the header that goes with 405
  std::shared_ptr<event_stream> events;  ///< if set, they follow the body until the connection ends
};

struct control_limits {
  static constexpr std::size_t body = 1 << 20;
  static constexpr milliseconds default_timeout{5'000};
  static constexpr milliseconds longest_timeout{3'600'000};
};

/// Answers one request, by asking the backend. Pure. The paths, parameters and shapes are those of docs/control_api.md.
///
/// \param done  called once, on any thread, maybe before handle() returns
void handle(const control_request& request, control_backend& backend, const clock& now,
            const std::function<void(control_response)>& done);

/// {"error":{"code","message","target"}}
control_response control_failure(int status, const error& why, std::string_view target);
/// With the status that goes with the error.
control_response control_failure(const error& why, std::string_view target);

/// The status that goes with an error.
int http_status(error_code code);

struct control_route {
  std::string_view method;
  std::string_view path;                     ///< "/v1/nodes/{id}"
  std::vector<std::string_view> parameters;  ///< what may stand in the query
};

/// All that handle() answers.
std::vector<control_route> control_routes();

}  // namespace flock
