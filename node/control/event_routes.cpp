#include "node/control/event_routes.hpp"

#include "node/control/control_exchange.hpp"

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

namespace flock {

std::shared_ptr<void> node_events::follow_events(std::optional<std::string> since,
                                                 std::function<void(result<event_log::page>)> first,
                                                 std::function<void(const event&)> next) {
  auto place = std::make_shared<std::uint64_t>(0);  // of the follower in the log; only touched in the home mailbox
  auto gone = std::make_shared<std::atomic<bool>>(false);
  core_.home().post(
      [&core = core_, since = std::move(since), first = std::move(first), next = std::move(next), place, gone] {
        if (*gone) return;
        first(core.events().since(since ? std::optional<std::string_view>(*since) : std::nullopt));
        *place = core.events().follow([next, gone](const event& e) {
          if (!*gone) next(e);
        });
      });
  auto forget = [&core = core_, place, gone](void*) {
    *gone = true;
    core.home().post([&core, place] { core.events().unfollow(*place); });
  };
  return {static_cast<void*>(place.get()), forget};
}

namespace {

control_response first_events(const event_log::page& page) {
  control_response response{.content_type = "text/event-stream"};
  if (page.gap) response.body = "event: gap\ndata: {\"type\":\"gap\"}\n\n";
  for (const auto& e : page.events) response.body += to_server_sent_event(e);
  return response;
}

result<void> show_events(control_exchange& x, event_source& source) {
  const auto follow = x.flag("follow", true);
  if (!follow) return follow.error();
  auto since = x.parameters.one("since");
  if (!since) return since.error();
  // A client that comes again sends both, and the target of its first request.
  if (!x.request.last_event_id.empty()) *since = x.request.last_event_id;

  auto stream = std::make_shared<event_stream>();
  // Taken out when it is called: the stream owns the source's handle, which may own this function.
  auto first = [stream, follow = *follow, done = x.done, path = x.path](const result<event_log::page>& page) mutable {
    auto events = std::exchange(stream, nullptr);
    if (!page) return done(control_failure(page.error(), path));
    auto response = first_events(*page);
    if (follow) response.events = std::move(events);
    done(std::move(response));
  };
  auto next = [followed = std::weak_ptr(stream)](const event& e) {
    if (const auto still = followed.lock()) still->push(e);
  };
  stream->keep(source.follow_events(*std::move(since), std::move(first), std::move(next)));
  return {};
}

}  // namespace

const control_topic<event_source>& event_routes() {
  using schema::flag, schema::named, schema::text;
  static const control_topic<event_source> all = {
      {{.method = "GET",
        .path = "/v1/events",
        .id = "show_events",
        .summary = "What happened on or to this node, as server-sent events",
        .parameters = {{"since", text(), "The events after this cursor; without it all that are kept"},
                       {"follow", flag(true), "Whether later events follow, until the connection ends"},
                       {"Last-Event-ID", text(), "As since, and goes before it", "header"}},
        .answer = {.words = "One message for each event: its id is the cursor, its data an event. A message of the "
                            "type gap comes first if events after the cursor have been forgotten.",
                   .schema = named("event"),
                   .type = "text/event-stream"}},
       show_events},
  };
  return all;
}

}  // namespace flock
