#pragma once

#include "libflock/words/location.hpp"
#include "node/control/control_api.hpp"
#include "node/control/request_target.hpp"
#include <flock/actor_type.hpp>
#include <flock/clock.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

error bad_request(std::string what);

/// A request that has found its route: what the route reads from it, in the words of docs/control_api.md, and how it
/// answers. All that reads names what is wrong. Errors: bad_argument
struct control_exchange {
  const control_request& request;
  const control_operation& operation;
  const clock& now;
  std::vector<std::string> names;  ///< what stands for the {names} in the path
  query_parameters parameters;
  std::string path;
  std::function<void(control_response)> done;

  /// The parameter `timeout` from now.
  result<time_point> deadline() const;
  /// The parameter `node`.
  result<std::optional<node_id>> node() const;
  /// A parameter that is true or false.
  result<bool> flag(std::string_view name, bool otherwise) const;
  /// The nodes that `node`, `role`, `recipe`, `environment`, `query` and `any` mean; nothing if there is none of them.
  result<std::optional<location>> where() const;

  /// The body, an object of no other members than the operation's schema names.
  result<value> body() const;

  /// Answers with a value in the shape that the operation says.
  responder answer() const;
};

/// A text in the body. Errors: bad_argument (it is missing, or no text)
result<std::string> text_member(const value& object, std::string_view name);

}  // namespace flock
