#include "node/control/control_api.hpp"

#include "node/control/control_exchange.hpp"
#include "node/control/request_target.hpp"

#include <algorithm>
#include <exception>
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

control_response no_such_route(const std::string& method, const std::vector<std::string_view>& others,
                               const std::string& path) {
  if (others.empty()) return control_failure(404, {error_code::not_found, "no such path: " + path}, path);
  std::string allow;
  for (const auto other : others) allow.append(allow.empty() ? "" : ", ").append(other);
  auto response = control_failure(405, bad_request(method + " is not possible on " + path + ", only " + allow), path);
  response.allow = std::move(allow);
  return response;
}

std::vector<std::string_view> names_in_query(const control_operation& o) {
  std::vector<std::string_view> names;
  for (const auto& p : o.parameters)
    if (p.in == "query") names.push_back(p.name);
  return names;
}

}  // namespace

std::vector<const control_operation*> control_api::operations() const {
  std::vector<const control_operation*> all;
  for (const auto& r : routes_) all.push_back(r.is);
  return all;
}

void control_api::handle(const control_request& request, const answered& done) const {
  const auto question = std::min(request.target.find('?'), request.target.size());
  const auto path = request.target.substr(0, question);
  try {
    if (auto asked = try_handle(request, path, done); !asked) done(control_failure(asked.error(), path));
  } catch (const std::exception& failed) {
    done(control_failure(500, {error_code::io, std::string("internal error: ") + failed.what()}, path));
  }
}

result<void> control_api::try_handle(const control_request& request, const std::string& path,
                                     const answered& done) const {
  if (request.body.size() > control_limits::body) {
    done(control_failure(413, bad_request("a body of more than 1 MiB"), path));
    return {};
  }
  if (path.empty() || path.front() != '/') return bad_request("no path: \"" + path + "\"");
  const auto elements = split_path(path);
  if (!elements) return elements.error();
  std::vector<std::string_view> methods;
  for (const auto& [is, answer] : routes_) {
    auto names = match(is->path, *elements);
    if (!names) continue;
    methods.push_back(is->method);
    if (is->method != request.method) continue;
    const auto query = std::string_view(request.target).substr(std::min(path.size() + 1, request.target.size()));
    auto parameters = query_parameters::parse(query);
    if (!parameters) return parameters.error();
    if (auto known = parameters->only(names_in_query(*is)); !known) return known.error();
    control_exchange x{request, *is, now_, *std::move(names), *std::move(parameters), path, done};
    return answer(x);
  }
  done(no_such_route(request.method, methods, path));
  return {};
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

}  // namespace flock
