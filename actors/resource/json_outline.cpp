#include "actors/resource/json_outline.hpp"

#include <flock/value.hpp>

#include <algorithm>
#include <utility>

namespace flock {

/// Walks over a document that is known to be well-formed and not too deep.
class json_outline::scanner {
 public:
  scanner(std::string_view text, json_outline& into) : text_(text), into_(into) {}

  void scan_document() {
    if (text_.starts_with("\xef\xbb\xbf")) at_ += 3;  // a byte order mark, which readers allow
    scan_value();
  }

 private:
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() {
    for (; at_ < text_.size() && std::string_view(" \t\r\n").find(next()) != std::string_view::npos; ++at_) {
      if (next() == '\n') ++line_;
    }
  }

  bool skip_if(char expected) {
    skip_space();
    if (next() != expected) return false;
    ++at_;
    return true;
  }

  void scan_value() {
    skip_space();
    if (next() == '{') return scan_object();
    if (next() == '[') return scan_list();
    if (next() == '"') return skip_text();
    at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
  }

  void scan_object() {
    for (++at_; !skip_if('}') && at_ < text_.size(); skip_if(',')) {
      path_.push_back(scan_key());
      into_.lines_.emplace(path_, line_);
      if (path_.size() == 1) into_.keys_.push_back(path_.front());
      skip_if(':');
      scan_value();
      path_.pop_back();
    }
  }

  void scan_list() {
    std::size_t index = 0;
    for (++at_; !skip_if(']') && at_ < text_.size(); skip_if(',')) {
      path_.push_back(std::to_string(index++));
      into_.lines_.emplace(path_, line_);
      scan_value();
      path_.pop_back();
    }
  }

  /// Text has no line breaks of its own.
  void skip_text() {
    for (++at_; at_ < text_.size() && next() != '"'; ++at_) {
      if (next() == '\\') ++at_;
    }
    ++at_;
  }

  std::string scan_key() {
    const auto begin = at_;
    skip_text();
    const auto quoted = text_.substr(begin, at_ - begin);
    const auto unquoted = from_json(quoted);
    const auto* text = unquoted ? unquoted->as_text() : nullptr;
    return text != nullptr ? *text : std::string(quoted);
  }

  std::string_view text_;
  json_outline& into_;
  path path_;
  std::size_t at_ = 0;
  int line_ = 1;
};

json_outline::json_outline(std::string_view text) { scanner(text, *this).scan_document(); }

int json_outline::line_of(std::initializer_list<std::string> wanted) const {
  for (path p = wanted; !p.empty(); p.pop_back()) {
    if (const auto found = lines_.find(p); found != lines_.end()) return found->second;
  }
  return 1;
}

}  // namespace flock
