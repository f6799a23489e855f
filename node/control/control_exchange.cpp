#include "node/control/control_exchange.hpp"

#include <algorithm>
#include <utility>

namespace flock {

error bad_request(std::string what) { return {error_code::bad_argument, std::move(what)}; }

result<time_point> control_exchange::deadline() const {
  const auto text = parameters.one("timeout");
  if (!text) return text.error();
  if (!*text) return now.now() + control_limits::default_timeout;
  const auto timeout = parse_duration(**text);
  if (!timeout) return timeout.error().within("timeout");
  if (*timeout > control_limits::longest_timeout) return bad_request("timeout: longer than 1h: " + **text);
  return now.now() + *timeout;
}

result<std::optional<node_id>> control_exchange::node() const {
  const auto text = parameters.one("node");
  if (!text) return text.error();
  if (!*text) return std::optional<node_id>();
  const auto id = node_id::parse(**text);
  if (!id) return id.error().within("node");
  return std::optional(*id);
}

result<bool> control_exchange::flag(std::string_view name, bool otherwise) const {
  const auto text = parameters.one(name);
  if (!text) return text.error();
  if (!*text) return otherwise;
  if (**text != "true" && **text != "false") return bad_request(std::string(name) + " is true or false, not " + **text);
  return **text == "true";
}

result<std::optional<location>> control_exchange::where() const {
  value::map members;
  for (const char* name : {"node", "role", "recipe"})
    if (auto texts = parameters.all(name); !texts.empty()) members[name] = std::move(texts);
  for (const char* name : {"environment", "query"}) {
    auto text = parameters.one(name);
    if (!text) return text.error();
    if (*text) members[name] = **std::move(text);
  }
  const auto any = flag("any", false);
  if (!any) return any.error();
  if (*any) members["any"] = true;
  if (members.empty()) return std::optional<location>();
  auto read = location::from_value(members);
  if (!read) return read.error();
  return std::optional(*std::move(read));
}

result<value> control_exchange::body() const {
  auto read = from_json(request.body);
  if (!read) return read.error().within("the body");
  if (!read->as_map()) return bad_request("the body is no object");
  const auto* known = operation.body.schema["properties"].as_map();
  for (const auto& [name, member] : *read->as_map())
    if (!known || !known->contains(name)) return bad_request("the body: unknown member: " + name);
  return read;
}

responder control_exchange::answer() const {
  return [done = done, path = path, member = operation.answer.member](result<value> answered) {
    if (!answered) return done(control_failure(answered.error(), path));
    const auto shown = member.empty() ? *std::move(answered) : value(value::map{{member, *std::move(answered)}});
    done({.body = to_json(shown) + "\n"});
  };
}

result<std::string> text_member(const value& object, std::string_view name) {
  const auto* text = object[name].as_text();
  if (!text)
    return bad_request("the body: " + std::string(name) + (object[name].is_null() ? " is missing" : " is no text"));
  return *text;
}

}  // namespace flock
