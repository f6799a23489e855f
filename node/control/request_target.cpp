#include "node/control/request_target.hpp"

#include <flock/name.hpp>

#include <algorithm>

namespace flock {
namespace {

result<std::string> decode_parameter(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  auto decoded = percent_decode(spaced);
  if (!decoded) return decoded.error().within("the query");
  return decoded;
}

}  // namespace

result<std::vector<std::string>> split_path(std::string_view path) {
  std::vector<std::string> elements;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    auto element = percent_decode(path.substr(0, path.find('/')));
    if (!element) return element.error().within("the path");
    elements.push_back(*std::move(element));
    path.remove_prefix(std::min(path.find('/'), path.size()));
  }
  return elements;
}

result<query_parameters> query_parameters::parse(std::string_view query) {
  query_parameters all;
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = decode_parameter(pair.substr(0, equals));
    if (!name) return name.error();
    auto text = decode_parameter(pair.substr(std::min(equals + 1, pair.size())));
    if (!text) return text.error();
    all.pairs_.emplace_back(*std::move(name), *std::move(text));
  }
  return all;
}

result<void> query_parameters::only(const std::vector<std::string_view>& known) const {
  for (const auto& [name, text] : pairs_)
    if (std::find(known.begin(), known.end(), name) == known.end())
      return error{error_code::bad_argument, "unknown parameter: " + name};
  return {};
}

value::list query_parameters::all(std::string_view name) const {
  value::list texts;
  for (const auto& [other, text] : pairs_)
    if (other == name) texts.emplace_back(text);
  return texts;
}

result<std::optional<std::string>> query_parameters::one(std::string_view name) const {
  const auto texts = all(name);
  if (texts.size() > 1) return error{error_code::bad_argument, "given more than once: " + std::string(name)};
  if (texts.empty()) return std::optional<std::string>();
  return std::optional(*texts.front().as_text());
}

}  // namespace flock
