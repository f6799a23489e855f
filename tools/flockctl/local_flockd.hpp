#pragma once

#include "tools/client/control_client.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/value.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock::ctl {

/// The flockd of this machine, asked through its control API. Its errors are returned as errors.
class local_flockd {
 public:
  using reply = result<control_reply>;
  using follower = std::function<bool(const server_sent_event&)>;

  /// How requests get there: a control_client, or in tests the API itself.
  struct requests {
    std::function<reply(std::string_view target, time_point until)> get;
    std::function<reply(std::string_view target, std::string_view body, time_point until)> post;
    std::function<reply(std::string_view target, std::string_view after, time_point until, const follower&)> follow;
  };
  static requests through(const control_client& client);

  local_flockd(requests r, std::string socket) : requests_(std::move(r)), socket_(std::move(socket)) {}

  result<value> get(std::string_view target, time_point until) const;
  result<value> post(std::string_view target, const value& body, time_point until) const;
  /// The list that a reply holds under this name. Errors also: protocol (it holds none)
  result<value::list> list(std::string_view target, std::string_view name, time_point until) const;
  /// The text of a reply that is no JSON.
  result<std::string> read(std::string_view target, time_point until) const;
  result<void> follow(std::string_view target, std::string_view after, time_point until, const follower& next) const;

 private:
  result<std::string> body_of(reply r) const;

  requests requests_;
  std::string socket_;
};

/// The list that a reply holds under this name. Errors: protocol (it holds none)
result<value::list> list_in(value reply, std::string_view name);

/// A path and its query, percent-encoded: target({"v1", "nodes"}, {{"role", "web"}}) is "/v1/nodes?role=web".
using parameters = std::vector<std::pair<std::string, std::string>>;
std::string target(const std::vector<std::string>& path, const parameters& query = {});

}  // namespace flock::ctl
