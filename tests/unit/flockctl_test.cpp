#include "tools/flockctl/flockctl.hpp"

#include "node/control_api.hpp"
#include "tests/support/fake_control_backend.hpp"
#include "tests/support/manual_clock.hpp"
#include "tools/flockctl/command.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using flock::control_reply;
using flock::error_code;
using flock::value;
using flock::ctl::exit_code;
using flock::ctl::local_flockd;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// flockctl on top of the control API itself, without a socket between them.
struct fixture {
  flock::testing::fake_control_backend backend;
  flock::testing::manual_clock clock;
  std::map<std::string, std::string> environment;
  bool terminal = false;
  std::size_t width = 80;
  std::optional<flock::error> out_of_reach;
  std::deque<flock::error> ends;  // of streams of events, one after the other
  std::vector<std::string> cursors;
  std::string socket, out, err;
  flock::time_point deadline{};
  int naps = 0;

  local_flockd::reply ask(const flock::control_request& request, flock::time_point until) {
    deadline = until;
    if (out_of_reach) return *out_of_reach;
    std::optional<control_reply> reply;
    flock::handle(request, backend, clock, [&](auto r) { reply = control_reply{r.status, std::move(r.body)}; });
    REQUIRE(reply);
    return *reply;
  }

  local_flockd::reply follow(std::string_view target, std::string_view after, flock::time_point until,
                             const local_flockd::follower& next) {
    cursors.emplace_back(after);
    const auto reply = ask({"GET", std::string(target) + "?follow=false", std::string(after), {}}, until);
    if (!reply || reply->status != 200) return reply;
    for (const auto& e : flock::server_sent_events().feed(reply->body)) next(e);
    REQUIRE(!ends.empty());
    const auto end = ends.front();
    ends.pop_front();
    return end;
  }

  exit_code run(const std::vector<std::string>& words) {
    std::ostringstream data, talk;
    const flock::ctl::surroundings around{
        .environment = environment,
        .out = data,
        .err = talk,
        .out_is_terminal = terminal,
        .err_is_terminal = terminal,
        .width = width,
        .time = clock,
        .sleep = [this](auto d) { clock.advance(d), ++naps; },
        .connect =
            [this](const std::string& path) {
              socket = path;
              return local_flockd({.get =
                                       [this](auto target, auto until) {
                                         return ask({"GET", std::string(target), {}, {}}, until);
                                       },
                                   .post =
                                       [this](auto target, auto body, auto until) {
                                         return ask({"POST", std::string(target), {}, std::string(body)}, until);
                                       },
                                   .follow = [this](auto target, auto after, auto until,
                                                    const auto& next) { return follow(target, after, until, next); }},
                                  path);
            }};
    const auto code = flock::ctl::run(words, around);
    out = data.str();
    err = talk.str();
    return code;
  }

  // What the backend was asked by a command that went well.
  std::string asked_by(const std::vector<std::string>& words) {
    CHECK((run(words) == exit_code::ok));
    CHECK(err.empty());
    return backend.asked();
  }

  std::string refusal_of(const std::vector<std::string>& words) {
    CHECK((run(words) == exit_code::usage));
    CHECK(out.empty());
    CHECK(has(err, "\nflockctl help tells more.\n"));
    return err.substr(0, err.find('\n'));
  }
};

const std::vector<std::string> notify = {"notify", "execute[kill all humans]", "run", "--node", "bender1"};

