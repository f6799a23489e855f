#include "tests/support/flockctl_over_api.hpp"
#include "tools/flockctl/command.hpp"
#include "tools/flockctl/help.hpp"

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

// What each command of flockctl asks its flockd, and how answers and refusals are shown.

using namespace std::chrono_literals;
using namespace flock::testing;
using flock::error_code;
using flock::value;
using flock::ctl::exit_code;

TEST_CASE_FIXTURE(flockctl_over_api, "each command asks flockd for what it says") {
  CHECK(asked_by({"status"}) == "GET /v1/status");
  CHECK(asked_by({"node", "show", "bender1"}) == "GET /v1/nodes/bender1");
  CHECK(asked_by({"notification", "show", "bender0.1f.7"}) == "GET /v1/notifications/bender0.1f.7");
  CHECK(asked_by({"ping", "bender1"}) == "GET /v1/ping/bender1");
  CHECK(asked_by({"reload"}) == "POST /v1/reload");
  CHECK(asked_by({"converge"}) == R"(POST /v1/converge {"why_run":false})");
  CHECK(asked_by({"converge", "--why-run"}) == R"(POST /v1/converge {"why_run":true})");
  CHECK(asked_by({"call", "bender1/itchy", "fight", "-1", R"("x")", "[1, 2]"}) ==
        R"(POST /v1/call/bender1/itchy/fight [-1,"x",[1,2]])");
  CHECK(asked_by({"call", "bender1/file[/tmp/a b]", "create"}) ==
        "POST /v1/call/bender1/file%5B%2Ftmp%2Fa%20b%5D/create []");

  backend.reply = value(value::list{});

  CHECK(asked_by({"nodes"}) == "GET /v1/nodes");
  CHECK(asked_by({"nodes", "--node", "a", "--node", "b"}) == "GET /v1/nodes?node=a&node=b");
  CHECK(asked_by({"nodes", "--role=web", "--environment=prod", "--any"}) ==
        "GET /v1/nodes?role=web&environment=prod&any=true");
  CHECK(asked_by({"nodes", "--query", "role:web AND tags:new", "--all-of"}) ==
        "GET /v1/nodes?query=role:web AND tags:new");
  CHECK(asked_by({"actors"}) == "GET /v1/actors");
  CHECK(asked_by({"actors", "bender1"}) == "GET /v1/actors?node=bender1");
  CHECK(asked_by({"resources"}) == "GET /v1/resources");
  CHECK(asked_by({"resources", "bender1"}) == "GET /v1/resources?node=bender1");
  CHECK(asked_by({"subscriptions"}) == "GET /v1/subscriptions");
  CHECK(asked_by({"subscriptions", "bender1"}) == "GET /v1/subscriptions?node=bender1");
  CHECK(asked_by({"notifications"}) == "GET /v1/notifications");
  CHECK(asked_by({"notifications", "--state", "failed", "--node", "b"}) == "GET /v1/notifications?node=b&state=failed");
  CHECK(asked_by({"updated", "file[/tmp/fubar]", "create"}) ==
        R"(POST /v1/updated {"action":"create","resource":"file[/tmp/fubar]"})");
  CHECK(has(asked_by(notify), R"("resource":"execute[kill all humans]")"));
  CHECK(asked_by({"notification", "cancel", "bender0.1f.7"}) == "POST /v1/notifications/bender0.1f.7/cancel");
  CHECK(asked_by({"notification", "retry", "bender0.1f.7"}) == "POST /v1/notifications/bender0.1f.7/retry");
}

TEST_CASE_FIXTURE(flockctl_over_api, "every command of the list is helped with and names its usage") {
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

TEST_CASE_FIXTURE(flockctl_over_api, "no line of help is wider than 80 columns") {
  std::vector<std::string> pages{flock::ctl::help()};
  for (const auto& c : flock::ctl::commands()) pages.push_back(flock::ctl::help(c));

  for (const auto& page : pages) {
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
      // An example is a line that can be copied.
      const bool is_example = line.starts_with("  flockctl ");
      CHECK_MESSAGE((line.size() <= 80 || is_example), line);
    }
  }
}

