#include "actors/resource/declared_members.hpp"

#include "actors/resource/listed.hpp"

#include <charconv>
#include <cmath>

namespace flock {
namespace {

// A mode as a number beyond this one was meant to be octal: 644 is 01204.
constexpr std::int64_t largest_plain_mode = 0777;

error bad_mode(const std::string& text) {
  return {error_code::bad_argument, text + R"( is no mode of a file: write octal text, like "0644")"};
}

}  // namespace

std::vector<declared_members::fault> declared_members::finish() {
  const auto* all = members_.as_map();
  if (all == nullptr) return std::move(faults_);
  for (const auto& [name, ignored] : *all) {
    if (!known_.contains(name)) complain(name, "unknown member; there are " + listed(known_));
  }
  return std::move(faults_);
}

result<milliseconds> duration_from(const value& v) {
  // As far as parse_duration goes.
  constexpr double ten_years = 10 * 365.0 * 24 * 3600;
  milliseconds read{0};
  if (const auto* text = v.as_text()) {
    auto parsed = parse_duration(*text);
    if (!parsed) return parsed.error();
    read = *parsed;
  } else {
    auto seconds = from_value<double>(v);
    if (!seconds) return wrong_kind("a duration, as text with a unit or as a number of seconds", v);
    if (!(*seconds >= 0 && *seconds <= ten_years))
      return error{error_code::bad_argument, to_json(v) + " s is no duration"};
    read = milliseconds(std::llround(*seconds * 1000));
  }
  if (read <= milliseconds(0)) return error{error_code::bad_argument, "must be more than 0"};
  return read;
}

result<unsigned> mode_from(const value& v) {
  if (const auto* number = v.as_int()) {
    if (*number < 0 || *number > largest_plain_mode) return bad_mode(std::to_string(*number));
    return static_cast<unsigned>(*number);
  }
  const auto* text = v.as_text();
  if (text == nullptr) return wrong_kind("the mode of a file", v);
  unsigned mode = 0;
  const char* end = text->data() + text->size();
  const auto [stopped, failed] = std::from_chars(text->data(), end, mode, 8);
  if (failed != std::errc() || stopped != end || mode > 07777) return bad_mode("\"" + *text + "\"");
  return mode;
}

result<std::vector<std::string>> texts_from(const value& v) {
  if (const auto* one = v.as_text()) return std::vector{*one};
  auto all = from_value<std::vector<std::string>>(v);
  if (!v.as_list()) return wrong_kind("text, or a list of texts", v);
  return all;
}

result<std::string> absolute_path_from(const value& v) {
  auto path = from_value<std::string>(v);
  if (!path) return path.error();
  if (!path->starts_with('/') || path->find('\0') != std::string::npos) {
    return error{error_code::bad_argument, to_json(v) + " is no absolute path"};
  }
  return path;
}

}  // namespace flock
