#include "tools/flockctl/views.hpp"

#include <doctest/doctest.h>

#include <string>

using flock::from_json;
using flock::ctl::notification_details;
using flock::ctl::render;
using flock::ctl::status_details;

TEST_CASE("a notification is told from what caused it to what came of it") {
  const auto n = *from_json(R"({
    "id": "1f-7", "node": "bender1", "resource": "execute[toast]", "action": "run", "sender": "bender0",
    "state": "failed", "error": {"code": "io", "message": "execute[toast]: run: exit status 3"},
    "causes": [{"node": "bender2", "resource": "file[/a]", "action": "create"},
               {"node": "bender0", "resource": "log[b]", "action": "write"}],
    "created": "2026-01-31T00:00:00.000Z", "expires": "2026-02-01T00:00:00.000Z",
    "attempts": 2, "redelivered": true, "retry_of": "1f-3", "performed_with": null,
    "times": {"queued": "2026-01-31T00:00:00.001Z", "accepted": "2026-01-31T00:00:00.004Z",
              "started": "2026-01-31T00:00:12.401Z", "failed": "2026-01-31T00:03:05.001Z"},
    "outcome": "failed", "exit_status": 3, "output": "no bread\nno toast\n"})");

  CHECK(render(notification_details(n), false) ==
        "id           1f-7\n"
        "action       execute[toast] run\n"
        "node         bender1\n"
        "sender       bender0\n"
        "caused by    bender2/file[/a] create\n"
        "             bender0/log[b] write\n"
        "retry of     1f-3\n"
        "state        failed\n"
        "error        execute[toast]: run: exit status 3\n"
        "outcome      failed\n"
        "exit status  3\n"
        "attempts     2, and maybe once before a crash\n"
        "queued       2026-01-31T00:00:00.001Z\n"
        "accepted     2026-01-31T00:00:00.004Z  +3 ms\n"
        "started      2026-01-31T00:00:12.401Z  +12.4 s\n"
        "failed       2026-01-31T00:03:05.001Z  +3 min 5 s\n"
        "output       no bread\n"
        "             no toast\n");
}

TEST_CASE("a notification that waits tells until when, and of clocks that differ") {
  const auto n = *from_json(R"({"id": "a", "node": "b", "resource": "x[y]", "action": "z", "state": "accepted",
    "expires": "2026-02-01T00:00:00.000Z", "attempts": 0,
    "times": {"queued": "2026-01-31T00:00:00.100Z", "accepted": "2026-01-31T00:00:00.098Z"}})");

  const auto shown = render(notification_details(n), false);

  CHECK(shown.find("accepted  2026-01-31T00:00:00.098Z  -2 ms\n") != std::string::npos);
  CHECK(shown.find("expires   2026-02-01T00:00:00.000Z\n") != std::string::npos);
  CHECK(shown.find("attempts") == std::string::npos);
}

TEST_CASE("the state of what is shown has a color if colors are wanted, and nothing else drives the terminal") {
  const auto n = *from_json(R"({"id": "a\u001b[31m", "state": "succeeded"})");

  const auto shown = render(notification_details(n), true);

  CHECK(shown.find("state   \033[32msucceeded\033[0m\n") != std::string::npos);
  CHECK(shown.find("a [31m\n") != std::string::npos);
}

TEST_CASE("status tells how the node is, what waits for whom, and what went wrong last") {
  const auto s = *from_json(R"({
    "id": "bender0", "incarnation": "00ff", "version": "0.1", "address": "127.0.0.1:2", "environment": "production",
    "started": "2026-01-31T00:00:00.000Z", "tls": true, "resources": 3, "run": null,
    "registry": {"url": "zk://zk1/flock", "state": "ready", "registered": true, "id_taken_by": null,
                 "server": "10.0.0.1:2181", "session": 7, "operations": 9, "last_error": ""},
    "peers": [{"node": "bender1", "address": "127.0.0.1:3", "version": "0.1", "state": "alive", "queued_bytes": 0,
               "outbox": 1},
              {"node": "leela", "address": "127.0.0.1:4", "version": "0.1", "state": "suspect", "queued_bytes": 12,
               "outbox": 0}],
    "queues": {"outbox": 13, "oldest": "2026-01-31T00:00:01.000Z", "notifications_open": 13,
               "receivers": [{"node": "bender1", "waiting": 1, "connected": true},
                             {"node": "fry", "waiting": 12, "connected": false}],
               "notifications": {"queued": 13, "accepted": 0, "succeeded": 120, "failed": 1}},
    "journal": {"path": "/state/journal.db", "bytes": 4096, "commits": 7, "waiting": 2, "set_aside": 0,
                "trouble": "the disk is full", "last_error": "the disk is full"},
    "chef": {"run": null, "resources": 12, "waiting": 1,
             "last": {"ended": "2026-01-31T00:00:01.500Z", "success": false, "error": "exit status 1"}},
    "something": {"new": 1},
    "troubles": [{"at": "2026-01-31T00:00:02.000Z", "level": "error", "text": "not notified: x"}]})");

  CHECK(render(status_details(s), false) ==
        "id             bender0\n"
        "incarnation    00ff\n"
        "environment    production\n"
        "version        0.1\n"
        "started        2026-01-31T00:00:00.000Z\n"
        "address        127.0.0.1:2, over TLS\n"
        "registry       ready, this node is registered\n"
        "               zk://zk1/flock, through 10.0.0.1:2181\n"
        "journal        /state/journal.db, 4096 bytes\n"
        "               2 writes are not durable yet\n"
        "               it takes no writes: the disk is full\n"
        "resources      3\n"
        "run            none\n"
        "chef           no run, 12 resources, 1 waiting actions\n"
        "               the last run ended 2026-01-31T00:00:01.500Z badly: exit status 1\n"
        "notifications  13 queued, 120 succeeded, 1 failed\n"
        "undelivered    13, the oldest since 2026-01-31T00:00:01.000Z\n"
        "               bender1  1\n"
        "               fry      12  not connected\n"
        "peers          bender1  alive    127.0.0.1:3  0.1\n"
        "               leela    suspect  127.0.0.1:4  0.1  12 bytes to be sent\n"
        "something.new  1\n"
        "last errors    2026-01-31T00:00:02.000Z  error  not notified: x\n");
}

TEST_CASE("of Chef nothing is told where it never was, and of a run under way which it is") {
  const auto quiet = *from_json(R"({"chef": {"run": null, "resources": 0, "waiting": 0, "last": null}})");
  CHECK(render(status_details(quiet), false).find("chef") == std::string::npos);

  const auto busy = *from_json(R"({"chef": {"run": "life.chef1", "resources": 2, "waiting": 0,
    "last": {"ended": "2026-01-31T00:00:01.500Z", "success": true, "error": null}}})");
  const auto shown = render(status_details(busy), false);
  CHECK(shown.find("run life.chef1, 2 resources, 0 waiting actions\n") != std::string::npos);
  CHECK(shown.find("the last run ended 2026-01-31T00:00:01.500Z well\n") != std::string::npos);
}