TEST_CASE_FIXTURE(flockctl_over_api, "the first word of several commands is helped with, too") {
  CHECK((run({"help", "notification"}) == exit_code::ok));
  CHECK(has(out, "  notification cancel ID"));
  CHECK(has(out, "  notification retry ID"));
  CHECK((run({"help", "node"}) == exit_code::ok));
  CHECK(has(out, "  node show ID"));
}

TEST_CASE_FIXTURE(flockctl_over_api, "the version is told as people ask for it") {
  for (const char* asked : {"--version", "-V", "version"}) {
    CHECK((run({asked}) == exit_code::ok));
    CHECK(has(out, "flockctl "));
  }
}

TEST_CASE_FIXTURE(flockctl_over_api, "options of commands are known ones") {
  std::set<std::string_view> known;
  for (const auto& o : flock::ctl::options()) known.insert(o.name);

  for (const auto& c : flock::ctl::commands())
    for (const auto name : c.options) CHECK_MESSAGE(known.count(name) == 1, name);
}

TEST_CASE_FIXTURE(flockctl_over_api, "wrong usage names what was wrong and asks nobody") {
  CHECK(refusal_of({}) == "flockctl: which command?");
  CHECK(refusal_of({"nodse"}) == "flockctl: no such command: nodse; did you mean nodes?");
  CHECK(refusal_of({"frobnicate"}) == "flockctl: no such command: frobnicate");
  CHECK(refusal_of({"node"}) == "flockctl: no such command: node; there is node show");
  CHECK(refusal_of({"notification"}) ==
        "flockctl: no such command: notification; there is notification show, notification cancel, notification "
        "retry");
  CHECK(refusal_of({"node", "hide"}) == "flockctl: no such command: node hide; there is node show");
  CHECK(refusal_of({"notification", "cancel"}) ==
        "flockctl: notification cancel needs more; usage: flockctl notification cancel ID");
  CHECK(has(refusal_of({"notification", "retry", "a", "b"}), "notification retry does not take b"));
  CHECK(refusal_of({"notification", "retry", "a", "--node", "b"}) ==
        "flockctl: --node is no option of notification retry");
  CHECK(refusal_of({"run-chef", "--node", "a", "--wait", "sometimes"}) ==
        "flockctl: --wait is one of accepted|completed, not sometimes");
  CHECK(refusal_of({"run-chef", "--wait", "--node", "a", "b"}) ==
        "flockctl: run-chef does not take b; usage: flockctl run-chef LOCATION");
  CHECK(has(refusal_of(notify + std::vector<std::string>{"--on", "sunday"}), "--on is one of always|success|failure"));
  CHECK(refusal_of(notify + std::vector<std::string>{"--on", "success", "--wait", "completed"}) ==
        "flockctl: --on sends at the end of the run: there is nothing to --wait for before");
  CHECK(refusal_of({"help", "nodse"}) == "flockctl: no such command: nodse; did you mean nodes?");
  CHECK(refusal_of({"node", "show", ""}) == "flockctl: node show does not take \"\"; usage: flockctl node show ID");
  CHECK(refusal_of({"notify", "toast", "run", "--node", "a"}) ==
        "flockctl: resource: resource \"toast\": expected type[name]");
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
}

TEST_CASE_FIXTURE(flockctl_over_api, "the socket is the one named by the option, the environment, or the usual one") {
  run({"status"});
  CHECK(socket == "/run/flock/flockd.sock");

  environment["FLOCK_SOCKET"] = "/tmp/a.sock";
  run({"status"});
  CHECK(socket == "/tmp/a.sock");

  run({"--socket", "/tmp/b.sock", "status"});
  CHECK(socket == "/tmp/b.sock");
}

