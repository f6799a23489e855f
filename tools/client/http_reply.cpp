#include "tools/client/http_reply.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

namespace flock {
namespace {

// Longer than any header that flockd sends.
constexpr std::size_t max_line = 16 * 1024;

error broken(std::string what) { return {error_code::protocol, "no HTTP/1.1 reply: " + std::move(what)}; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

template <class Number> bool read_whole(std::string_view text, Number& number, int base) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return failed == std::errc() && end == text.data() + text.size();
}

}  // namespace

result<void> http_reply::feed(std::string_view bytes, std::string& body) {
  pending_ += bytes;
  while (!complete()) {
    const auto advanced = advance(body);
    if (!advanced) return advanced.error();
    if (!*advanced) break;
  }
  return {};
}

result<void> http_reply::end() {
  if (at_ == part::rest) at_ = part::nothing;
  if (!complete()) return broken("the connection ended in the middle of it");
  return {};
}

// \returns false if it takes more bytes to go on
result<bool> http_reply::advance(std::string& body) {
  if (at_ == part::body || at_ == part::chunk || at_ == part::rest) return take_body(body);
  const auto end = pending_.find("\r\n");
  if (end == std::string::npos) {
    if (pending_.size() > max_line) return broken("a line of more than " + std::to_string(max_line) + " bytes");
    return false;
  }
  const std::string line = pending_.substr(0, end);
  pending_.erase(0, end + 2);
  return take_line(line);
}

bool http_reply::take_body(std::string& body) {
  if (at_ == part::rest) {
    body += std::exchange(pending_, {});
    return false;
  }
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, pending_.size()));
  body.append(pending_, 0, size);
  pending_.erase(0, size);
  left_ -= size;
  if (left_ > 0) return false;
  at_ = at_ == part::chunk ? part::chunk_end : part::nothing;
  return true;
}

result<bool> http_reply::take_line(std::string_view line) {
  switch (at_) {
    case part::status:
      return take_status(line);
    case part::headers:
      return take_header(line);
    case part::chunk_size:
      return take_chunk_size(line);
    case part::chunk_end:
      if (!line.empty()) return broken("a chunk is longer than it says");
      at_ = part::chunk_size;
      return true;
    default:  // trailers
      if (line.empty()) at_ = part::nothing;
      return true;
  }
}

result<bool> http_reply::take_status(std::string_view line) {
  if (line.substr(0, 7) != "HTTP/1." || line.size() < 12 || !read_whole(line.substr(9, 3), status_, 10)) {
    status_ = 0;
    return broken("it begins with \"" + std::string(line.substr(0, 80)) + "\"");
  }
  at_ = part::headers;
  return true;
}

result<bool> http_reply::take_header(std::string_view line) {
  if (line.empty()) {
    at_ = after_headers_;
    return true;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return broken("a header without a colon");
  const auto name = line.substr(0, colon);
  const auto text = trimmed(line.substr(colon + 1));
  if (equal_ignoring_case(name, "Transfer-Encoding")) {
    if (!equal_ignoring_case(text, "chunked")) return broken("Transfer-Encoding: " + std::string(text));
    after_headers_ = part::chunk_size;
  } else if (equal_ignoring_case(name, "Content-Length")) {
    if (!read_whole(text, left_, 10)) return broken("Content-Length: " + std::string(text));
    after_headers_ = part::body;
  }
  return true;
}

result<bool> http_reply::take_chunk_size(std::string_view line) {
  const auto digits = trimmed(line.substr(0, line.find(';')));
  if (!read_whole(digits, left_, 16)) return broken("a chunk of size \"" + std::string(digits) + "\"");
  at_ = left_ == 0 ? part::trailers : part::chunk;
  return true;
}

std::vector<server_sent_event> server_sent_events::feed(std::string_view bytes) {
  std::vector<server_sent_event> events;
  pending_ += bytes;
  std::size_t from = 0;
  for (std::size_t end; (end = pending_.find('\n', from)) != std::string::npos; from = end + 1) {
    std::string_view line(pending_.data() + from, end - from);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty()) {
      take_field(line);
      continue;
    }
    if (!next_.data.empty()) events.push_back(std::move(next_));
    next_ = {};
  }
  pending_.erase(0, from);
  return events;
}

void server_sent_events::take_field(std::string_view line) {
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  auto text = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  if (name == "id") {
    next_.id = text;
  } else if (name == "event") {
    next_.type = text;
  } else if (name == "data") {
    if (!next_.data.empty()) next_.data += '\n';
    next_.data += text;
  }
}

}  // namespace flock
