#include "node/control/control_api.hpp"

#include "tests/support/scripted_api.hpp"
#include "tools/sim/manual_clock.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using flock::control_request;
using flock::control_response;
using flock::error_code;
using flock::value;

namespace {

struct fixture {
  flock::testing::manual_clock clock;
  flock::testing::scripted_api backend{clock};

  control_response ask(const control_request& request) {
    std::vector<control_response> all;
    backend.api.handle(request, [&](control_response r) { all.push_back(std::move(r)); });
    REQUIRE(all.size() == 1);
    return std::move(all.front());
  }
  control_response get(const std::string& target) { return ask({.method = "GET", .target = target}); }
  control_response post(const std::string& target, const std::string& body = {}) {
    return ask({.method = "POST", .target = target, .body = body});
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

TEST_CASE_FIXTURE(fixture, "each operation is reached by its method and path, and has an id of its own") {
  std::set<std::string_view> ids;
  for (const auto* o : backend.api.operations()) {
    CHECK(ids.insert(o->id).second);
    if (o->id == "show_events") continue;  // they are real
    const auto path = std::regex_replace(std::string(o->path), std::regex("\\{[a-z]+\\}"), "a");

    const auto response = ask({.method = std::string(o->method), .target = path});

    CHECK_MESSAGE(response.status == 200, o->id);
    CHECK(backend.asked() == std::string(o->method) + " " + path);
  }
}

TEST_CASE_FIXTURE(fixture, "parameters that a path does not know, or twice, are refused by name") {
  CHECK(failure(get("/v1/status?verbose=1")) == "400 bad_argument: unknown parameter: verbose");
  CHECK(failure(get("/v1/nodes?colour=red")) == "400 bad_argument: unknown parameter: colour");
  CHECK(has(failure(get("/v1/status?timeout=1s")), "unknown parameter: timeout"));
  CHECK(has(failure(get("/v1/actors?node=a%b")), "the query"));
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

TEST_CASE_FIXTURE(fixture,
                  "bodies that are too large, no object, or have unknown members are refused, and nothing is asked") {
  CHECK(failure(post("/v1/updated", R"({"resource":"file[x]","action":"create","mode":1})")) ==
        "400 bad_argument: the body: unknown member: mode");
  CHECK(failure(post("/v1/converge", R"({"dry":true})")) == "400 bad_argument: the body: unknown member: dry");
  CHECK(failure(post("/v1/updated", "[]")) == "400 bad_argument: the body is no object");
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
