#include "node/control/chef_routes.hpp"

#include "node/control/control_exchange.hpp"

#include <utility>

namespace flock {
namespace {

std::string run_message(const value& told) { return "data: " + to_json(told) + "\n\n"; }

// The reply goes on for as long as the run does: it tells of the notifications for it.
result<void> begin_run(control_exchange& x, chef& c) {
  auto about = x.body();
  if (!about) return about.error();
  auto stream = std::make_shared<event_stream>();
  // Taken out when it is called, as for events.
  auto first = [stream, done = x.done, path = x.path](const result<value>& begun) mutable {
    auto notifications = std::exchange(stream, nullptr);
    if (!begun) return done(control_failure(begun.error(), path));
    done({.content_type = "text/event-stream", .body = run_message(*begun), .events = std::move(notifications)});
  };
  auto next = [followed = std::weak_ptr(stream)](const value& told) {
    if (const auto still = followed.lock()) still->push(run_message(told));
  };
  stream->keep(c.begin(*std::move(about), std::move(first), std::move(next)));
  return {};
}

result<void> tell_run(chef::run_word word, control_exchange& x, chef& c) {
  auto body = x.body();
  if (!body) return body.error();
  c.tell(x.names[0], word, *std::move(body), x.answer());
  return {};
}

using run_word = chef::run_word;

result<void> declare(control_exchange& x, chef& c) { return tell_run(run_word::resources, x, c); }
result<void> tell_updated(control_exchange& x, chef& c) { return tell_run(run_word::updated, x, c); }
result<void> notify(control_exchange& x, chef& c) { return tell_run(run_word::notify, x, c); }
result<void> tell_performed(control_exchange& x, chef& c) { return tell_run(run_word::performed, x, c); }
result<void> end_run(control_exchange& x, chef& c) { return tell_run(run_word::end, x, c); }

control_topic<chef> routes() {
  using schema::flag, schema::integer, schema::list, schema::named, schema::object, schema::one_of, schema::said,
      schema::text;
  const auto nothing = control_answer{.words = "Taken", .schema = object()};
  const auto because = said(integer(), "Of the notification because of which it happened");
  const std::vector<error_code> errors = {error_code::not_found};
  return {
      {{.method = "POST",
        .path = "/v1/runs",
        .id = "begin_run",
        .summary = "Begins a Chef run, which lasts as long as the connection; docs/chef.md",
        .body = {.schema = object({{"why_run", flag(false)},
                                   {"pid", integer()},
                                   {"environment", text()},
                                   {"roles", list(text())},
                                   {"recipes", list(text())},
                                   {"tags", list(text())},
                                   {"attributes", object()}})},
        .answer = {.words = "One message for the run, and one for each notification for it",
                   .schema = object({{"run", said(text(), "In the first message: the id")},
                                     {"notification", integer()},
                                     {"id", text()},
                                     {"resource", text("execute[kill all humans]")},
                                     {"action", text("run")},
                                     {"causes", list(object())}}),
                   .type = "text/event-stream"},
        .errors = {error_code::conflict}},
       begin_run},
      {{.method = "POST",
        .path = "/v1/runs/{run}/resources",
        .id = "declare_in_run",
        .summary = "What the Chef run declares; from then on it takes notifications",
        .body = {.schema = object({{"resources", list(object({{"resource", text()}, {"actions", list(text())}}))},
                                   {"subscribes", list(object({{"watched", text()},
                                                               {"publishers", object()},
                                                               {"resource", text()},
                                                               {"action", text()},
                                                               {"timing", text()}}))},
                                   {"add", said(flag(false), "Beside what was declared before, not in its place")}},
                                  {"resources"})},
        .answer = {.words = "Taken; a why-run declares nothing",
                   .schema =
                       object({{"durable", said(flag(), "Whether a restart keeps it: not while the disk is full")}})},
        .errors = {error_code::not_found, error_code::refused}},
       declare},
      {{.method = "POST",
        .path = "/v1/runs/{run}/updated",
        .id = "tell_updated_in_run",
        .summary = "A resource of the Chef run came to something; an update fires subscriptions",
        .body = {.schema = object({{"resources", said(list(text()), "All names of the one resource")},
                                   {"action", text()},
                                   {"outcome", one_of({"updated", "failed"})},
                                   {"error", text()},
                                   {"notification", because}},
                                  {"resources", "action", "outcome"})},
        .answer = nothing,
        .errors = errors},
       tell_updated},
      {{.method = "POST",
        .path = "/v1/runs/{run}/notify",
        .id = "notify_in_run",
        .summary = "What a resource of the Chef run notifies; the rest is as in /v1/notify",
        .body = {.schema = object({{"action", text()},
                                   {"resource", text()},
                                   {"node", named("texts")},
                                   {"roles", named("texts")},
                                   {"recipes", named("texts")},
                                   {"environment", text()},
                                   {"query", text()},
                                   {"any", flag()},
                                   {"by", object({{"resource", text()}, {"action", text()}})},
                                   {"notification", because}},
                                  {"action", "resource"})},
        .answer = {.words = "One element for each target",
                   .schema = object({{"notifications", list(named("notification"))}})},
        .errors = {error_code::not_found, error_code::unreachable, error_code::refused}},
       notify},
      {{.method = "POST",
        .path = "/v1/runs/{run}/performed",
        .id = "tell_performed_in_run",
        .summary = "A notification for the Chef run was performed",
        .body = {.schema = object({{"notification", integer()},
                                   {"outcome", one_of({"updated", "up_to_date", "skipped", "failed"})},
                                   {"error", text()}},
                                  {"notification", "outcome"})},
        .answer = nothing,
        .errors = errors},
       tell_performed},
      {{.method = "POST",
        .path = "/v1/runs/{run}/end",
        .id = "end_run",
        .summary = "The Chef run ends",
        .body = {.schema = object({{"success", flag()}, {"error", text()}}, {"success"})},
        .answer = nothing,
        .errors = errors},
       end_run},
  };
}

}  // namespace

const control_topic<chef>& chef_routes() {
  static const auto all = routes();
  return all;
}

}  // namespace flock
