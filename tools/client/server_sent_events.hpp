#pragma once

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
  std::vector<server_sent_event> feed(std::string_view bytes);

 private:
  void take_field(std::string_view line);

  std::string pending_;
  server_sent_event next_;
};

}  // namespace flock
