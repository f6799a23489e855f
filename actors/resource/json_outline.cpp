#include "actors/resource/json_outline.hpp"

#include <flock/value.hpp>

#include <algorithm>
#include <utility>

namespace flock {

/// Walks over a document that is known to be well-formed and not too deep, or stops where it is not.
class json_outline::scanner {
 public:
  scanner(std::string_view text, json_outline& into) : text_(text), into_(into) {}

  void scan_document() {
    if (text_.starts_with("\xef\xbb\xbf")) at_ += 3;  // a byte order mark, which readers allow
    scan_value(0);
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

  /// \param of  the number of the part that is this value
  void scan_value(std::size_t of) {
    skip_space();
    if (next() == '{') return scan_nested(of, &scanner::scan_object);
    if (next() == '[') return scan_nested(of, &scanner::scan_list);
    if (next() == '"') return skip_text();
    const auto end = text_.find_first_of(",]} \t\r\n", at_);
    at_ = end == at_ ? text_.size() : std::min(end, text_.size());  // nothing stands here: it is no JSON
  }

  void scan_nested(std::size_t of, void (scanner::*scan)(std::size_t)) {
    if (depth_ == value_limits{}.depth) {
      at_ = text_.size();
      return;
    }
    ++depth_;
    (this->*scan)(of);
    --depth_;
  }

  void scan_object(std::size_t of) {
    for (++at_; !skip_if('}') && at_ < text_.size(); skip_if(',')) {
      auto key = scan_key();
      if (of == 0) into_.keys_.push_back(key);
      const auto member = add(of, std::move(key));
      skip_if(':');
      scan_value(member);
    }
  }

  void scan_list(std::size_t of) {
    std::size_t index = 0;
    for (++at_; !skip_if(']') && at_ < text_.size(); skip_if(',')) scan_value(add(of, std::to_string(index++)));
  }

  /// \returns its number
  std::size_t add(std::size_t around, std::string key) {
    const part is{into_.parts_.size() + 1, line_};
    return into_.parts_.try_emplace({around, std::move(key)}, is).first->second.number;
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
  std::size_t at_ = 0;
  int line_ = 1;
  int depth_ = 0;
};

json_outline::json_outline(std::string_view text) { scanner(text, *this).scan_document(); }

int json_outline::line_of(std::initializer_list<std::string> path) const {
  part nearest{0, 1};
  for (const auto& key : path) {
    const auto found = parts_.find({nearest.number, key});
    if (found == parts_.end()) break;
    nearest = found->second;
  }
  return nearest.line;
}

}  // namespace flock