std::vector<std::string> operator+(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE_FIXTURE(fixture, "each command asks flockd for what it says") {
  CHECK(asked_by({"status"}) == "status");
  CHECK(asked_by({"node", "show", "bender1"}) == "node bender1");
  CHECK(asked_by({"notification", "show", "bender0.1f.7"}) == "notification bender0.1f.7");
  CHECK(asked_by({"ping", "bender1"}) == "ping bender1");
  CHECK(asked_by({"reload"}) == "reload");
  CHECK(asked_by({"converge"}) == "converge");
  CHECK(asked_by({"converge", "--why-run"}) == "why-run");
  CHECK(asked_by({"call", "bender1/itchy", "fight", "-1", R"("x")", "[1, 2]"}) ==
        R"(call bender1/itchy fight [-1,"x",[1,2]])");
  CHECK(asked_by({"call", "bender1/file[/tmp/a b]", "create"}) == "call bender1/file[/tmp/a b] create []");

  backend.reply = value(value::list{});

  CHECK(asked_by({"nodes"}) == "nodes all");
  CHECK(asked_by({"nodes", "--node", "a", "--node", "b"}) == R"(nodes {"node":["a","b"]})");
  CHECK(asked_by({"nodes", "--role=web", "--environment=prod", "--any"}) ==
        R"(nodes {"any":true,"environment":"prod","roles":["web"]})");
  CHECK(asked_by({"nodes", "--query", "role:web AND tags:new", "--all-of"}) ==
        R"(nodes {"query":"role:web AND tags:new"})");
  CHECK(asked_by({"actors"}) == "actors here");
  CHECK(asked_by({"actors", "bender1"}) == "actors bender1");
  CHECK(asked_by({"resources"}) == "resources here");
  CHECK(asked_by({"resources", "bender1"}) == "resources bender1");
  CHECK(asked_by({"subscriptions"}) == "subscriptions here");
  CHECK(asked_by({"subscriptions", "bender1"}) == "subscriptions bender1");
  CHECK(asked_by({"notifications"}) == "notifications any here");
  CHECK(asked_by({"notifications", "--state", "failed", "--node", "b"}) == "notifications failed b");
  CHECK(asked_by({"updated", "file[/tmp/fubar]", "create"}) == "updated file[/tmp/fubar] create");
  CHECK(has(asked_by(notify), R"("resource":"execute[kill all humans]")"));
  CHECK(asked_by({"notification", "cancel", "bender0.1f.7"}) == "cancel bender0.1f.7");
  CHECK(asked_by({"notification", "retry", "bender0.1f.7"}) == "retry bender0.1f.7");
}

TEST_CASE_FIXTURE(fixture, "every command of the list is helped with and names its usage") {
  CHECK((run({"help"}) == exit_code::ok));
  for (const auto& c : flock::ctl::commands()) {
    CHECK(has(out, "\n  " + std::string(c.name)));
    CHECK(has(flock::ctl::help(c), "usage: flockctl " + std::string(c.name)));
  }

  CHECK((run({"help", "node", "show"}) == exit_code::ok));
  CHECK(has(out, "usage: flockctl node show ID\n"));
  CHECK((run({"notify", "--help"}) == exit_code::ok));
  CHECK(has(out, "--wait accepted|completed"));
  CHECK((run({"--help"}) == exit_code::ok));
  CHECK((run({"--version"}) == exit_code::ok));
  CHECK(has(out, "flockctl "));
  CHECK(backend.asked().empty());
}

TEST_CASE_FIXTURE(fixture, "options of commands are known ones") {
  std::set<std::string_view> known;
  for (const auto& o : flock::ctl::options()) known.insert(o.name);

  for (const auto& c : flock::ctl::commands())
    for (const auto name : c.options) CHECK_MESSAGE(known.count(name) == 1, name);
}

TEST_CASE_FIXTURE(fixture, "wrong usage names what was wrong and asks nobody") {
  CHECK(refusal_of({}) == "flockctl: which command?");
  CHECK(refusal_of({"nodse"}) == "flockctl: no such command: nodse; did you mean nodes?");
  CHECK(refusal_of({"frobnicate"}) == "flockctl: no such command: frobnicate");
  CHECK(refusal_of({"node"}) == "flockctl: no whole command: node; there is: node show");
  CHECK(refusal_of({"notification"}) ==
        "flockctl: no whole command: notification; there is: notification show, notification cancel, notification "
        "retry");
  CHECK(refusal_of({"notification", "cancel"}) ==
        "flockctl: notification cancel needs more; usage: flockctl notification cancel ID");
  CHECK(has(refusal_of({"notification", "retry", "a", "b"}), "notification retry does not take b"));
  CHECK(refusal_of({"notification", "retry", "a", "--node", "b"}) ==
        "flockctl: --node is no option of notification retry");
  CHECK(has(refusal_of(notify + std::vector<std::string>{"--on", "sunday"}), "--on is one of always|success|failure"));
  CHECK(refusal_of(notify + std::vector<std::string>{"--on", "success", "--wait", "completed"}) ==
        "flockctl: --on sends at the end of the run: there is nothing to --wait for before");
  CHECK(refusal_of({"help", "nodse"}) == "flockctl: no such command: nodse; did you mean nodes?");
  CHECK(refusal_of({"ping"}) == "flockctl: ping needs more; usage: flockctl ping NODE");
  CHECK(has(refusal_of({"status", "bender1"}), "status does not take bender1"));
  CHECK(refusal_of({"status", "--node", "x"}) == "flockctl: --node is no option of status");
  CHECK(refusal_of({"status", "--colour"}) == "flockctl: unknown option --colour");
  CHECK(has(refusal_of({"status", "--timeout", "5"}), "--timeout"));
  CHECK(has(refusal_of({"ping", "a", "--count", "0"}), "--count"));
  CHECK(has(refusal_of({"ping", "a", "--count", "two"}), "two"));
  CHECK(has(refusal_of({"notify", "a[b]", "run"}), "which nodes?"));
  CHECK(has(refusal_of({"notify", "a[b]", "run", "--any"}), "--any of which nodes?"));
  CHECK(has(refusal_of({"nodes", "--role", "x", "--any", "--all-of"}), "exclude each other"));
  CHECK(has(refusal_of({"call", "itchy", "fight"}), "on which node?"));
  CHECK(has(refusal_of({"call", "bender1/itchy", "fight", "Bite!"}), "argument 1 is no JSON: Bite!"));
  CHECK(has(refusal_of({"notifications", "--state", "lost"}), "--state is one of queued|accepted|"));
  CHECK(backend.asked().empty());

  CHECK(has(refusal_of({"updated", "fubar", "create"}), "fubar"));
}

TEST_CASE_FIXTURE(fixture, "the socket is the one named by the option, the environment, or the usual one") {
  run({"status"});
  CHECK(socket == "/run/flock/flockd.sock");

  environment["FLOCK_SOCKET"] = "/tmp/a.sock";
  run({"status"});
  CHECK(socket == "/tmp/a.sock");

  run({"--socket", "/tmp/b.sock", "status"});
  CHECK(socket == "/tmp/b.sock");
}

TEST_CASE_FIXTURE(fixture, "data are tables on a terminal and lines of JSON elsewhere, unless asked otherwise") {
  backend.reply = value(value::list{value::map{{"id", "bender0"}, {"state", "alive"}}, value::map{{"id", "bender1"}}});

  run({"nodes"});
  CHECK(out == "{\"id\":\"bender0\",\"state\":\"alive\"}\n{\"id\":\"bender1\"}\n");
  run({"nodes", "--format", "table"});
  CHECK(out == "ID       STATE\nbender0  alive\nbender1\n");

  terminal = true;
  run({"nodes"});
  CHECK(out == "ID       STATE\nbender0  \033[32malive\033[0m\nbender1\n");
  run({"nodes", "--format=json"});
  CHECK(out == "{\"id\":\"bender0\",\"state\":\"alive\"}\n{\"id\":\"bender1\"}\n");
  environment["NO_COLOR"] = "1";
  run({"nodes"});
  CHECK(out == "ID       STATE\nbender0  alive\nbender1\n");

  backend.reply = value(value::list{});
  run({"nodes"});
  CHECK(out.empty());
}

TEST_CASE_FIXTURE(fixture, "progress is shown on a terminal only") {
  backend.reply = value(value::list{});

  run(notify);
  CHECK(err.empty());

  terminal = true;
  run(notify);
  CHECK(err == "waiting for the nodes ...\r\033[K");
}

TEST_CASE_FIXTURE(fixture, "what a method returned is printed as JSON") {
  backend.reply = value("Bite!");

  run({"call", "bender1/itchy", "fight", "1"});

  CHECK(out == "\"Bite!\"\n");
}

TEST_CASE_FIXTURE(fixture, "each ping has its number") {
  backend.reply = value(value::map{{"node", "bender1"}, {"rtt_us", 312}});

  run({"ping", "bender1", "--count", "2"});
  CHECK(out == "{\"node\":\"bender1\",\"rtt_us\":312,\"seq\":1}\n{\"node\":\"bender1\",\"rtt_us\":312,\"seq\":2}\n");

  run({"ping", "bender1", "--format", "table"});
  CHECK(out == "bender1 seq=1 rtt=312us\n");
}

TEST_CASE_FIXTURE(fixture, "the daemon's deadline is the command's, and flockctl waits a second longer") {
  run({"ping", "bender1"});
  CHECK(backend.until() == clock.now() + 5s);
  CHECK(deadline == clock.now() + 6s);

  run({"ping", "bender1", "--timeout", "2m"});
  CHECK(backend.until() == clock.now() + 2min);

  backend.reply = value(value::list{});
  run(notify + std::vector<std::string>{"--wait", "completed"});
  CHECK(backend.until() == clock.now() + 5min);
  run(notify + std::vector<std::string>{"--wait", "completed", "--timeout=1s"});
  CHECK(backend.until() == clock.now() + 1s);
  CHECK(deadline == clock.now() + 2s);

  backend.reply = value(value::map{});
  run({"converge"});
  CHECK(deadline == clock.now() + 1h + 1s);
}

TEST_CASE_FIXTURE(fixture, "what flockd refuses is said on stderr and tells by the exit code") {
  backend.reply = flock::error{error_code::not_found, "no node named bender9"};
  CHECK((run({"ping", "bender9"}) == exit_code::no_target));
  CHECK(err == "flockctl: no node named bender9\n");
  CHECK(out.empty());

  backend.reply = flock::error{error_code::refused, "no"};
  CHECK((run({"node", "show", "a"}) == exit_code::denied));
  backend.reply = flock::error{error_code::maybe_done, "no answer"};
  CHECK((run({"call", "a/b", "c"}) == exit_code::timed_out));
  backend.reply = flock::error{error_code::conflict, "a run is under way"};
  CHECK((run({"converge"}) == exit_code::some_failed));
}

TEST_CASE_FIXTURE(fixture, "a flockd that is not there, or not for us, is said with what to try") {
  out_of_reach = flock::error{error_code::unreachable, "/run/flock/flockd.sock: No such file or directory"};
  CHECK((run({"status"}) == exit_code::unreachable));
  CHECK(has(err, "no flockd answers at /run/flock/flockd.sock: No such file or directory; is it running"));

  out_of_reach = flock::error{error_code::refused, "/nowhere: Permission denied"};
  CHECK((run({"--socket=/nowhere", "status"}) == exit_code::denied));
  CHECK(has(err, "members of the group flock\n"));

  out_of_reach = flock::error{error_code::timeout, "no reply by the deadline"};
  CHECK((run({"status"}) == exit_code::timed_out));
}

TEST_CASE_FIXTURE(fixture, "a run that failed is a failure, also of flockctl") {
  backend.reply = value(value::map{
      {"run", "r.1"},
      {"success", false},
      {"resources", value::list{value::map{
                        {"resource", "file[x]"}, {"action", "create"}, {"outcome", "failed"}, {"error", "no"}}}}});

  CHECK((run({"converge", "--format=table"}) == exit_code::some_failed));
  CHECK(out == "RESOURCE  ACTION  OUTCOME  ERROR\nfile[x]   create  failed   no\n");
  CHECK((run({"converge"}) == exit_code::some_failed));
  CHECK(has(out, "\"run\":\"r.1\""));

  backend.reply = value(value::map{{"success", true}});
  CHECK((run({"converge"}) == exit_code::ok));
}

TEST_CASE_FIXTURE(fixture, "notify prints a line for each target and ends as they did") {
  const auto target = [](const char* node, const char* state, value why) {
    return value::map{{"id", "x"}, {"node", node}, {"state", state}, {"error", std::move(why)}};
  };
  const value denied = value::map{{"code", "refused"}, {"message", "not allowed"}};

  backend.reply = value(value::list{target("a", "accepted", nullptr), target("b", "failed", denied)});
  CHECK((run(notify) == exit_code::some_failed));
  CHECK(has(out, "\"node\":\"a\""));
  CHECK(has(out, "\n{\"error\":{\"code\":\"refused\""));

  backend.reply = value(value::list{target("b", "failed", denied)});
  CHECK((run(notify) == exit_code::denied));
  backend.reply = value(value::list{target("a", "queued", nullptr)});
  CHECK((run(notify) == exit_code::timed_out));
  CHECK((run({"updated", "a[b]", "c"}) == exit_code::ok));
  const value unsure = value::map{{"code", "maybe_done"}, {"message", "not confirmed"}};
  backend.reply = value(value::list{target("a", "queued", unsure)});
  CHECK((run({"updated", "a[b]", "c"}) == exit_code::timed_out));
  backend.reply = flock::error{error_code::not_found, "no node matches role:web"};
  CHECK((run(notify) == exit_code::no_target));
  backend.reply = value(value::map{{"odd", true}});
  CHECK((run(notify) == exit_code::some_failed));
}

namespace {

value notification(const char* id, const char* node, const char* state) {
  return value::map{{"id", id}, {"node", node}, {"resource", "execute[x]"}, {"action", "run"}, {"state", state}};
}

const std::vector<std::string> notify_and_wait = notify + std::vector<std::string>{"--wait", "completed"};

}  // namespace

TEST_CASE_FIXTURE(fixture, "with --wait completed each target is shown when it has ended") {
  std::vector<std::string> asked;
  std::string shown_before;
  backend.on_question = [&](const auto& answer) {
    asked.push_back(backend.asked());
    if (asked.size() == 1)
      answer(value(value::list{notification("1", "a", "queued"), notification("2", "b", "failed"),
                               notification("3", "c", "queued")}));
    else if (asked.size() == 2)
      answer(value(value::list{notification("3", "c", "succeeded")}));
    else
      answer(value(value::list{notification("1", "a", "succeeded")}));
  };

  CHECK((run(notify_and_wait + std::vector<std::string>{"--format", "table"}) == exit_code::some_failed));

  REQUIRE(asked.size() == 3);
  CHECK(has(asked[0], "notify and go {"));
  CHECK(asked[1] == R"(await ["1","3"])");
  CHECK(asked[2] == R"(await ["1"])");
  CHECK(out ==
        "ID  NODE  RESOURCE    ACTION  STATE      OUTCOME     ERROR\n"
        "2   b     execute[x]  run     failed\n"
        "3   c     execute[x]  run     succeeded\n"
        "1   a     execute[x]  run     succeeded\n");
}

TEST_CASE_FIXTURE(fixture, "what has not ended at the deadline is shown as it stands") {
  backend.on_question = [&](const auto& answer) {
    if (has(backend.asked(), "await")) clock.advance(2s);
    answer(value(value::list{notification("1", "a", has(backend.asked(), "await") ? "started" : "queued")}));
  };

  CHECK((run(notify_and_wait + std::vector<std::string>{"--timeout", "2s"}) == exit_code::timed_out));

  CHECK(has(out, R"("state":"started")"));
  CHECK(std::count(out.begin(), out.end(), '\n') == 1);
}

TEST_CASE_FIXTURE(fixture, "a flockd that is started again is waited for, and its notifications with it") {
  int questions = 0;
  backend.on_question = [&](const auto& answer) {
    if (++questions == 2)
      answer(flock::error{error_code::shutting_down, "this node is stopping"});
    else
      answer(value(value::list{notification("1", "a", questions == 1 ? "queued" : "succeeded")}));
  };

  CHECK((run(notify_and_wait) == exit_code::ok));

  CHECK(questions == 3);
  CHECK(naps == 1);
  CHECK(err == "flockctl: flockd does not answer; waiting for it\n");
}

TEST_CASE_FIXTURE(fixture, "on a terminal it is said who is waited for") {
  terminal = true;
  int questions = 0;
  backend.on_question = [&](const auto& answer) {
    value::list all;
    for (const char* node : {"a", "b", "c", "d", "e"})
      all.push_back(notification(node, node, ++questions > 5 ? "succeeded" : "queued"));
    answer(value(std::move(all)));
  };

  CHECK((run(notify_and_wait) == exit_code::ok));

  CHECK(err == "waiting for 5 of 5: a, b, c and 2 more ...\r\033[K");
}

TEST_CASE_FIXTURE(fixture, "--on is about the end of the run under way, or of the one that flockctl is called in") {
  const auto on_success = notify + std::vector<std::string>{"--on", "success"};
  backend.reply = value(value::map{{"notifications", value::list()}, {"run", "life.1"}});

  CHECK((run(on_success) == exit_code::ok));
  CHECK(has(backend.asked(), "at the end of the run notify {"));
  CHECK(has(backend.asked(), R"("on":"success")"));
  CHECK(out == "{\"notifications\":[],\"run\":\"life.1\"}\n");
  environment["FLOCK_RUN"] = "life.1";
  CHECK((run(on_success + std::vector<std::string>{"--format", "table"}) == exit_code::ok));
  CHECK(has(backend.asked(), "at the end of life.1 notify {"));
  CHECK(err == "flockctl: will be sent when run life.1 has ended, if it ends with success\n");

  backend.reply = flock::error{error_code::conflict, "no run is under way on this node"};
  CHECK((run(on_success) == exit_code::some_failed));
  CHECK(err ==
        "flockctl: no run is under way on this node, whose end --on could mean; without --on it is sent at once\n");
}

TEST_CASE_FIXTURE(fixture, "an action that was called and failed is a failure, also of flockctl") {
  backend.reply = value(value::map{
      {"outcome", "failed"}, {"exit_status", 3}, {"error", value::map{{"code", "io"}, {"message", "exit status 3"}}}});

  CHECK((run({"call", "bender1/execute[x]", "run"}) == exit_code::some_failed));

  CHECK(has(out, R"("exit_status":3)"));
}

TEST_CASE_FIXTURE(fixture, "what was cancelled or is tried again is shown, and a refusal ends with 1") {
  backend.reply = notification("bender0-9", "a", "queued");
  CHECK((run({"notification", "retry", "bender0-1", "--format", "table"}) == exit_code::ok));
  CHECK(out == "ID         NODE  RESOURCE    ACTION  STATE\nbender0-9  a     execute[x]  run     queued\n");

  backend.reply = flock::error{error_code::conflict, "cannot be cancelled: it may be on its way"};
  CHECK((run({"notification", "cancel", "bender0-1"}) == exit_code::some_failed));
  CHECK(err == "flockctl: cannot be cancelled: it may be on its way\n");
  backend.reply = flock::error{error_code::not_found, "no notification x"};
  CHECK((run({"notification", "cancel", "x"}) == exit_code::no_target));
  backend.reply = flock::error{error_code::maybe_done, "not confirmed"};
  CHECK((run({"notification", "retry", "x"}) == exit_code::timed_out));
}

TEST_CASE_FIXTURE(fixture, "events are printed from a cursor on") {
  backend.add_event("joined", {{"node", "bender0"}, {"peer", "bender1"}});
  backend.add_event("left", {{"node", "bender0"}, {"peer", "bender1"}});

  CHECK((run({"events", "--since", "life.1"}) == exit_code::ok));
  CHECK(has(out, "{\"at\":\"1970-01-01T00:00:00.000Z\",\"cursor\":\"life.2\""));
  CHECK_FALSE(has(out, "life.1\""));
  CHECK((run({"events", "--format", "table"}) == exit_code::ok));
  CHECK(out ==
        "1970-01-01T00:00:00.000Z  bender0  joined  peer=bender1\n"
        "1970-01-01T00:00:00.000Z  bender0  left  peer=bender1\n");
  CHECK((run({"events", "--since", "yesterday"}) == exit_code::usage));
}

TEST_CASE_FIXTURE(fixture, "events that were forgotten are told of") {
  for (int i = 0; i < 200; ++i) backend.add_event("joined");

  CHECK((run({"events", "--since=life.1"}) == exit_code::ok));

  CHECK(out.substr(0, 15) == "{\"type\":\"gap\"}\n");
  CHECK(has(err, "have been forgotten"));
}

TEST_CASE_FIXTURE(fixture, "events are followed over restarts of flockd, each seen once") {
  backend.add_event("joined", {{"node", "bender0"}});
  backend.add_event("left", {{"node", "bender0"}});
  ends = {{error_code::down, "cut"}, {error_code::down, "cut"}, {error_code::protocol, "nonsense"}};

  CHECK((run({"events", "--follow"}) == exit_code::some_failed));

  CHECK((cursors == std::vector<std::string>{"", "life.2", "life.2"}));
  CHECK(std::count(out.begin(), out.end(), '\n') == 2);
  CHECK(naps == 2);
  CHECK(has(err, "flockd has gone; waiting for it"));
}

TEST_CASE_FIXTURE(fixture, "events are followed until the time is up, if one is given") {
  ends = {{error_code::down, "cut"}, {error_code::down, "cut"}, {error_code::down, "cut"}};

  CHECK((run({"events", "--follow", "--timeout", "2s"}) == exit_code::ok));

  CHECK(naps == 2);
}

TEST_CASE_FIXTURE(fixture, "a flockd that was never there is not waited for") {
  out_of_reach = flock::error{error_code::unreachable, "/x: Connection refused"};

  CHECK((run({"events", "--follow"}) == exit_code::unreachable));

  CHECK(naps == 0);
}
