#include "node/control/control_api.hpp"

#include "node/control/control_openapi.hpp"
#include "tests/support/fake_control_backend.hpp"
#include "tools/sim/manual_clock.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using flock::control_request;
using flock::control_response;
using flock::error_code;
using flock::value;

namespace {

struct fixture {
  flock::testing::fake_control_backend backend;
  flock::testing::manual_clock clock;

  control_response ask(const control_request& request) {
    std::vector<control_response> all;
    flock::handle(request, backend, clock, [&](control_response r) { all.push_back(std::move(r)); });
    REQUIRE(all.size() == 1);
    return std::move(all.front());
  }
  control_response get(const std::string& target) { return ask({.method = "GET", .target = target}); }
  control_response post(const std::string& target, const std::string& body = {}) {
    return ask({.method = "POST", .target = target, .body = body});
  }

  // What the backend was asked for, if that was answered well.
  std::string asked_by(const control_response& response) {
    CHECK(response.status == 200);
    return backend.asked();
  }
};

value json(const control_response& response) { return flock::from_json(response.body).value_or(nullptr); }

std::string failure(const control_response& response) {
  const auto body = json(response);
  const auto* code = body.at_path("error.code").as_text();
  const auto* message = body.at_path("error.message").as_text();
  if (!code || !message) return "no failure: " + response.body;
  return std::to_string(response.status) + " " + *code + ": " + *message;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE_FIXTURE(fixture, "each path asks the backend for what it says") {
  CHECK(asked_by(get("/v1/status")) == "status");
  CHECK(asked_by(get("/v1/nodes")) == "nodes all");
  CHECK(asked_by(get("/v1/nodes/bender1")) == "node bender1");
  CHECK(asked_by(get("/v1/ping/bender1")) == "ping bender1");
  CHECK(asked_by(get("/v1/actors")) == "actors here");
  CHECK(asked_by(get("/v1/actors?node=bender1")) == "actors bender1");
  CHECK(asked_by(get("/v1/resources")) == "resources here");
  CHECK(asked_by(get("/v1/resources?node=bender1")) == "resources bender1");
  CHECK(asked_by(get("/v1/subscriptions")) == "subscriptions here");
  CHECK(asked_by(get("/v1/subscriptions?node=bender1")) == "subscriptions bender1");
  CHECK(asked_by(get("/v1/notifications")) == "notifications any here");
  CHECK(asked_by(get("/v1/notifications?state=failed&node=bender1")) == "notifications failed bender1");
  CHECK(asked_by(get("/v1/notifications/bender0.1f.7")) == "notification bender0.1f.7");
  CHECK(asked_by(post("/v1/call/bender1/itchy/fight", "[1, \"x\"]")) == "call bender1/itchy fight [1,\"x\"]");
  CHECK(asked_by(post("/v1/call/bender1/itchy/fight")) == "call bender1/itchy fight []");
  CHECK(asked_by(post("/v1/updated", R"({"resource":"file[/tmp/x]","action":"create"})")) ==
        "updated file[/tmp/x] create");
  CHECK(asked_by(post("/v1/converge")) == "converge");
  CHECK(asked_by(post("/v1/converge", R"({"why_run":true})")) == "why-run");
  CHECK(asked_by(post("/v1/converge", R"({"why_run":false})")) == "converge");
  CHECK(asked_by(post("/v1/reload")) == "reload");
  CHECK(asked_by(post("/v1/notifications/bender0.1f.7/cancel")) == "cancel bender0.1f.7");
  CHECK(asked_by(post("/v1/notifications/bender0.1f.7/retry?timeout=1s")) == "retry bender0.1f.7");
  CHECK(backend.until() == clock.now() + 1s);
  CHECK(asked_by(post("/v1/await?timeout=1m", R"({"ids":["a","b"]})")) == R"(await ["a","b"])");
  CHECK(backend.until() == clock.now() + 1min);
}

TEST_CASE_FIXTURE(fixture, "a Chef run is told of what comes for it, until its stream ends") {
  backend.reply = value(value::map{{"run", "life.chef1"}});
  auto response = post("/v1/runs", R"({"why_run":false,"roles":["web"]})");
  CHECK(backend.asked() == R"(begin_run {"roles":["web"],"why_run":false})");
  CHECK(response.content_type == "text/event-stream");
  CHECK(response.body == "data: {\"run\":\"life.chef1\"}\n\n");

  backend.tell(value::map{{"notification", 7}});
  CHECK(response.events->take() == "data: {\"notification\":7}\n\n");
  CHECK(backend.runs_ended() == 0);

  response.events.reset();
  CHECK(backend.runs_ended() == 1);
}

TEST_CASE_FIXTURE(fixture, "a Chef run that may not begin is answered at once, and is none") {
  backend.reply = flock::error{error_code::conflict, "a Chef run is under way"};

  CHECK(failure(post("/v1/runs", "{}")) == "409 conflict: a Chef run is under way");
  CHECK(backend.runs_ended() == 1);
}

TEST_CASE_FIXTURE(fixture, "what a Chef run says is passed on with the run's id") {
  CHECK(asked_by(post("/v1/runs/a.chef1/resources", R"({"resources":[]})")) ==
        R"(tell_run a.chef1 0 {"resources":[]})");
  CHECK(asked_by(post("/v1/runs/a.chef1/updated", R"({"action":"run"})")) == R"(tell_run a.chef1 1 {"action":"run"})");
  CHECK(asked_by(post("/v1/runs/a.chef1/notify", R"({"action":"run"})")) == R"(tell_run a.chef1 2 {"action":"run"})");
  CHECK(asked_by(post("/v1/runs/a.chef1/performed", R"({"notification":7})")) ==
        R"(tell_run a.chef1 3 {"notification":7})");
  CHECK(asked_by(post("/v1/runs/a.chef1/end", R"({"success":true})")) == R"(tell_run a.chef1 4 {"success":true})");

  CHECK(failure(post("/v1/runs/a.chef1/end", R"({"sucess":true})")) ==
        "400 bad_argument: the body: unknown member: sucess");
}

TEST_CASE_FIXTURE(fixture, "names in a path are percent-encoded") {
  CHECK(asked_by(post("/v1/call/bender1/file%5B%2Ftmp%2Ffubar%5D/create")) ==
        "call bender1/file[/tmp/fubar] create []");
  CHECK(asked_by(post("/v1/call/bender1/log[100%25%20k%C3%B6ln]/write")) == "call bender1/log[100% köln] write []");
  CHECK(asked_by(get("/v1/nodes/bender1%2Eexample")) == "node bender1.example");

  CHECK(has(failure(get("/v1/nodes/bender%")), "400 bad_argument: the path"));
  CHECK(has(failure(get("/v1/nodes/bender%zz")), "400 bad_argument: the path"));
  CHECK(has(failure(get("/v1/nodes/two%20words")), "400 bad_argument"));
  CHECK(has(failure(post("/v1/call/bender1/%07/fight")), "400 bad_argument"));
}

TEST_CASE_FIXTURE(fixture, "a location is made of parameters") {
  CHECK(asked_by(get("/v1/nodes?node=a&node=b")) == R"(nodes {"node":["a","b"]})");
  CHECK(asked_by(get("/v1/nodes?role=web&role=db&environment=production")) ==
        R"(nodes {"environment":"production","roles":["web","db"]})");
  CHECK(asked_by(get("/v1/nodes?query=role%3Aweb+AND+tags:new&any=true")) ==
        R"(nodes {"any":true,"query":"role:web AND tags:new"})");

  CHECK(has(failure(get("/v1/nodes?any=true")), "400 bad_argument"));
  CHECK(has(failure(get("/v1/nodes?any=maybe")), "any is true or false, not maybe"));
  CHECK(has(failure(get("/v1/nodes?environment=a&environment=b")), "given more than once: environment"));
  CHECK(has(failure(get("/v1/nodes?node=two+words")), "400 bad_argument"));
}

TEST_CASE_FIXTURE(fixture, "parameters that a path does not know, or twice, are refused by name") {
  CHECK(failure(get("/v1/status?verbose=1")) == "400 bad_argument: unknown parameter: verbose");
  CHECK(failure(get("/v1/nodes?colour=red")) == "400 bad_argument: unknown parameter: colour");
  CHECK(has(failure(get("/v1/actors?node=a&node=b")), "given more than once: node"));
  CHECK(has(failure(get("/v1/actors?node=a%b")), "the query"));
  CHECK(has(failure(get("/v1/notifications?state=lost")), "state is one of queued|accepted|"));
}

TEST_CASE_FIXTURE(fixture, "a question has five seconds, or up to an hour if it says so") {
  get("/v1/ping/bender1");
  CHECK(backend.until() == clock.now() + 5s);

  get("/v1/ping/bender1?timeout=250ms");
  CHECK(backend.until() == clock.now() + 250ms);

  get("/v1/ping/bender1?timeout=1h");
  CHECK(backend.until() == clock.now() + 1h);

  CHECK(has(failure(get("/v1/ping/bender1?timeout=61m")), "longer than 1h: 61m"));
  CHECK(has(failure(get("/v1/ping/bender1?timeout=5")), "400 bad_argument: timeout"));
}

TEST_CASE_FIXTURE(fixture, "an action is asked for with the members of remote_notifies") {
  const std::string body = R"({"resource":"execute[kill all humans]","action":"run","node":"bender1"})";

  const auto accepted = asked_by(post("/v1/notify", body));

  CHECK(has(accepted, "notify {"));
  CHECK(has(accepted, R"("resource":"execute[kill all humans]")"));
  CHECK(has(asked_by(post("/v1/notify?wait=completed", body)), "notify and wait {"));
  CHECK(has(asked_by(post("/v1/notify?wait=queued", body)), "notify and go {"));
  CHECK(has(failure(post("/v1/notify?wait=finished", body)), "wait is queued, accepted or completed, not finished"));
  CHECK(has(failure(post("/v1/notify", R"({"resource":"a[b]","action":"run","node":"x","colour":"red"})")), "colour"));
  CHECK(has(failure(post("/v1/notify", R"({"action":"run","node":"x"})")), "resource"));
  CHECK(has(failure(post("/v1/notify", "{")), "400 bad_argument: the body"));
}

TEST_CASE_FIXTURE(fixture, "what is delayed waits for the end of a run, of the one that is named or of any") {
  const std::string body =
      R"({"resource":"execute[x]","action":"run","node":"bender1","timing":"delayed","on":"failure"})";

  CHECK(has(asked_by(post("/v1/notify?run=life.1", body)), "at the end of life.1 notify {"));
  CHECK(has(asked_by(post("/v1/notify", body)), "at the end of the run notify {"));
  CHECK(has(backend.asked(), R"("on":"failure")"));
  backend.reply = value(value::map{{"run", "life.1"}});
  CHECK(post("/v1/notify", body).body == "{\"run\":\"life.1\"}\n");
  CHECK(has(failure(post("/v1/notify?run=life.1", R"({"resource":"execute[x]","action":"run","node":"bender1"})")),
            "400 bad_argument: run: only what is delayed waits for the end of a run"));
}

TEST_CASE_FIXTURE(fixture, "bodies of the wrong shape are refused with what is wrong") {
  CHECK(failure(post("/v1/updated", R"({"resource":"file[x]","action":"create","mode":1})")) ==
        "400 bad_argument: the body: unknown member: mode");
  CHECK(failure(post("/v1/updated", R"({"action":"create"})")) == "400 bad_argument: the body: resource is missing");
  CHECK(failure(post("/v1/updated", R"({"resource":1,"action":"create"})")) ==
        "400 bad_argument: the body: resource is no text");
  CHECK(has(failure(post("/v1/updated", R"({"resource":"fubar","action":"create"})")), "fubar"));
  CHECK(failure(post("/v1/updated", "[]")) == "400 bad_argument: the body is no object");
  CHECK(has(failure(post("/v1/updated")), "400 bad_argument: the body"));
  CHECK(failure(post("/v1/converge", R"({"why_run":1})")) == "400 bad_argument: the body: why_run is true or false");
  CHECK(failure(post("/v1/converge", R"({"dry":true})")) == "400 bad_argument: the body: unknown member: dry");
  CHECK(failure(post("/v1/await", "{}")) == "400 bad_argument: the body: ids: expected a list, found null");
  CHECK(failure(post("/v1/await", R"({"ids":[]})")) == "400 bad_argument: the body: ids are none");
  CHECK(has(failure(post("/v1/await", R"({"ids":[1]})")), "400 bad_argument: the body: ids"));
  CHECK(failure(post("/v1/call/a/b/c", "{}")) == "400 bad_argument: the body is no list of arguments");
  CHECK(has(failure(post("/v1/call/a/b/c", "[1,")), "400 bad_argument: the body"));
  CHECK(has(failure(post("/v1/call/a/b/c", std::string(1000, '['))), "400 bad_argument: the body"));
  CHECK(failure(post("/v1/call/a/b/c", std::string((1 << 20) + 1, ' '))) ==
        "413 bad_argument: a body of more than 1 MiB");
  CHECK(backend.asked().empty());
}

TEST_CASE_FIXTURE(fixture, "an unknown path is named, and a wrong method answered with the right ones") {
  for (const char* path : {"/", "/v1", "/v1/node", "/v1/nodes/", "/v1/nodes/a/b", "/v1/status/", "//v1/status"})
    CHECK(failure(get(path)) == "404 not_found: no such path: " + std::string(path));
  CHECK(has(failure(get("v1/status")), "400 bad_argument"));
  CHECK(has(failure(get("")), "400 bad_argument"));

  const auto refused = post("/v1/nodes");

  CHECK(failure(refused) == "405 bad_argument: POST is not possible on /v1/nodes, only GET");
  CHECK(refused.allow == "GET");
  CHECK(get("/v1/notify").allow == "POST");
}

TEST_CASE_FIXTURE(fixture, "lists are named after their path, other answers are objects as they are") {
  backend.reply = value(value::list{1, 2});

  CHECK(get("/v1/nodes").body == "{\"nodes\":[1,2]}\n");
  CHECK(get("/v1/actors").body == "{\"actors\":[1,2]}\n");
  CHECK(get("/v1/resources").body == "{\"resources\":[1,2]}\n");
  CHECK(get("/v1/subscriptions").body == "{\"subscriptions\":[1,2]}\n");
  CHECK(get("/v1/notifications").body == "{\"notifications\":[1,2]}\n");
  CHECK(post("/v1/updated", R"({"resource":"a[b]","action":"c"})").body == "{\"notifications\":[1,2]}\n");
  CHECK(post("/v1/notify", R"({"resource":"a[b]","action":"c","node":"d"})").body == "{\"notifications\":[1,2]}\n");
  CHECK(post("/v1/call/a/b/c").body == "{\"result\":[1,2]}\n");

  backend.reply = value(value::map{{"id", "bender0"}});

  for (const char* path : {"/v1/status", "/v1/nodes/a", "/v1/ping/a", "/v1/notifications/a"})
    CHECK(get(path).body == "{\"id\":\"bender0\"}\n");
  CHECK(post("/v1/converge").body == "{\"id\":\"bender0\"}\n");
  CHECK(post("/v1/reload").body == "{\"id\":\"bender0\"}\n");
  CHECK(get("/v1/status").content_type == "application/json");
}

TEST_CASE_FIXTURE(fixture, "an error tells its code, its text and the path, with the status that goes with it") {
  const std::vector<std::pair<error_code, int>> table = {
      {error_code::not_found, 404}, {error_code::bad_argument, 400}, {error_code::no_such_method, 404},
      {error_code::refused, 403},   {error_code::conflict, 409},     {error_code::not_owner, 409},
      {error_code::timeout, 504},   {error_code::unreachable, 502},  {error_code::maybe_done, 504},
      {error_code::down, 502},      {error_code::session_lost, 503}, {error_code::shutting_down, 503},
      {error_code::io, 500},        {error_code::protocol, 502},
  };
  CHECK(table.size() == static_cast<std::size_t>(flock::last_error_code));

  for (const auto& [code, status] : table) {
    backend.reply = flock::error{code, "no \"luck\""};

    const auto response = get("/v1/nodes/bender1?timeout=1s");

    CHECK(response.status == status);
    CHECK((json(response) == value(value::map{{"error", value::map{{"code", flock::to_string(code)},
                                                                   {"message", "no \"luck\""},
                                                                   {"target", "/v1/nodes/bender1"}}}})));
  }
}

TEST_CASE_FIXTURE(fixture, "a backend that throws is an internal error") {
  backend.on_question = [](const auto&) { throw std::runtime_error("disk on fire"); };

  CHECK(failure(get("/v1/status")) == "500 io: internal error: disk on fire");
}

TEST_CASE_FIXTURE(fixture, "metrics are text for Prometheus") {
  const auto response = get("/metrics");

  CHECK(response.body == "flock_peers 2\n");
  CHECK(response.content_type == "text/plain; version=0.0.4; charset=utf-8");
}

TEST_CASE_FIXTURE(fixture, "events that are there come first, later ones follow") {
  backend.add_event("joined", {{"node", "bender1"}});
  auto response = get("/v1/events");

  CHECK(response.status == 200);
  CHECK(response.content_type == "text/event-stream");
  CHECK(has(response.body, "id: life.1\ndata: {"));
  CHECK(has(response.body, "\"type\":\"joined\""));
  REQUIRE(response.events);
  CHECK(response.events->take() == "");

  int ready = 0;
  response.events->on_ready([&] { ++ready; });
  backend.add_event("left");
  backend.add_event("joined");

  CHECK(ready == 1);
  const auto later = response.events->take().value_or("");
  CHECK(has(later, "id: life.2\n"));
  CHECK(has(later, "id: life.3\n"));
  CHECK(response.events->take() == "");
  backend.add_event("left");
  CHECK(ready == 2);

  response.events.reset();
  CHECK(backend.followers() == 0);
}

TEST_CASE_FIXTURE(fixture, "events go on after a cursor, which the header tells better than the query") {
  for (int i = 0; i < 3; ++i) backend.add_event("joined");

  const auto since = get("/v1/events?since=life.1&follow=false");
  CHECK_FALSE(has(since.body, "id: life.1\n"));
  CHECK(has(since.body, "id: life.2\n"));

  const auto again =
      ask({.method = "GET", .target = "/v1/events?since=life.1&follow=false", .last_event_id = "life.2"});
  CHECK_FALSE(has(again.body, "id: life.2\n"));
  CHECK(has(again.body, "id: life.3\n"));

  CHECK_FALSE(again.events);
  CHECK(backend.followers() == 0);
  CHECK(has(failure(get("/v1/events?since=yesterday")), "400 bad_argument"));
  CHECK(backend.followers() == 0);
}

TEST_CASE_FIXTURE(fixture, "events that were forgotten are told as a gap") {
  for (int i = 0; i < 200; ++i) backend.add_event("joined");

  const auto response = get("/v1/events?since=life.1&follow=false");

  CHECK(response.body.substr(0, 37) == "event: gap\ndata: {\"type\":\"gap\"}\n\nid: ");
}

TEST_CASE_FIXTURE(fixture, "a follower that does not read loses its stream, not the others theirs") {
  const auto slow = get("/v1/events").events;
  const auto quick = get("/v1/events").events;
  const std::string much(1 << 18, 'x');

  for (int i = 0; i < 5; ++i) {
    backend.add_event("joined", {{"much", much}});
    CHECK(quick->take());
  }

  CHECK_FALSE(slow->take());
  slow->close();
  CHECK(backend.followers() == 1);
}

TEST_CASE_FIXTURE(fixture, "the OpenAPI document and the router name the same paths, methods and parameters") {
  const auto document = *flock::from_json(flock::control_openapi);
  CHECK(get("/v1/openapi.json").body == flock::control_openapi);

  std::set<std::string> documented;
  for (const auto& [path, operations] : *document["paths"].as_map()) {
    for (const auto& [method, operation] : *operations.as_map()) {
      std::string line = path;
      if (const auto* parameters = operation["parameters"].as_list()) {
        std::set<std::string> names;
        for (auto parameter : *parameters) {
          if (const auto* reference = parameter["$ref"].as_text())
            parameter = document["components"]["parameters"][reference->substr(reference->rfind('/') + 1)];
          if (parameter["in"] == value("query")) names.insert(*parameter["name"].as_text());
        }
        for (const auto& name : names) line += " " + name;
      }
      documented.insert((method == "get" ? "GET " : "POST ") + line);
    }
  }
  std::set<std::string> routed;
  for (const auto& route : flock::control_routes()) {
    std::string line = std::string(route.method) + " " + std::string(route.path);
    for (const auto parameter : route.parameters) line.append(" ").append(parameter);
    routed.insert(line);
  }

  CHECK((documented == routed));
}

TEST_CASE_FIXTURE(fixture, "everything that the OpenAPI document refers to is in it") {
  const std::string text(flock::control_openapi);
  const auto document = *flock::from_json(text);
  const std::string mark = "\"$ref\": \"#/";

  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    auto path = text.substr(at + mark.size(), text.find('"', at + mark.size()) - at - mark.size());
    std::replace(path.begin(), path.end(), '/', '.');
    CHECK_MESSAGE(!document.at_path(path).is_null(), path);
  }
}

TEST_CASE_FIXTURE(fixture, "the OpenAPI document lists the error codes") {
  const auto document = *flock::from_json(flock::control_openapi);
  value::list codes;
  for (auto n = 1; n <= static_cast<int>(flock::last_error_code); ++n)
    codes.emplace_back(flock::to_string(static_cast<error_code>(n)));

  CHECK((document.at_path("components.schemas.failure.properties.error.properties.code.enum") == value(codes)));
}
