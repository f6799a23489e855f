#include "tests/support/flockctl_over_api.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

// flockctl events: what is kept, and what comes, over restarts of flockd.

using namespace std::chrono_literals;
using namespace flock::testing;
using flock::error_code;
using flock::ctl::exit_code;

TEST_CASE_FIXTURE(flockctl_over_api, "events are printed from a cursor on") {
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

TEST_CASE_FIXTURE(flockctl_over_api, "events that were forgotten are told of") {
  for (int i = 0; i < 200; ++i) backend.add_event("joined");

  CHECK((run({"events", "--since=life.1"}) == exit_code::ok));

  CHECK(out.substr(0, 15) == "{\"type\":\"gap\"}\n");
  CHECK(has(err, "have been forgotten"));
}

TEST_CASE_FIXTURE(flockctl_over_api, "events are followed over restarts of flockd, each seen once") {
  backend.add_event("joined", {{"node", "bender0"}});
  backend.add_event("left", {{"node", "bender0"}});
  ends = {{error_code::down, "cut"}, {error_code::down, "cut"}, {error_code::protocol, "nonsense"}};

  CHECK((run({"events", "--follow"}) == exit_code::some_failed));

  CHECK((cursors == std::vector<std::string>{"", "life.2", "life.2"}));
  CHECK(std::count(out.begin(), out.end(), '\n') == 2);
  CHECK(naps == 2);
  CHECK(has(err, "flockd has gone; waiting for it"));
}

TEST_CASE_FIXTURE(flockctl_over_api, "events are followed until the time is up, if one is given") {
  ends = {{error_code::down, "cut"}, {error_code::down, "cut"}, {error_code::down, "cut"}};

  CHECK((run({"events", "--follow", "--timeout", "2s"}) == exit_code::ok));

  CHECK(naps == 2);
}

TEST_CASE_FIXTURE(flockctl_over_api, "a flockd that was never there is not waited for") {
  out_of_reach = flock::error{error_code::unreachable, "/x: Connection refused"};

  CHECK((run({"events", "--follow"}) == exit_code::unreachable));

  CHECK(naps == 0);
}
