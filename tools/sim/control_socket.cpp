#include "tools/sim/control_socket.hpp"

#include <utility>

namespace flock::simulator {

namespace {

/// The values of server-sent events: lines "data: JSON", and empty ones.
std::vector<value> data_of(std::string_view text) {
  constexpr std::string_view field = "data: ";
  std::vector<value> all;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with(field)) all.push_back(*from_json(line.substr(field.size())));
  }
  return all;
}

control_socket::reply reply_of(control_response r) {
  if (r.content_type == "text/event-stream") return {r.status, data_of(r.body).front(), std::move(r.events)};
  return {r.status, from_json(r.body).value_or(value()), nullptr};
}

}  // namespace

std::string control_socket::reply::error() const { return to_json(body["error"]["message"]); }

control_socket::control_socket(const clock& time, daemon& of) : api_(time) { of.answer_on(api_); }

void control_socket::post(std::string path, const value& body, told then) const {
  const control_request request{
      .method = "POST", .target = std::move(path), .body = body.is_null() ? std::string() : to_json(body)};
  api_.handle(request, [then = std::move(then)](control_response r) { then(reply_of(std::move(r))); });
}

std::vector<value> control_socket::messages(event_stream& from) {
  const auto text = from.take();
  return text ? data_of(*text) : std::vector<value>();
}

}  // namespace flock::simulator
