#include "node/daemon.hpp"
#include "tests/support/small_flock.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// What the routes of the control API do with the daemon and the nodes below them.

using namespace flock;
using namespace flock::testing;
using namespace std::chrono_literals;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// An actor with a method that yields many values.
struct ticker {
  stream<int> watch(int from) {
    watched.emplace_back();
    watched.back().put(from);
    return watched.back();
  }
  void tick(int n) {
    for (const auto& w : watched) w.put(n);
  }
  void stop() {
    for (const auto& w : watched) w.end();
  }
  int open() {
    return static_cast<int>(std::count_if(watched.begin(), watched.end(), [](const auto& w) { return w.is_open(); }));
  }
  std::vector<stream<int>> watched;
  template <class Api> static void describe(Api& api) {
    api.stream("watch", &ticker::watch, "each tick").method("tick", &ticker::tick).method("stop", &ticker::stop);
    api.method("open", &ticker::open);
  }
};

/// A machine on which nothing changes and no Chef runs.
struct idle_machine : machine {
  result<reading> read_again() override { return error{error_code::io, "no files here"}; }
  std::optional<std::string> chef_file(const config&) override { return std::nullopt; }
  void forget_chef_file(const config&) override {}
  bool is_chef_locked(const config&) override { return false; }
  void start_chef(const config&, chef_runs::reason, chef_ended) override {}
};

/// Node a, which is a flockd and is asked, and node b, which has a counter.
struct fixture : counting_pair {
  idle_machine on;
  temporary_folder state;
  flock::daemon daemon_of_a{{*a.core, time, on, [](auto, const auto&) {}}, {.state_dir = state.path()}};
  control_api api{time};

  fixture() {
    daemon_of_a.start({{}, flock::policy("")});
    daemon_of_a.answer_on(api);
    for (auto* m : {&a, &b})
      REQUIRE((*m)->publish(*actor_name::parse("ticker"), "ticker",
                            [] { return std::make_unique<described_actor<ticker>>(std::make_unique<ticker>()); }));
    connect();
  }
  ~fixture() {
    for (auto& [name, m] : members) m.core->stop([] {});
    settle();
  }

  std::optional<control_response> begin(const std::string& method, const std::string& target, const std::string& body) {
    std::optional<control_response> answer;
    api.handle({.method = method, .target = target, .body = body}, [&](control_response r) { answer = std::move(r); });
    threads.advance(6s);
    return answer;
  }
  control_response ask(const std::string& method, const std::string& target, const std::string& body = {}) {
    auto answer = begin(method, target, body);
    REQUIRE_MESSAGE(answer, target);
    return *std::move(answer);
  }
  std::string get(const std::string& target) { return ask("GET", target).body; }
  std::string post(const std::string& target, const std::string& body = {}) { return ask("POST", target, body).body; }

