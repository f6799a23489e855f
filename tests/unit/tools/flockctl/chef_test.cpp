#include "tests/support/flockctl_shell.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using namespace flock::testing;
using flock::control_reply;
using flock::ctl::exit_code;
using flock::ctl::local_flockd;

namespace {

using lines = std::vector<std::string>;

/// flockctl with a flockd whose answers are a script: for each path what it says one time after the other, the last
/// from then on.
class fixture : public flockctl_shell {
 public:
  void answers(const std::string& path, std::deque<std::string> replies) { script_[path] = std::move(replies); }
  void call_answers(const std::string& node, const std::string& method, std::deque<std::string> results) {
    for (auto& r : results) r = r.starts_with("!") ? r : R"({"result":)" + r + "}";
    answers("/v1/call/" + node + "/flock_api/" + method, std::move(results));
  }

  lines asked;  ///< by the last command that spoke to flockd

 private:
  local_flockd::reply reply(std::string_view target) {
    const std::string path(target.substr(0, target.find('?')));
    asked.push_back(path.substr(path.find('/', 1) + 1));
    auto& replies = script_[path];
    if (replies.empty()) return failure("not_found");
    const auto next = replies.front();
    if (replies.size() > 1) replies.pop_front();
    return next.starts_with("!") ? failure(next.substr(1)) : control_reply{200, next};
  }
  static control_reply failure(const std::string& code) {
    return {404, R"({"error":{"code":")" + code + R"(","message":"no such thing"}})"};
  }

  local_flockd connect(const std::string& path) override {
    asked.clear();
    return local_flockd({.get = [this](auto target, auto) { return reply(target); },
                         .post = [this](auto target, auto, auto) { return reply(target); },
                         .follow = {}},
                        path);
  }

  std::map<std::string, std::deque<std::string>> script_;
};

const std::string three = R"({"nodes":[{"id":"a"},{"id":"b"},{"id":"c"}]})";
const std::string good = R"({"success":true,"error":null,"output":""})";
const std::string ended_4 = R"({"number":4})";
const std::string bad = R"({"success":false,"error":"exit status 1","output":"no such recipe"})";

}  // namespace

TEST_CASE_FIXTURE(fixture, "run-chef asks each node of a location, and does not wait") {
  answers("/v1/nodes", {three});
  for (const char* node : {"a", "b", "c"}) call_answers(node, "run_chef", {"4"});

  CHECK((run({"run-chef", "--role", "web"}) == exit_code::ok));

  CHECK(asked == lines{"nodes", "call/a/flock_api/run_chef", "call/b/flock_api/run_chef", "call/c/flock_api/run_chef"});
  CHECK(has(out, R"({"error":null,"node":"a","number":4,"state":"asked"})"));
}

TEST_CASE_FIXTURE(fixture, "run-chef needs a location, and a batch that is one") {
  answers("/v1/nodes", {three});

  CHECK((run({"run-chef"}) == exit_code::usage));
  CHECK(has(err, "which nodes?"));
  for (const char* batch : {"0", "-1", "some", "101%", "%", "2.5"})
    CHECK((run({"run-chef", "--role", "web", "--batch", batch}) == exit_code::usage));
  CHECK((run({"run-chef", "--role", "web", "--splay", "long"}) == exit_code::usage));
}

TEST_CASE_FIXTURE(fixture,
                  "run-chef waits for the ends, over time-outs and nodes out of reach, and says how they went") {
  answers("/v1/nodes", {three});
  for (const char* node : {"a", "b", "c"}) call_answers(node, "run_chef", {"4"});
  call_answers("a", "last", {"null", ended_4});
  call_answers("a", "ended", {good});
  call_answers("b", "last", {"!timeout", "!unreachable", ended_4});
  call_answers("b", "ended", {good});
  call_answers("c", "last", {ended_4});
  call_answers("c", "ended", {bad});

  CHECK((run({"run-chef", "--role", "web", "--wait"}) == exit_code::some_failed));

  CHECK(has(out, R"("node":"b","number":4,"output":"","state":"succeeded"})"));
  CHECK(has(out, R"({"error":"exit status 1","node":"c","number":4,"output":"no such recipe","state":"failed"})"));
}

