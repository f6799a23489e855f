#include "node/control/notification_routes.hpp"

#include "node/control/control_exchange.hpp"
#include <flock/value_cast.hpp>

#include <utility>

namespace flock {
namespace {

using wait_for = notification_answers::wait_for;

std::optional<wait_for> wait_for_from(std::string_view name) {
  if (name == "queued") return wait_for::queued;
  if (name == "accepted") return wait_for::accepted;
  if (name == "completed") return wait_for::completed;
  return std::nullopt;
}

// {"notifications":[],"run"}
responder delayed(const control_exchange& x) {
  return [done = x.done, path = x.path](result<value> run) {
    if (!run) return done(control_failure(run.error(), path));
    done({.body = to_json(value::map{{"notifications", value::list()}, {"run", *std::move(run)}}) + "\n"});
  };
}

result<void> notify(control_exchange& x, notification_desk& desk) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto wait = x.parameters.one("wait");
  if (!wait) return wait.error();
  const auto state = wait_for_from(wait->value_or("accepted"));
  if (!state) return bad_request("wait is queued, accepted or completed, not " + wait->value_or(""));
  auto run = x.parameters.one("run");
  if (!run) return run.error();
  auto read = from_json(x.request.body);
  if (!read) return read.error().within("the body");
  auto what = wanted_action::from_value(*read);
  if (!what) return what.error().within("the body");
  if (what->when == timing::delayed) {
    desk.home.post([&desk, what = *std::move(what), run = *std::move(run), until = *until, answer = delayed(x)] {
      const error otherwise{error_code::maybe_done, "the disk has not confirmed yet that it is kept for the run's end"};
      desk.delay(what, run, desk.answers.in_time(until, otherwise, answer));
    });
    return {};
  }
  if (*run) return bad_request("run: only what is delayed waits for the end of a run");
  desk.home.post([&desk, what = *std::move(what), state = *state, until = *until, answer = x.answer()] {
    desk.answers.notify(what, state, until, answer);
  });
  return {};
}

std::string states_of_notifications() {
  std::string all;
  for (auto s = 1; s <= static_cast<int>(last_receipt_state); ++s)
    all.append(all.empty() ? "" : "|").append(to_string(static_cast<receipt_state>(s)));
  return all;
}

result<void> list_notifications(control_exchange& x, notification_desk& desk) {
  auto of = x.node();
  if (!of) return of.error();
  const auto text = x.parameters.one("state");
  if (!text) return text.error();
  const auto state = *text ? receipt_state_from(**text) : std::nullopt;
  if (*text && !state) return bad_request("state is one of " + states_of_notifications() + ", not " + **text);
  desk.home.post([&desk, state, of = *std::move(of), answer = x.answer()] { answer(desk.answers.list(state, of)); });
  return {};
}

result<void> show_notification(control_exchange& x, notification_desk& desk) {
  desk.home.post([&desk, id = x.names[0], answer = x.answer()] { answer(desk.answers.show(id)); });
  return {};
}

// What is done to one notification, by its deadline.
using change = void (notification_answers::*)(const std::string&, time_point, const responder&);

result<void> apply(change how, control_exchange& x, notification_desk& desk) {
  const auto until = x.deadline();
  if (!until) return until.error();
  desk.home.post(
      [&desk, how, id = x.names[0], until = *until, answer = x.answer()] { (desk.answers.*how)(id, until, answer); });
  return {};
}

result<void> cancel_notification(control_exchange& x, notification_desk& desk) {
  return apply(&notification_answers::cancel, x, desk);
}
result<void> retry_notification(control_exchange& x, notification_desk& desk) {
  return apply(&notification_answers::retry, x, desk);
}

result<void> await_notifications(control_exchange& x, notification_desk& desk) {
  const auto until = x.deadline();
  if (!until) return until.error();
  const auto body = x.body();
  if (!body) return body.error();
  auto ids = from_value<std::vector<std::string>>((*body)["ids"]);
  if (!ids) return ids.error().within("the body: ids");
  if (ids->empty()) return bad_request("the body: ids are none");
  desk.home.post(
      [&desk, ids = *std::move(ids), until = *until, answer = x.answer()] { desk.answers.await(ids, until, answer); });
  return {};
}

control_topic<notification_desk> routes() {
  using schema::list, schema::named, schema::object, schema::one_of, schema::text;
  return {
      {{.method = "POST",
        .path = "/v1/notify",
        .id = "notify",
        .summary = "Asks for an action on each node of a location",
        .parameters = {{"wait", one_of({"queued", "accepted", "completed"}, "accepted"),
                        "The state to answer at; at the deadline each target is answered as it stands"},
                       {"run", text(), "The run whose end a delayed one waits for; without it the one under way"},
                       timeout_parameter()},
        .body = {.schema = named("wanted_action")},
        .answer = notifications_answer("One element for each target"),
        .errors = {error_code::not_found, error_code::unreachable, error_code::refused, error_code::conflict}},
       notify},
      {{.method = "GET",
        .path = "/v1/notifications",
        .id = "list_notifications",
        .summary = "Notifications that this node sent or received",
        .parameters = {{"node", text(), "A node id"}, {"state", named("receipt_state")}},
        .answer = notifications_answer("The newest first")},
       list_notifications},
      {{.method = "GET",
        .path = "/v1/notifications/{id}",
        .id = "show_notification",
        .summary = "One notification: its causes, the time of each state, attempts, how its action ended",
        .answer = {.words = "The notification", .schema = named("notification")},
        .errors = {error_code::not_found}},
       show_notification},
      {{.method = "POST",
        .path = "/v1/notifications/{id}/cancel",
        .id = "cancel_notification",
        .summary = "Takes back a notification that was not sent yet",
        .parameters = {timeout_parameter()},
        .answer = {.words = "The notification, cancelled", .schema = named("notification")},
        .errors = {error_code::not_found, error_code::conflict, error_code::io, error_code::maybe_done}},
       cancel_notification},
      {{.method = "POST",
        .path = "/v1/notifications/{id}/retry",
        .id = "retry_notification",
        .summary = "Sends the same as a notification that failed, expired, was cancelled or is unknown once more",
        .parameters = {timeout_parameter()},
        .answer = {.words = "The new one", .schema = named("notification")},
        .errors = {error_code::not_found, error_code::conflict, error_code::io, error_code::maybe_done}},
       retry_notification},
      {{.method = "POST",
        .path = "/v1/await",
        .id = "await_notifications",
        .summary = "Waits until one of these notifications has ended",
        .parameters = {timeout_parameter()},
        .body = {.schema = object({{"ids", list(text())}}, {"ids"})},
        .answer = notifications_answer("Those that have ended; at the deadline none"),
        .errors = {error_code::not_found}},
       await_notifications},
  };
}

}  // namespace

control_answer notifications_answer(std::string_view words) {
  return {.words = words, .schema = schema::list(schema::named("notification")), .member = "notifications"};
}

const control_topic<notification_desk>& notification_routes() {
  static const auto all = routes();
  return all;
}

}  // namespace flock
