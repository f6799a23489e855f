#include "tools/client/server_sent_events.hpp"

#include <utility>

namespace flock {

std::vector<server_sent_event> server_sent_events::feed(std::string_view bytes) {
  std::vector<server_sent_event> events;
  for (std::size_t end; (end = bytes.find('\n')) != std::string_view::npos; bytes.remove_prefix(end + 1)) {
    line_ += bytes.substr(0, end);
    if (line_.ends_with('\r')) line_.pop_back();
    if (!line_.empty()) {
      take_field(line_);
    } else {
      if (!next_.data.empty()) events.push_back(std::move(next_));
      next_ = {};
    }
    line_.clear();
  }
  line_ += bytes;
  return events;
}

std::size_t server_sent_events::waiting() const {
  return line_.size() + next_.id.size() + next_.type.size() + next_.data.size();
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