TEST_CASE_FIXTURE(fixture, "run-chef waits for all nodes of a batch at once, and tells of each as it ends") {
  answers("/v1/nodes", {three});
  for (const char* node : {"a", "b", "c"}) {
    call_answers(node, "run_chef", {"4"});
    call_answers(node, "ended", {good});
    call_answers(node, "last", {"null", ended_4});
  }
  call_answers("a", "last", {"null", "null", "null", "null", ended_4});

  CHECK((run({"run-chef", "--role", "web", "--wait"}) == exit_code::ok));

  CHECK(out.find(R"("node":"b")") < out.find(R"("node":"a")"));
  CHECK(slept < 5s);
}

TEST_CASE_FIXTURE(fixture, "run-chef shows on a terminal how each run goes, and clears that away") {
  err_is_terminal = true;
  answers("/v1/nodes", {three});
  for (const char* node : {"a", "b", "c"}) {
    call_answers(node, "run_chef", {"4"});
    call_answers(node, "ended", {good});
    call_answers(node, "last", {"null", "null", ended_4});
  }
  call_answers("c", "last", {"!unreachable", ended_4});

  CHECK((run({"run-chef", "--role", "web", "--wait"}) == exit_code::ok));

  CHECK(has(err, "a: asked, 0 s\nb: asked, 0 s\nc: asked, 0 s\n\033[3A\033[J"));
  CHECK(has(err, "a: runs, 1 s\nb: runs, 1 s\nc: does not answer, 1 s\n"));
  CHECK(err.ends_with("\033[J"));
}

TEST_CASE_FIXTURE(fixture, "run-chef quotes the end of what a failed run said, below its table") {
  std::string output;
  for (int line = 1; line <= 20; ++line) output += "line " + std::to_string(line) + "\\n";
  answers("/v1/nodes", {R"({"nodes":[{"id":"a"},{"id":"b"}]})"});
  for (const char* node : {"a", "b"}) call_answers(node, "run_chef", {"4"});
  call_answers("a", "last", {ended_4});
  call_answers("a", "ended", {R"({"success":false,"error":"exit status 1","output":")" + output + R"("})"});
  call_answers("b", "last", {ended_4});
  call_answers("b", "ended", {R"({"success":false,"error":"exit status 1","output":"short"})"});

  CHECK((run({"run-chef", "--role", "web", "--wait", "--format", "table"}) == exit_code::some_failed));

  CHECK_FALSE(has(err, "line 5\n"));
  CHECK(has(err, "the end of what a said:\nline 6\n"));
  CHECK(has(err, "line 20\nflockctl: the end of what b said:\nshort\n"));
}

TEST_CASE_FIXTURE(fixture, "run-chef does not wait for a run whose flockd has forgotten it") {
  answers("/v1/nodes", {R"({"nodes":[{"id":"a","incarnation":"one"}]})"});
  call_answers("a", "run_chef", {"4"});
  call_answers("a", "last", {"null"});
  answers("/v1/nodes/a", {R"({"incarnation":"one"})", R"({"incarnation":"two"})"});

  CHECK((run({"run-chef", "--node", "a", "--wait"}) == exit_code::timed_out));

  CHECK(has(out, R"({"error":"its flockd was restarted during the run","node":"a","number":4,"state":"unknown"})"));
}

TEST_CASE_FIXTURE(fixture, "run-chef tells what it did not see the end of") {
  answers("/v1/nodes", {R"({"nodes":[{"id":"a"}]})"});
  call_answers("a", "run_chef", {"4"});
  call_answers("a", "last", {"!unreachable"});

  CHECK((run({"run-chef", "--role", "web", "--wait", "--timeout", "10s"}) == exit_code::timed_out));
  CHECK(has(out, R"("state":"unknown")"));
}