  /// "STATUS CODE: MESSAGE"
  std::string failure(const control_response& r) {
    const auto body = from_json(r.body).value_or(value())["error"];
    return std::to_string(r.status) + " " + *body["code"].as_text() + ": " + *body["message"].as_text();
  }
  std::string failed_get(const std::string& target) { return failure(ask("GET", target)); }
  std::string failed_post(const std::string& target, const std::string& body = {}) {
    return failure(ask("POST", target, body));
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "nodes are listed, all or those of a location") {
  CHECK(has(get("/v1/nodes"), R"("id":"a")"));
  CHECK(has(get("/v1/nodes"), R"("id":"b")"));
  CHECK_FALSE(has(get("/v1/nodes?node=b"), R"("id":"a")"));
  CHECK(has(failed_get("/v1/nodes?role=web&role=db&environment=production"), "404 not_found"));
  CHECK(has(failed_get("/v1/nodes?query=role%3Aweb+AND+tags:new&any=true"), "404 not_found"));

  CHECK(has(failed_get("/v1/nodes?any=true"), "400 bad_argument"));
  CHECK(has(failed_get("/v1/nodes?any=maybe"), "any is true or false, not maybe"));
  CHECK(has(failed_get("/v1/nodes?environment=a&environment=b"), "given more than once: environment"));
  CHECK(has(failed_get("/v1/nodes?node=two+words"), "400 bad_argument"));
}

TEST_CASE_FIXTURE(fixture, "one node is shown with what only a question for it tells") {
  CHECK(has(get("/v1/nodes/b"), R"("connected":true)"));
  CHECK(has(get("/v1/nodes/b"), R"("attributes":)"));
  CHECK(has(get("/v1/nodes/%62"), R"("id":"b")"));
  CHECK(failed_get("/v1/nodes/c") == "404 not_found: no node named c");
  CHECK(has(failed_get("/v1/nodes/two%20words"), "400 bad_argument"));
  CHECK(has(failed_get("/v1/nodes/b%"), "400 bad_argument: the path"));
  CHECK(has(failed_get("/v1/nodes/b%zz"), "400 bad_argument: the path"));
}

TEST_CASE_FIXTURE(fixture, "a node answers for itself, this one or another") {
  CHECK(has(get("/v1/ping/b"), R"({"node":"b","rtt_us":)"));
  CHECK(has(get("/v1/actors"), R"("name":"flockd")"));
  CHECK(has(get("/v1/actors?node=b"), R"("name":"counter")"));
  CHECK(has(failed_get("/v1/actors?node=a&node=b"), "given more than once: node"));
  CHECK(get("/v1/subscriptions?node=b") == "{\"subscriptions\":[]}\n");
  CHECK(has(failed_get("/v1/ping/c?timeout=1s"), "404 not_found"));
}

TEST_CASE_FIXTURE(fixture, "a method is called with the arguments of the body") {
  CHECK(post("/v1/call/b/counter/add", "[2]") == "{\"result\":2}\n");
  CHECK(post("/v1/call/b/%63ounter/add", "[3]") == "{\"result\":5}\n");
  CHECK(failed_post("/v1/call/b/counter/add") == "400 bad_argument: takes 1 argument(s), got 0");
  CHECK(has(failed_post("/v1/call/b/counter/dance"), "404 no_such_method"));
  CHECK(has(failed_post("/v1/call/b/file%5B%2Ftmp%2Fa%5D/create"), "no actor named file[/tmp/a] on b"));

  CHECK(failed_post("/v1/call/a/b/c", "{}") == "400 bad_argument: the body is no list of arguments");
  CHECK(has(failed_post("/v1/call/a/b/c", "[1,"), "400 bad_argument: the body"));
  CHECK(has(failed_post("/v1/call/a/b/c", std::string(1000, '[')), "400 bad_argument: the body"));
  CHECK(has(failed_post("/v1/call/b/%07/fight"), "400 bad_argument"));
}

TEST_CASE_FIXTURE(fixture, "a method that yields many values is followed, until its stream or its follower ends") {
  CHECK(has(get("/v1/actors"), R"("name":"watch","parameters":["integer"],"returns":"integer","streams":true)"));

  auto first = ask("POST", "/v1/call/a/ticker/watch", "[1]");
  auto second = ask("POST", "/v1/call/a/ticker/watch", "[2]");
  CHECK(first.content_type == "text/event-stream");
  CHECK(first.events->take() == "data: 1\n\n");
  CHECK(second.events->take() == "data: 2\n\n");
  post("/v1/call/a/ticker/tick", "[7]");
  CHECK(first.events->take() == "data: 7\n\n");
  CHECK_FALSE(first.events->is_finished());

  second.events.reset();
  CHECK(post("/v1/call/a/ticker/open") == "{\"result\":1}\n");
  post("/v1/call/a/ticker/stop");
  CHECK_FALSE(first.events->is_finished());
  CHECK(first.events->take() == "event: end\ndata: {}\n\n");
  CHECK(first.events->is_finished());
}

TEST_CASE_FIXTURE(fixture, "who follows an actor that goes is told so") {
  const auto followed = ask("POST", "/v1/call/a/ticker/watch", "[1]");

  a->unpublish(*actor_name::parse("ticker"));
  settle();

  CHECK(has(followed.events->take().value_or(""), R"(event: end
data: {"error":{"code":"down",)"));
}

TEST_CASE_FIXTURE(fixture, "what cannot be followed is refused") {
  CHECK(failed_post("/v1/call/b/ticker/watch", "[1]") ==
        "400 bad_argument: watch yields many values: it is followed on its own node, not called");
  CHECK(has(failed_post("/v1/call/a/ticker/watch", "[true]"), "400 bad_argument: argument 1"));
}

TEST_CASE_FIXTURE(fixture, "an action is asked for with the members of remote_notifies, and followed by its id") {
  const std::string body = R"({"resource":"execute[x]","action":"run","node":"b"})";

  const auto asked = from_json(post("/v1/notify?wait=completed", body)).value_or(value());
  const auto& target = asked["notifications"].as_list()->front();
  CHECK(target["state"] == value("failed"));
  const auto id = *target["id"].as_text();

  CHECK(has(get("/v1/notifications/" + id), "no execute[x] on b"));
  CHECK(has(get("/v1/notifications?state=failed&node=b"), id));
  CHECK_FALSE(has(get("/v1/notifications?state=queued"), id));
  CHECK(has(post("/v1/await", R"({"ids":[")" + id + "\"]}"), id));
  CHECK(has(failed_post("/v1/notifications/" + id + "/cancel"), "409 conflict"));
  CHECK(has(post("/v1/notifications/" + id + "/retry"), R"("retry_of":")" + id));

  CHECK(has(failed_post("/v1/notify?wait=finished", body), "wait is queued, accepted or completed, not finished"));
  CHECK(has(failed_post("/v1/notify", R"({"resource":"a[b]","action":"run","node":"x","colour":"red"})"), "colour"));
  CHECK(has(failed_post("/v1/notify", R"({"action":"run","node":"x"})"), "resource"));
  CHECK(has(failed_post("/v1/notify", "{"), "400 bad_argument: the body"));
  CHECK(has(failed_get("/v1/notifications?state=lost"), "state is one of queued|accepted|"));
  CHECK(failed_get("/v1/notifications/x") == "404 not_found: no notification x");
  CHECK(failed_post("/v1/await", "{}") == "400 bad_argument: the body: ids: expected a list, found null");
  CHECK(failed_post("/v1/await", R"({"ids":[]})") == "400 bad_argument: the body: ids are none");
  CHECK(has(failed_post("/v1/await", R"({"ids":[1]})"), "400 bad_argument: the body: ids"));
}

TEST_CASE_FIXTURE(fixture, "what is delayed waits for the end of a run, of the one that is named or of any") {
  const std::string body = R"({"resource":"execute[x]","action":"run","node":"b","timing":"delayed","on":"failure"})";
  CHECK(failed_post("/v1/notify", body) == "409 conflict: no run is under way on this node");
  const auto run = ask("POST", "/v1/runs", "{}");
  const auto id = *from_json(run.body.substr(6)).value_or(value())["run"].as_text();

  CHECK(post("/v1/notify?run=" + id, body) == "{\"notifications\":[],\"run\":\"" + id + "\"}\n");
  CHECK(has(post("/v1/notify", body), id));

  CHECK(failed_post("/v1/notify?run=other", body) == "409 conflict: run other has ended");
  CHECK(failed_post("/v1/notify?run=" + id, R"({"resource":"execute[x]","action":"run","node":"b"})") ==
        "400 bad_argument: run: only what is delayed waits for the end of a run");
}

TEST_CASE_FIXTURE(fixture, "who wants something at the end of a run hears by the deadline, however slow the disk is") {
  const auto run = ask("POST", "/v1/runs", "{}");
  a.disk->hold();

  const auto answer =
      ask("POST", "/v1/notify?timeout=5s", R"({"resource":"execute[x]","action":"run","node":"b","timing":"delayed"})");

  CHECK(has(failure(answer), "maybe_done: the disk has not confirmed yet"));
  a.disk->release();
}

TEST_CASE_FIXTURE(fixture, "a Chef run lasts as long as its stream, and says what it does by its id") {
  auto run = ask("POST", "/v1/runs", R"({"why_run":false,"roles":["web"]})");
  CHECK(run.content_type == "text/event-stream");
  CHECK(has(run.body, "data: {\"run\":\""));
  const auto id = *from_json(run.body.substr(6)).value_or(value())["run"].as_text();
  CHECK(has(failed_post("/v1/runs", "{}"), "409 conflict"));

  CHECK(post("/v1/runs/" + id + "/resources", R"({"resources":[{"resource":"log[x]","actions":["write"]}]})") ==
        "{\"durable\":true}\n");
  CHECK(has(get("/v1/actors"), "log[x]"));
  CHECK(post("/v1/runs/" + id + "/updated", R"({"resources":["log[x]"],"action":"write","outcome":"updated"})") ==
        "{}\n");
  CHECK(has(post("/v1/runs/" + id + "/notify", R"({"resource":"log[y]","action":"write","node":"b"})"), R"("id":)"));
  CHECK(
      has(failed_post("/v1/runs/" + id + "/performed", R"({"notification":7,"outcome":"updated"})"), "404 not_found"));
  CHECK(failed_post("/v1/runs/" + id + "/end", R"({"sucess":true})") ==
        "400 bad_argument: the body: unknown member: sucess");
  CHECK(has(failed_post("/v1/runs/other/end", R"({"success":true})"), "404 not_found"));

  run.events.reset();
  settle();
  CHECK(contains(events(a), "run_ended"));
  CHECK(ask("POST", "/v1/runs", "{}").status == 200);
}

TEST_CASE_FIXTURE(fixture, "the events of a node are followed until their stream ends") {
  auto response = ask("GET", "/v1/events");
  CHECK(has(response.body, R"("type":"registered")"));

  a->add_event("reloaded", {});
  settle();

  CHECK(has(response.events->take().value_or(""), R"("type":"reloaded")"));
}

TEST_CASE_FIXTURE(fixture, "a daemon tells of itself and does what it is told") {
  CHECK(has(get("/v1/status"), R"("id":"a")"));
  CHECK(has(get("/metrics"), "flock_peers 1\n"));
  CHECK(ask("GET", "/metrics").content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(get("/v1/resources") == "{\"resources\":[]}\n");
  CHECK(has(failed_get("/v1/resources?node=b"), "no actor named flockd on b"));
  CHECK(has(post("/v1/converge"), R"("success":true)"));
  CHECK(has(post("/v1/converge", R"({"why_run":true})"), R"("why_run":true)"));
  CHECK(failed_post("/v1/converge", R"({"why_run":1})") == "400 bad_argument: the body: why_run is true or false");
  CHECK(failed_post("/v1/reload") == "500 io: no files here");
}

TEST_CASE_FIXTURE(fixture, "an update that is told of fires what waits for it") {
  CHECK(post("/v1/updated", R"({"resource":"file[/tmp/x]","action":"create"})") == "{\"notifications\":[]}\n");
  CHECK(contains(events(a), "updated"));

  CHECK(failed_post("/v1/updated", R"({"action":"create"})") == "400 bad_argument: the body: resource is missing");
  CHECK(failed_post("/v1/updated", R"({"resource":1,"action":"create"})") ==
        "400 bad_argument: the body: resource is no text");
  CHECK(has(failed_post("/v1/updated", R"({"resource":"fubar","action":"create"})"), "fubar"));
  CHECK(has(failed_post("/v1/updated"), "400 bad_argument: the body"));
}

TEST_CASE_FIXTURE(fixture, "the API describes itself") {
  const auto document = from_json(get("/v1/openapi.json")).value_or(value());

  for (const auto* o : api.operations()) CHECK_MESSAGE(!document["paths"][o->path].is_null(), o->path);
}

TEST_CASE_FIXTURE(fixture, "the API describes the methods of the actors that its node has") {
  const auto document = from_json(get("/v1/openapi.json")).value_or(value());

  const auto& tick = document["paths"]["/v1/call/{node}/ticker/tick"]["post"];
  CHECK(tick["operationId"] == value("ticker.tick"));
  CHECK(tick["requestBody"]["description"] == value("The arguments: integer"));
  const auto& watch = document["paths"]["/v1/call/{node}/ticker/watch"]["post"];
  CHECK(watch["summary"] == value("each tick"));
  CHECK(
      (watch["responses"]["200"]["content"]["text/event-stream"]["schema"] == value(value::map{{"type", "integer"}})));
  CHECK((watch["tags"] == value(value::list{"ticker"})));
}

TEST_CASE_FIXTURE(fixture, "every flockd has what actors.def lists") {
  const auto actors = get("/v1/actors");

  for (const auto& c : capabilities()) CHECK(has(actors, "\"name\":\"" + std::string(c.name) + "\""));
}