TEST_CASE_FIXTURE(flockctl_over_api,
                  "data are tables on a terminal and lines of JSON elsewhere, unless asked otherwise") {
  backend.reply = value(value::list{value::map{{"id", "bender0"}, {"state", "alive"}}, value::map{{"id", "bender1"}}});

  run({"nodes"});
  CHECK(out == "{\"id\":\"bender0\",\"state\":\"alive\"}\n{\"id\":\"bender1\"}\n");
  run({"nodes", "--format", "table"});
  CHECK(out == "ID       STATE\nbender0  alive\nbender1\n");

  out_is_terminal = err_is_terminal = true;
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

TEST_CASE_FIXTURE(flockctl_over_api, "where there is nothing to show, people are told so, and programs get no line") {
  backend.reply = value(value::list{});

  CHECK((run({"resources", "--format", "table"}) == exit_code::ok));
  CHECK(out.empty());
  CHECK(err == "flockctl: no resources\n");
  CHECK((run({"updated", "file[x]", "create", "--format", "table"}) == exit_code::ok));
  CHECK(err == "flockctl: nobody is notified\n");
  CHECK((run({"resources", "--format", "json"}) == exit_code::ok));
  CHECK(out.empty());
  CHECK(err.empty());
}

TEST_CASE_FIXTURE(flockctl_over_api, "progress is shown on a terminal only") {
  backend.reply = value(value::list{value::map{{"node", "bender1"}, {"state", "accepted"}}});

  run(notify);
  CHECK(err.empty());

  out_is_terminal = err_is_terminal = true;
  run(notify);
  CHECK(err == "waiting for the nodes ...\r\033[K");
}

TEST_CASE_FIXTURE(flockctl_over_api, "what a method returned is printed as JSON") {
  backend.reply = value("Bite!");

  run({"call", "bender1/itchy", "fight", "1"});

  CHECK(out == "\"Bite!\"\n");
}

TEST_CASE_FIXTURE(flockctl_over_api, "each ping has its number") {
  backend.reply = value(value::map{{"node", "bender1"}, {"rtt_us", 312}});

  run({"ping", "bender1", "--count", "2"});
  CHECK(out == "{\"node\":\"bender1\",\"rtt_us\":312,\"seq\":1}\n{\"node\":\"bender1\",\"rtt_us\":312,\"seq\":2}\n");

  run({"ping", "bender1", "--format", "table"});
  CHECK(out == "bender1 seq=1 rtt=312us\n");
}

TEST_CASE_FIXTURE(flockctl_over_api, "the daemon's deadline is the command's, and flockctl waits a second longer") {
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

TEST_CASE_FIXTURE(flockctl_over_api, "what flockd refuses is said on stderr and tells by the exit code") {
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

TEST_CASE_FIXTURE(flockctl_over_api, "a flockd that is not there, or not for us, is said with what to try") {
  out_of_reach = flock::error{error_code::unreachable, "/run/flock/flockd.sock: No such file or directory"};
  CHECK((run({"status"}) == exit_code::unreachable));
  CHECK(has(err, "no flockd answers at /run/flock/flockd.sock: No such file or directory; is it running"));

  out_of_reach = flock::error{error_code::refused, "/nowhere: Permission denied"};
  CHECK((run({"--socket=/nowhere", "status"}) == exit_code::denied));
  CHECK(has(err, "members of the group flock\n"));

  out_of_reach = flock::error{error_code::timeout, "no reply by the deadline"};
  CHECK((run({"status"}) == exit_code::timed_out));
}

TEST_CASE_FIXTURE(flockctl_over_api, "a run that failed is a failure, also of flockctl") {
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

TEST_CASE_FIXTURE(flockctl_over_api, "an action that was called and failed is a failure, also of flockctl") {
  backend.reply = value(value::map{
      {"outcome", "failed"}, {"exit_status", 3}, {"error", value::map{{"code", "io"}, {"message", "exit status 3"}}}});

  CHECK((run({"call", "bender1/execute[x]", "run"}) == exit_code::some_failed));

  CHECK(has(out, R"("exit_status":3)"));
}
