// A resource that changes on one machine makes resources on others act: real ZooKeeper, real flockd, mutual TLS, and
// commands that really run.

#include "tests/support/polling.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/cluster/files.hpp"
#include <flock/testing/local_cluster.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace std::chrono_literals;
using flock::testing::contents;
using flock::testing::eventually;
using flock::testing::local_cluster;
using flock::testing::temporary_folder;

TEST_CASE("an update on one node runs an action on another at once and a subscribed one at the end of the run") {
  const temporary_folder out;
  const auto fubar = (out.path() / "fubar").string();
  local_cluster::options o;
  o.nodes = 3;
  o.tls = true;
  o.resources["bender0"] = R"({"file[)" + fubar + R"(]": {"content": "foobar", "remote_notifies": [
    {"action": "run", "resource": "execute[kill all humans]", "node": "bender1", "timing": "immediately"}]}})";
  o.resources["bender1"] = R"({"execute[kill all humans]": {"action": "nothing", "command": "echo killed >> )" +
                           (out.path() / "humans").string() + R"("}})";
  o.resources["bender2"] = R"({"execute[toast]": {"action": "nothing", "command": "echo toast >> )" +
                           (out.path() / "toast").string() + R"(", "remote_subscribes": [
    {"action": "run", "resource": "file[)" +
                           fubar + R"(]", "node": "bender0", "timing": "delayed"}]}})";
  auto flock = local_cluster::start(o);
  REQUIRE_MESSAGE(flock.has_value(), (flock ? "" : flock.error().what));
  auto& bender0 = flock->node("bender0");
  REQUIRE(eventually([&] {  // its wish is told as soon as the two are connected
    const auto peers = bender0.get("/v1/status");
    return peers && flock::to_json(*peers).find("bender2") != std::string::npos;
  }));
  REQUIRE(flock->node("bender2").flockctl({"ping", "bender0"})->exit_status == 0);

  const auto converged = bender0.flockctl({"converge", "--format", "json"});

  REQUIRE(converged);
  CHECK_MESSAGE(converged->exit_status == 0, converged->err);
  CHECK(contents(fubar) == "foobar");
  CHECK(eventually([&] { return contents(out.path() / "humans") == "killed\n"; }));
  CHECK(eventually([&] { return contents(out.path() / "toast") == "toast\n"; }));
  CHECK(eventually([&] {
    const auto all = bender0.flockctl({"notifications", "--state", "succeeded", "--format", "json"});
    return all && std::count(all->out.begin(), all->out.end(), '\n') == 2;
  }));

  SUBCASE("a second run changes nothing and notifies nobody") {
    REQUIRE(bender0.flockctl({"converge"})->exit_status == 0);
    REQUIRE(flock->node("bender1").flockctl({"ping", "bender0"})->exit_status == 0);
    CHECK(contents(out.path() / "humans") == "killed\n");
    CHECK(contents(out.path() / "toast") == "toast\n");
  }

  SUBCASE("notify performs a declared action and answers with its result") {
    const auto sent = bender0.flockctl(
        {"notify", "execute[kill all humans]", "run", "--node", "bender1", "--wait", "completed", "--format", "json"});
    REQUIRE(sent);
    CHECK_MESSAGE(sent->exit_status == 0, sent->err);
    CHECK(sent->out.find(R"("state":"succeeded")") != std::string::npos);
    CHECK(contents(out.path() / "humans") == "killed\nkilled\n");
  }

  SUBCASE("what is not there is said, and exits with 4") {
    CHECK(bender0.flockctl({"notify", "execute[x]", "run", "--node", "bender9"})->exit_status == 4);
    CHECK(bender0.flockctl({"notify", "execute[x]", "run", "--node", "bender1"})->exit_status == 4);
    CHECK(bender0.flockctl({"notify", "execute[kill all humans]", "dance", "--node", "bender1"})->exit_status == 4);
    CHECK(bender0.flockctl({"notify", "execute[x]", "run", "--role", "nobody"})->exit_status == 4);
    CHECK(bender0.flockctl({"ping", "bender9"})->exit_status == 4);
    CHECK(bender0.flockctl({"call", "bender1/nobody", "x"})->exit_status == 4);
  }

  SUBCASE("a node that was killed and comes back gets what was sent meanwhile") {
    auto& bender1 = flock->node("bender1");
    bender1.kill();
    const auto sent = bender0.flockctl(
        {"notify", "execute[kill all humans]", "run", "--node", "bender1", "--timeout", "1s", "--format", "json"});
    REQUIRE(sent);
    CHECK(sent->out.find(R"("state":"queued")") != std::string::npos);
    REQUIRE(bender1.start());
    CHECK(eventually([&] { return contents(out.path() / "humans") == "killed\nkilled\n"; }, 30s));
  }
}
