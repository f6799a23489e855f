// What users do with notifications: wait for them, look at them, take them back, try them again, and follow them over
// restarts. Real ZooKeeper and flockd.

#include "tests/support/polling.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/cluster/child.hpp"
#include "tools/cluster/files.hpp"
#include <flock/testing/local_cluster.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace flock;
using namespace flock::testing;

namespace {

/// Two nodes; bender1 declares what `flaky` and `slow` are.
struct fixture {
  const std::string flockctl = (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "flockctl").string();
  temporary_folder out;
  local_cluster flock;
  cluster_node& bender0 = flock.node("bender0");
  cluster_node& bender1 = flock.node("bender1");

  fixture() : flock(start()) {}

  std::string path(const char* name) const { return (out.path() / name).string(); }
  void touch(const char* name) const { std::ofstream(path(name)) << "x"; }

  local_cluster start() {
    local_cluster::options o;
    o.nodes = 2;
    // `flaky` fails until it is mended; `slow` says that it is performed, and waits until the test lets it go.
    o.resources["bender1"] = R"({
      "execute[flaky]": {"action": "nothing", "command": "echo no toast; test -e )" +
                             path("mended") + R"( || exit 3"},
      "execute[slow]": {"action": "nothing",
                        "command": "echo done >> )" +
                             path("slow") + R"(; while [ ! -e )" + path("go") + R"( ]; do sleep 0.05; done"}})";
    o.resources["bender0"] = R"({"execute[in a run]": {"command": ")" + flockctl +
                             R"( notify 'execute[slow]' run --node bender1 --on success"}})";
    auto started = local_cluster::start(o);
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().what));
    return *std::move(started);
  }

  /// What flockctl prints, one value for each line.
  value::list ask(std::vector<std::string> words, int expected = 0) {
    words.insert(words.end(), {"--format", "json"});
    const auto said = bender0.flockctl(words);
    REQUIRE(said);
    CHECK_MESSAGE(said->exit_status == expected, said->err);
    value::list all;
    std::istringstream lines(said->out);
    for (std::string line; std::getline(lines, line);) all.push_back(from_json(line).value());
    return all;
  }
  std::string notify(const char* resource, std::vector<std::string> more = {}, int expected = 0) {
    std::vector<std::string> words{"notify", resource, "run", "--node", "bender1"};
    words.insert(words.end(), more.begin(), more.end());
    const auto sent = ask(words, expected);
    REQUIRE(sent.size() == 1);
    return *sent[0]["id"].as_text();
  }
  value show(const std::string& id) { return ask({"notification", "show", id}).at(0); }
  int exit_of(std::vector<std::string> words) { return bender0.flockctl(words)->exit_status; }
};

}  // namespace

TEST_CASE_FIXTURE(fixture,
                  "a failed action shows its exit status and output, and can be tried again until it succeeds") {
  const auto first = notify("execute[flaky]", {"--wait", "completed"}, 1);
  auto shown = show(first);
  CHECK(shown["state"] == value("failed"));
  CHECK(shown["exit_status"] == value(3));
  CHECK(shown["output"] == value("no toast\n"));
  CHECK(shown["error"]["message"] == value("execute[flaky]: run: exit status 3"));
  for (const char* state : {"queued", "accepted", "started", "failed"}) CHECK(shown["times"][state].as_text());

  touch("mended");
  const auto again = ask({"notification", "retry", first}).at(0);

  const auto second = *again["id"].as_text();
  CHECK(second != first);
  CHECK(again["retry_of"] == value(first));
  CHECK(eventually([&] { return show(second)["state"] == value("succeeded"); }));
  CHECK(exit_of({"notification", "retry", second}) == 1);
  CHECK(exit_of({"notification", "cancel", second}) == 1);
  CHECK(exit_of({"notification", "retry", "nobody-1"}) == 4);
  CHECK(exit_of({"notification", "cancel", "nobody-1"}) == 4);
  const auto known = bender1.get("/v1/notifications/" + second);
  REQUIRE(known);
  CHECK((*known)["retry_of"] == value(first));                                  // the receiver knows, too
  CHECK(bender1.flockctl({"notification", "retry", first})->exit_status == 1);  // it is bender0's
}

TEST_CASE_FIXTURE(fixture, "what was not sent yet can be taken back, and tried again") {
  bender1.stop();
  const auto id = notify("execute[slow]", {"--timeout", "1s"}, 3);

  CHECK(ask({"notification", "cancel", id}).at(0)["state"] == value("cancelled"));
  CHECK(exit_of({"notification", "cancel", id}) == 0);  // once more does no harm
  const auto again = *ask({"notification", "retry", id}).at(0)["id"].as_text();
  CHECK(exit_of({"notification", "retry", id}) == 1);  // it is being tried again
  touch("go");
  REQUIRE(bender1.start());

  CHECK(eventually([&] { return show(again)["state"] == value("succeeded"); }, 30s));
  CHECK(show(id)["state"] == value("cancelled"));
  CHECK(contents(path("slow")) == "done\n");
}

