#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

struct server_sent_event {
  std::string id;    ///< empty if it has none
  std::string type;  ///< empty if it has none
  std::string data;

  friend bool operator==(const server_sent_event&, const server_sent_event&) = default;
};

/// Splits a text/event-stream into its events. Pure.
/// Source: WHATWG HTML, section 9.2.6 "Interpreting an event stream"
class server_sent_events {
 public:
  /// Looks at each byte once, whatever the pieces it arrives in.
  std::vector<server_sent_event> feed(std::string_view bytes);

  /// Bytes of an event that has not ended.
  std::size_t waiting() const;

 private:
  void take_field(std::string_view line);

  std::string line_;  // that has not ended
  server_sent_event next_;
};

}  // namespace flock
