#include "tools/flockctl/local_flockd.hpp"

#include <flock/name.hpp>

#include <array>
#include <grp.h>
#include <sys/stat.h>

namespace flock::ctl {
namespace {

std::string group_of(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return "flock";
  std::array<char, 16 * 1024> buffer;
  group entry{};
  group* found = nullptr;
  ::getgrgid_r(s.st_gid, &entry, buffer.data(), buffer.size(), &found);
  return found ? found->gr_name : std::to_string(s.st_gid);
}

error explained(const error& why, const std::string& socket) {
  if (why.code == error_code::refused)
    return {why.code, why.what + "; it is for members of the group " + group_of(socket)};
  if (why.code == error_code::unreachable)
    return {why.code, "no flockd answers at " + why.what +
                          "; is it running (systemctl status flockd)? --socket or FLOCK_SOCKET names another socket"};
  return why;
}

error told_by(const control_reply& reply) {
  const auto body = from_json(reply.body);
  const auto* code = body ? body->at_path("error.code").as_text() : nullptr;
  const auto* message = body ? body->at_path("error.message").as_text() : nullptr;
  const auto known = code ? error_code_from(*code) : std::nullopt;
  if (!known || !message) return {error_code::protocol, "flockd answered with status " + std::to_string(reply.status)};
  return {*known, *message};
}

}  // namespace

local_flockd::requests local_flockd::through(const control_client& client) {
  return {.get = [&client](auto target, auto until) { return client.get(target, until); },
          .post = [&client](auto target, auto body, auto until) { return client.post(target, body, until); },
          .follow = [&client](auto target, auto after, auto until,
                              const auto& next) { return client.follow(target, after, until, next); }};
}

result<std::string> local_flockd::body_of(reply r) const {
  if (!r) return explained(r.error(), socket_);
  if (r->status < 200 || r->status > 299) return told_by(*r);
  return std::move(r->body);
}

result<std::string> local_flockd::read(std::string_view target, time_point until) const {
  return body_of(requests_.get(target, until));
}

result<value> local_flockd::get(std::string_view target, time_point until) const {
  const auto body = read(target, until);
  if (!body) return body.error();
  return from_json(*body, {.bytes = control_client::max_body});
}

result<value::list> local_flockd::list(std::string_view target, std::string_view name, time_point until) const {
  auto answer = get(target, until);
  if (!answer) return answer.error();
  return list_in(*std::move(answer), name);
}

result<value> local_flockd::post(std::string_view target, const value& body, time_point until) const {
  const auto answered = body_of(requests_.post(target, to_json(body), until));
  if (!answered) return answered.error();
  return from_json(*answered, {.bytes = control_client::max_body});
}

result<void> local_flockd::follow(std::string_view target, std::string_view after, time_point until,
                                  const follower& next) const {
  const auto ended = body_of(requests_.follow(target, after, until, next));
  if (!ended) return ended.error();
  return {};
}

result<value::list> list_in(value reply, std::string_view name) {
  auto* members = reply.as_map();
  const auto found = members ? members->find(name) : value::map::iterator();
  auto* elements = members && found != members->end() ? found->second.as_list() : nullptr;
  if (!elements) return error{error_code::protocol, "flockd answered without " + std::string(name)};
  return std::move(*elements);
}

std::string target(const std::vector<std::string>& path, const parameters& query) {
  std::string text;
  for (const auto& element : path) text += "/" + percent_encode(element);
  for (const auto& [name, parameter] : query)
    text.append(&name == &query.front().first ? "?" : "&").append(name).append("=").append(percent_encode(parameter));
  return text;
}

}  // namespace flock::ctl