TEST_CASE_FIXTURE(fixture, "the same action that waits several times is performed once, and all are told") {
  const auto first = notify("execute[slow]");
  REQUIRE(eventually([&] { return show(first)["state"] == value("started"); }));
  std::vector<std::string> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(notify("execute[slow]"));
  for (const auto& id : waiting) CHECK(show(id)["state"] == value("accepted"));  // it has not begun

  touch("go");

  for (const auto& id : waiting) REQUIRE(eventually([&] { return show(id)["state"] == value("succeeded"); }));
  CHECK(contents(path("slow")) == "done\ndone\n");
  CHECK(show(waiting[0])["performed_with"].is_null());
  CHECK(show(waiting[2])["performed_with"] == value(waiting[0]));
  CHECK(show(waiting[2])["attempts"] == value(1));
}

TEST_CASE_FIXTURE(fixture, "within a run, --on sends at its end; without one it is refused") {
  touch("go");
  CHECK(exit_of({"notify", "execute[slow]", "run", "--node", "bender1", "--on", "success"}) == 1);

  const auto run = bender0.flockctl({"converge"});

  REQUIRE(run);
  CHECK_MESSAGE(run->exit_status == 0, run->err);
  CHECK(eventually([&] { return contents(path("slow")) == "done\n"; }));
}

TEST_CASE_FIXTURE(fixture, "events go on after a restart, each seen once") {
  touch("go");
  notify("execute[slow]", {"--wait", "completed"});
  const auto before = ask({"events"});
  REQUIRE_FALSE(before.empty());
  const auto cursor = *before.back()["cursor"].as_text();

  bender0.kill();
  REQUIRE(bender0.start());
  notify("execute[slow]", {"--wait", "completed", "--timeout", "30s"});

  const auto later = ask({"events", "--since", cursor});
  REQUIRE_FALSE(later.empty());
  CHECK(later.front()["type"] != value("gap"));
  const auto number = [](const std::string& c) { return std::stoull(c.substr(c.rfind('.') + 1)); };
  CHECK(number(*later.front()["cursor"].as_text()) == number(cursor) + 1);
  // It is shown when it is durable, which is after the end that it tells of.
  CHECK(eventually([&] {
    const auto now = ask({"events", "--since", cursor});
    return std::any_of(now.begin(), now.end(), [](const value& e) { return e["type"] == value("succeeded"); });
  }));
}

TEST_CASE_FIXTURE(fixture, "whoever follows events sees each once, over a kill and a restart") {
  touch("go");
  const auto seen = path("seen");
  auto follower = child::start(
      {.command = {flockctl, "--socket", bender0.socket(), "events", "--follow", "--format", "json"}, .output = seen});
  REQUIRE(follower.has_value());
  const auto lines = [&](const std::string& part) {
    const auto text = contents(seen);
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  notify("execute[slow]", {"--wait", "completed"});
  REQUIRE(eventually([&] { return lines(R"("type":"succeeded")") == 1; }));

  bender0.kill();
  REQUIRE(bender0.start());
  notify("execute[slow]", {"--wait", "completed", "--timeout", "30s"});

  REQUIRE(eventually([&] { return lines(R"("type":"succeeded")") == 2; }));
  std::uint64_t expected = 0;
  std::istringstream all(contents(seen));
  for (std::string line; std::getline(all, line); ++expected) {
    const auto cursor = *from_json(line).value()["cursor"].as_text();
    const auto number = std::stoull(cursor.substr(cursor.rfind('.') + 1));
    if (expected == 0) expected = number;
    CHECK(number == expected);
  }
}

TEST_CASE_FIXTURE(fixture, "notifications are listed by state and target, and counted by status") {
  notify("execute[flaky]", {"--wait", "completed"}, 1);
  touch("go");
  notify("execute[slow]", {"--wait", "completed"});

  CHECK(ask({"notifications"}).size() == 2);
  CHECK(ask({"notifications", "--state", "failed"}).size() == 1);
  CHECK(ask({"notifications", "--state", "failed", "--node", "bender1"}).size() == 1);
  CHECK(ask({"notifications", "--node", "bender0"}).empty());
  const auto status = ask({"status"}).at(0);
  CHECK(status["queues"]["notifications"]["failed"] == value(1));
  CHECK(status["queues"]["notifications"]["succeeded"] == value(1));
}
