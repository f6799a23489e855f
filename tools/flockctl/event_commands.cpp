#include "tools/flockctl/command.hpp"

#include <chrono>
#include <utility>

namespace flock::ctl {
namespace {

using namespace std::chrono_literals;

constexpr milliseconds between_attempts = 1s;

// "2026-01-31T23:59:59.123Z  bender0  joined  peer=bender1"
std::string event_line(const value& event) {
  std::string line;
  for (const char* member : {"at", "node", "type"}) line += harmless(cell(event[member])) + "  ";
  for (const auto& [name, member] : *event.as_map()) {
    const bool shown = name == "at" || name == "node" || name == "type" || name == "cursor" || member.is_null();
    if (!shown) line += name + "=" + harmless(cell(member)) + " ";
  }
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

void show(console& out, const server_sent_event& e) {
  const auto event = from_json(e.data);
  if (!event || !event->as_map()) return out.say("an event that cannot be read: " + harmless(e.data));
  if (e.type == "gap") out.say("events before these have been forgotten");
  if (out.json()) return out.line(to_json(*event));
  if (e.type != "gap") out.line(event_line(*event));
}

// From cursor to cursor, over restarts of flockd, until the time is up.
result<exit_code> follow(const invocation& i, std::string cursor) {
  const auto until = i.timeout ? i.time.now() + *i.timeout : time_point::max();
  bool connected = false;
  const auto next = [&](const server_sent_event& e) {
    connected = true;
    if (!e.id.empty()) cursor = e.id;
    show(i.out, e);
    return true;
  };
  for (;;) {
    const auto ended = i.flockd.follow("/v1/events", cursor, until, next);
    if (i.time.now() >= until) return exit_code::ok;
    const auto code = ended ? error_code::protocol : ended.error().code;
    connected = connected || code == error_code::down;
    const bool comes_again = connected && (code == error_code::down || code == error_code::unreachable ||
                                           code == error_code::timeout || code == error_code::shutting_down);
    if (!comes_again) return ended ? error{code, "flockd ended the events"} : ended.error();
    if (code == error_code::down) i.out.say("flockd has gone; waiting for it");
    i.sleep(between_attempts);
  }
}

}  // namespace

result<exit_code> show_events(const invocation& i) {
  auto cursor = i.words.one("since").value_or("");
  if (i.words.has("follow")) return follow(i, std::move(cursor));
  parameters query{{"follow", "false"}};
  if (!cursor.empty()) query.emplace_back("since", std::move(cursor));
  const auto text = i.flockd.read(target({"v1", "events"}, query), i.deadline());
  if (!text) return text.error();
  server_sent_events events;
  for (const auto& e : events.feed(*text)) show(i.out, e);
  return exit_code::ok;
}

}  // namespace flock::ctl
