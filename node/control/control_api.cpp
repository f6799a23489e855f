#include "node/control/control_api.hpp"

#include "node/control/control_exchange.hpp"
#include "node/control/control_routes.hpp"
#include "node/control/request_target.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace flock {
namespace {

// \returns what stands for the {names}, or nothing if the path is another one
std::optional<std::vector<std::string>> match(std::string_view pattern, const std::vector<std::string>& path) {
  std::vector<std::string> names;
  for (const auto& element : path) {
    if (pattern.empty()) return std::nullopt;
    pattern.remove_prefix(1);
    const auto expected = pattern.substr(0, pattern.find('/'));
    if (expected.substr(0, 1) == "{" && !element.empty())
      names.push_back(element);
    else if (expected != element)
      return std::nullopt;
    pattern.remove_prefix(expected.size());
  }
  if (!pattern.empty()) return std::nullopt;
  return names;
}

control_response no_such_route(const control_request& request, const std::vector<const control_handler*>& same_path,
                               const std::string& path) {
  if (same_path.empty()) return control_failure(404, {error_code::not_found, "no such path: " + path}, path);
  std::string allow;
  for (const auto* other : same_path) allow.append(allow.empty() ? "" : ", ").append(other->is.method);
  auto response =
      control_failure(405, bad_request(request.method + " is not possible on " + path + ", only " + allow), path);
  response.allow = std::move(allow);
  return response;
}

result<void> try_handle(control_exchange& x, std::string_view query) {
  if (x.request.body.size() > control_limits::body) {
    x.done(control_failure(413, bad_request("a body of more than 1 MiB"), x.path));
    return {};
  }
  if (x.path.empty() || x.path.front() != '/') return bad_request("no path: \"" + x.path + "\"");
  const auto path = split_path(x.path);
  if (!path) return path.error();
  std::vector<const control_handler*> same_path;
  for (const auto& h : control_handlers()) {
    auto names = match(h.is.path, *path);
    if (!names) continue;
    same_path.push_back(&h);
    if (h.is.method != x.request.method) continue;
    auto parameters = query_parameters::parse(query);
    if (!parameters) return parameters.error();
    if (auto known = parameters->only(h.is.parameters); !known) return known.error();
    x.names = *std::move(names);
    x.parameters = *std::move(parameters);
    return h.answer(x);
  }
  x.done(no_such_route(x.request, same_path, x.path));
  return {};
}

}  // namespace

void handle(const control_request& request, control_backend& backend, const clock& now,
            const std::function<void(control_response)>& done) {
  const auto question = std::min(request.target.find('?'), request.target.size());
  const auto query = std::string_view(request.target).substr(std::min(question + 1, request.target.size()));
  control_exchange x{request, backend, now, {}, {}, done, request.target.substr(0, question)};
  try {
    if (auto asked = try_handle(x, query); !asked) done(control_failure(asked.error(), x.path));
  } catch (const std::exception& failed) {
    done(control_failure(500, {error_code::io, std::string("internal error: ") + failed.what()}, x.path));
  }
}

control_response control_failure(int status, const error& why, std::string_view target) {
  const value::map details{{"code", to_string(why.code)}, {"message", why.what}, {"target", target}};
  return {.status = status, .body = to_json(value::map{{"error", details}}) + "\n"};
}

control_response control_failure(const error& why, std::string_view target) {
  return control_failure(http_status(why.code), why, target);
}

int http_status(error_code code) {
  switch (code) {
    case error_code::not_found:
      return 404;
    case error_code::bad_argument:
      return 400;
    case error_code::no_such_method:
      return 404;
    case error_code::refused:
      return 403;
    case error_code::conflict:
      return 409;
    case error_code::not_owner:
      return 409;
    case error_code::timeout:
      return 504;
    case error_code::unreachable:
      return 502;
    case error_code::maybe_done:
      return 504;
    case error_code::down:
      return 502;
    case error_code::session_lost:
      return 503;
    case error_code::shutting_down:
      return 503;
    case error_code::io:
      return 500;
    case error_code::protocol:
      return 502;
  }
  return 500;
}

std::vector<control_route> control_routes() {
  std::vector<control_route> all;
  std::transform(control_handlers().begin(), control_handlers().end(), std::back_inserter(all),
                 [](const control_handler& h) { return h.is; });
  return all;
}

}  // namespace flock
