#include "tests/support/flockctl_over_api.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

// flockctl notify, until all it asked for has ended, and what is done to notifications afterwards.

using namespace std::chrono_literals;
using namespace flock::testing;
using flock::error_code;
using flock::value;
using flock::ctl::exit_code;

namespace {

using words = std::vector<std::string>;

const words notify_and_wait = notify + words{"--wait", "completed"};

value notification(const char* id, const char* node, const char* state) {
  return value::map{{"id", id}, {"node", node}, {"resource", "execute[x]"}, {"action", "run"}, {"state", state}};
}

}  // namespace

TEST_CASE_FIXTURE(flockctl_over_api, "notify prints a line for each target and ends as they did") {
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

TEST_CASE_FIXTURE(flockctl_over_api, "with --wait completed each target is shown when it has ended") {
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

  CHECK((run(notify_and_wait + words{"--format", "table"}) == exit_code::some_failed));

  REQUIRE(asked.size() == 3);
  CHECK(has(asked[0], "/v1/notify?wait=queued {"));
  CHECK(asked[1] == R"(POST /v1/await {"ids":["1","3"]})");
  CHECK(asked[2] == R"(POST /v1/await {"ids":["1"]})");
  CHECK(out ==
        "ID  NODE  RESOURCE    ACTION  STATE      OUTCOME     ERROR\n"
        "2   b     execute[x]  run     failed\n"
        "3   c     execute[x]  run     succeeded\n"
        "1   a     execute[x]  run     succeeded\n");
}

TEST_CASE_FIXTURE(flockctl_over_api, "what has not ended at the deadline is shown as it stands") {
  backend.on_question = [&](const auto& answer) {
    if (has(backend.asked(), "await")) clock.advance(2s);
    answer(value(value::list{notification("1", "a", has(backend.asked(), "await") ? "started" : "queued")}));
  };

  CHECK((run(notify_and_wait + words{"--timeout", "2s"}) == exit_code::timed_out));

  CHECK(has(out, R"("state":"started")"));
  CHECK(std::count(out.begin(), out.end(), '\n') == 1);
}

TEST_CASE_FIXTURE(flockctl_over_api, "a flockd that is started again is waited for, and its notifications with it") {
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

TEST_CASE_FIXTURE(flockctl_over_api, "on a terminal it is said who is waited for") {
  out_is_terminal = err_is_terminal = true;
  int questions = 0;
  backend.on_question = [&](const auto& answer) {
    value::list all;
    for (const char* node : {"a", "b", "c", "d", "e"})
      all.push_back(notification(node, node, ++questions > 5 ? "succeeded" : "queued"));
    answer(value(std::move(all)));
  };

  CHECK((run(notify_and_wait) == exit_code::ok));

  CHECK(err == "waiting for 5 of 5: a, b, c and 2 more (Ctrl-C ends the wait only) ...\r\033[K");
}

TEST_CASE_FIXTURE(flockctl_over_api,
                  "--on is about the end of the run under way, or of the one that flockctl is called in") {
  const auto on_success = notify + words{"--on", "success"};
  backend.reply = value(value::map{{"notifications", value::list()}, {"run", "life.1"}});

  CHECK((run(on_success) == exit_code::ok));
  CHECK(has(backend.asked(), R"("timing":"delayed")"));
  CHECK(has(backend.asked(), R"("on":"success")"));
  CHECK(out == "{\"notifications\":[],\"run\":\"life.1\"}\n");
  environment["FLOCK_RUN"] = "life.1";
  CHECK((run(on_success + words{"--format", "table"}) == exit_code::ok));
  CHECK(has(backend.asked(), "/v1/notify?run=life.1 {"));
  CHECK(err == "flockctl: will be sent when run life.1 has ended, if it ends with success\n");

  backend.reply = flock::error{error_code::conflict, "no run is under way on this node"};
  CHECK((run(on_success) == exit_code::some_failed));
  CHECK(err ==
        "flockctl: no run is under way on this node, whose end --on could mean; without --on it is sent at once\n");
}

TEST_CASE_FIXTURE(flockctl_over_api, "what was cancelled or is tried again is shown, and a refusal ends with 1") {
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