TEST_CASE_FIXTURE(fixture, "run-chef has exit codes for nodes that may not or cannot be asked") {
  answers("/v1/nodes", {R"({"nodes":[{"id":"a"}]})"});

  call_answers("a", "run_chef", {"!refused"});
  CHECK((run({"run-chef", "--node", "a"}) == exit_code::denied));
  call_answers("a", "run_chef", {"!not_found"});
  CHECK((run({"run-chef", "--node", "a"}) == exit_code::no_target));
}

TEST_CASE_FIXTURE(fixture, "run-chef begins a batch when the one before has ended well, and stops where it has not") {
  answers("/v1/nodes", {three});
  for (const char* node : {"a", "b", "c"}) {
    call_answers(node, "run_chef", {"4"});
    call_answers(node, "last", {ended_4});
    call_answers(node, "ended", {good});
  }

  CHECK((run({"run-chef", "--role", "web", "--batch", "50%"}) == exit_code::ok));
  CHECK(asked == lines{"nodes", "call/a/flock_api/run_chef", "call/a/flock_api/last", "call/a/flock_api/ended",
                       "call/b/flock_api/run_chef", "call/b/flock_api/last", "call/b/flock_api/ended",
                       "call/c/flock_api/run_chef", "call/c/flock_api/last", "call/c/flock_api/ended"});

  call_answers("b", "ended", {bad});
  CHECK((run({"run-chef", "--role", "web", "--batch", "2"}) == exit_code::some_failed));
  CHECK(has(err, "stopped; not asked: 1 of 3 nodes"));
  CHECK_FALSE(has(out, R"("node":"c")"));
}

TEST_CASE_FIXTURE(fixture, "run-chef spreads the starts over its splay") {
  answers("/v1/nodes", {three});
  for (const char* node : {"a", "b", "c"}) call_answers(node, "run_chef", {"4"});

  CHECK((run({"run-chef", "--role", "web", "--splay", "10m"}) == exit_code::ok));
  CHECK(slept > 0ms);
  CHECK(slept < 10min);
}

TEST_CASE_FIXTURE(fixture, "wait ends when all its conditions hold") {
  answers("/v1/nodes/a", {"!not_found", R"({"state":"suspect"})", R"({"state":"alive"})"});
  call_answers("a", "active", {"true", "true", "false"});
  answers("/v1/call/a/execute%5Bx%3Dy%5D/state", {"!not_found", R"({"result":{"state":"idle","outcome":"failed"}})",
                                                  R"({"result":{"state":"idle","outcome":"updated"}})"});

  CHECK((run({"wait", "a=alive", "a/run=idle", "a/execute[x=y]=updated"}) == exit_code::ok));
  CHECK(slept == 500ms);
}

TEST_CASE_FIXTURE(fixture, "wait gives up at its time-out, and says what did not come true") {
  answers("/v1/nodes/a", {R"({"state":"dead"})"});

  CHECK((run({"wait", "a=alive", "--timeout", "2s"}) == exit_code::timed_out));
  CHECK(slept == 2s);
  CHECK(has(err, "not in time: a=alive"));

  CHECK((run({"wait", "a=alive"}) == exit_code::timed_out));
  CHECK(slept == 2s + 5min);
}

TEST_CASE_FIXTURE(fixture, "wait refuses what is no condition, and what it may not know") {
  for (const char* text : {"a", "a=well", "two words=alive", "a/run=alive", "a/execute=updated", "a/execute[x]=alive"})
    CHECK_MESSAGE((run({"wait", text}) == exit_code::usage), text);
  CHECK(asked.empty());

  call_answers("a", "active", {"!refused"});
  CHECK((run({"wait", "a/run=idle"}) == exit_code::denied));
}
