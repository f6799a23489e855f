#include "tools/client/server_sent_events.hpp"

#include <utility>

namespace flock {

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
