// What flockd does with bad input, without a registry, with another one of its name, and at its end.

#include "tests/support/polling.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/client/control_client.hpp"
#include "tools/cluster/child.hpp"
#include "tools/cluster/files.hpp"
#include "tools/cluster/zookeeper_server.hpp"
#include <flock/testing/local_cluster.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

using namespace std::chrono_literals;
using flock::testing::child;
using flock::testing::contents;
using flock::testing::eventually;
using flock::testing::local_cluster;
using flock::testing::temporary_folder;

namespace {

/// The TCP ports that a process listens on, as lines of /proc/net/tcp. Source: proc(5)
std::vector<std::string> listening(pid_t process) {
  std::set<std::string> sockets;
  for (const auto& each : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(each.path(), gone).string();
    if (target.starts_with("socket:[")) sockets.insert(target.substr(8, target.size() - 9));
  }
  std::vector<std::string> found;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream lines(table);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string number, local, remote, state, queues, timer, retransmitted, uid, timeout, inode;
      words >> number >> local >> remote >> state >> queues >> timer >> retransmitted >> uid >> timeout >> inode;
      if (state == "0A" && sockets.contains(inode)) found.push_back(line);
    }
  }
  return found;
}

/// One flockd started by hand, in a folder of its own.
struct daemon_process {
  temporary_folder folder;
  std::string log() const { return contents(folder.path() / "log"); }
  std::string socket() const { return (folder.path() / "sock").string(); }

  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    std::ofstream(folder.path() / name) << text;
    return (folder.path() / name).string();
  }

  child start(std::vector<std::string> more) const {
    more.insert(more.end(), {"--insecure", "--listen", "127.0.0.1:0"});
    return start_alone(std::move(more));
  }

  child start_alone(std::vector<std::string> more) const {
    std::vector<std::string> command{"flockd", "--socket", socket()};
    if (std::ranges::find(more, "--state-dir") == more.end())
      command.insert(command.end(), {"--state-dir", (folder.path() / "state").string()});
    command.insert(command.end(), more.begin(), more.end());
    auto started = child::start({.command = command, .log = (folder.path() / "log").string()});
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().what));
    return *std::move(started);
  }

  /// \returns its exit status
  int run(std::vector<std::string> more) const { return start(std::move(more)).wait(20s).value_or(-1); }
};

}  // namespace

TEST_CASE("flockd refuses an unknown option, a bad value and a file that is not there, and starts nothing") {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--idd", "x"},
                                                    {"--id", "a/b"},
                                                    {"--id", "a[b]"},
                                                    {"--id", std::string(1024, 'a')},
                                                    {"--config", "/nonexistent"},
                                                    {"--heartbeat", "1"},
                                                    {"--resources", "/nonexistent"}}) {
    const daemon_process d;
    CAPTURE(arguments.front());
    CHECK(d.run(arguments) == 2);
    CHECK(d.log().starts_with("flockd: "));
    CHECK_FALSE(std::filesystem::exists(d.socket()));
  }
}

TEST_CASE("flockd names file, line and member of what is wrong in a resource file") {
  const daemon_process d;
  d.write("resources.d/web.json", "{\n  \"file[/tmp/x]\": {\n    \"contents\": \"typo\"\n  }\n}\n");

  CHECK(d.run({"--resources", (d.folder.path() / "resources.d").string(), "--check-config"}) == 2);

  CHECK_MESSAGE(d.log().find("web.json:3: ") != std::string::npos, d.log());
  CHECK_MESSAGE(d.log().find("contents") != std::string::npos, d.log());
}

TEST_CASE("--check-config says that all is well and starts nothing") {
  const daemon_process d;
  const auto file = d.write("flockd.conf", "id = bender0\nregistry = zk://127.0.0.1:1/flock\n");
  d.write("resources.d/log.json", R"({"log[hello]": {}})");

  CHECK(d.run({"--config", file, "--resources", (d.folder.path() / "resources.d").string(), "--check-config"}) == 0);

  CHECK_MESSAGE(d.log().find("is well; 1 resources") != std::string::npos, d.log());
}

TEST_CASE("flockd is ready without its registry, says so, and joins when it appears") {
  local_cluster::options o;
  o.nodes = 1;
  o.zookeepers = 1;
  auto flock = local_cluster::start(o);
  REQUIRE_MESSAGE(flock.has_value(), (flock ? "" : flock.error().what));
  auto& bender0 = flock->node("bender0");
  const auto registered = [&] {
    const auto status = bender0.get("/v1/status");
    const auto* yes = status ? (*status)["registry"]["registered"].as_bool() : nullptr;
    return yes && *yes;
  };
  REQUIRE(eventually(registered));

  bender0.stop();
  flock->zookeeper().kill();
  const auto begun = std::chrono::steady_clock::now();
  REQUIRE(bender0.start());
  CHECK(std::chrono::steady_clock::now() - begun < 10s);  // ready without it; how fast is the benchmark's business
  CHECK_FALSE(registered());

  REQUIRE(flock->zookeeper().start());
  CHECK(eventually(registered, 30s));
}

TEST_CASE("a second node of the same name is refused while the first one lives") {
  local_cluster::options o;
  o.nodes = 1;
  auto flock = local_cluster::start(o);
  REQUIRE_MESSAGE(flock.has_value(), (flock ? "" : flock.error().what));

  const daemon_process rival;
  CHECK(rival.run({"--id", "bender0", "--registry", flock->registry()}) == 1);

  CHECK_MESSAGE(rival.log().find("is called bender0") != std::string::npos, rival.log());
  CHECK(flock->node("bender0").is_alive());
}

TEST_CASE("without certificates flockd listens nowhere, says so, and serves its control socket") {
  const daemon_process d;
  auto process = d.start_alone({"--id", "alone", "--zookeeper", "127.0.0.1:1"});
  REQUIRE(eventually([&] { return d.log().find("ready, alone") != std::string::npos; }));

  CHECK(d.log().find("it listens nowhere, reaches nobody and leaves zk://127.0.0.1:1/flock alone") !=
        std::string::npos);
  const auto ports = listening(process.pid());
  CHECK(ports.empty());
  const auto status = flock::control_client(d.socket()).get("/v1/status", flock::system_clock().now() + 10s);
  REQUIRE(status);
  CHECK(status->body.find("\"alone\"") != std::string::npos);
  CHECK(process.stop(10s) == 0);
}

TEST_CASE("SIGTERM ends flockd with status 0, and nothing of it stays") {
  const daemon_process d;
  auto process = d.start({"--id", "alone"});
  REQUIRE(eventually([&] { return d.log().find("ready at ") != std::string::npos; }));

  REQUIRE(listening(process.pid()).size() == 1);
  CHECK(process.stop(10s) == 0);

  CHECK_FALSE(std::filesystem::exists(d.socket()));
  CHECK(d.log().find("stopped") != std::string::npos);
}

TEST_CASE("a killed node that starts again at once is seen in its new life") {
  local_cluster::options o;
  o.nodes = 2;
  auto flock = local_cluster::start(o);
  REQUIRE_MESSAGE(flock.has_value(), (flock ? "" : flock.error().what));
  auto& bender0 = flock->node("bender0");
  REQUIRE(bender0.flockctl({"ping", "bender1"})->exit_status == 0);
  const auto life_of = [&](const char* id) {
    const auto known = bender0.get(std::string("/v1/nodes/") + id);
    const auto* life = known ? (*known)["incarnation"].as_text() : nullptr;
    return life ? *life : "";
  };
  const auto before = life_of("bender1");

  flock->node("bender1").kill();
  REQUIRE(eventually([&] {
    const auto events = bender0.flockctl({"events", "--format", "json"});
    return events && events->out.find(R"("type":"failed")") != std::string::npos;
  }));
  REQUIRE(flock->node("bender1").start());

  CHECK(eventually([&] { return bender0.flockctl({"ping", "bender1", "--timeout", "1s"})->exit_status == 0; }, 30s));
  CHECK(eventually([&] { return life_of("bender1") != before; }));
}

TEST_CASE("flockd refuses a state-dir that it cannot use, and names it") {
  const daemon_process d;
  const auto file = d.write("a file", "x");

  CHECK(d.run({"--id", "alone", "--state-dir", file}) == 1);
  CHECK_MESSAGE(d.log() == "flockd: state-dir: cannot open " + file + ": Not a directory\n", d.log());
}

TEST_CASE("flockd names the option whose file or folder it cannot use, and why") {
  const daemon_process d;
  const auto missing = (d.folder.path() / "missing").string();
  const auto said = [&](std::vector<std::string> arguments) {
    std::filesystem::remove(d.folder.path() / "log");
    CHECK(d.run(std::move(arguments)) != 0);
    const auto log = d.log();
    return log.substr(log.find("flockd: "));
  };

  CHECK(said({"--id", "a", "--policy", missing}) ==
        "flockd: policy: cannot read " + missing + ": No such file or directory\n");
  CHECK(said({"--id", "a", "--resources", missing}) == "flockd: resources: no folder " + missing + "\n");
  CHECK(said({"--id", "a", "--tls-ca", missing, "--tls-cert", missing, "--tls-key", missing}) ==
        "flockd: tls-ca: cannot read " + missing + ": No such file or directory\n");
}

TEST_CASE("--check-config tells of a state-dir that cannot be used, and makes none") {
  const daemon_process d;
  const auto missing = (d.folder.path() / "state").string();

  CHECK(d.run({"--check-config", "--state-dir", missing}) == 0);
  CHECK_FALSE(std::filesystem::exists(missing));
  CHECK(d.run({"--check-config", "--state-dir", missing + "/not/there"}) == 2);
  CHECK_MESSAGE(d.log().find("state-dir: cannot make " + missing + "/not/there") != std::string::npos, d.log());
}

TEST_CASE("two flockd do not share a state-dir") {
  const daemon_process d, other;
  const auto state = (d.folder.path() / "state").string();
  auto first = d.start({"--id", "one", "--state-dir", state});
  REQUIRE(eventually([&] { return d.log().find("ready at ") != std::string::npos; }));

  CHECK(other.run({"--id", "two", "--state-dir", state}) == 1);
  CHECK_MESSAGE(other.log() == "flockd: state-dir: " + state + " is used by another process\n", other.log());
}

TEST_CASE("a flockd tells of its journal") {
  local_cluster::options o;
  o.nodes = 1;
  auto flock = local_cluster::start(o);
  REQUIRE_MESSAGE(flock.has_value(), (flock ? "" : flock.error().what));
  auto& bender0 = flock->node("bender0");

  const auto status = bender0.get("/v1/status");

  REQUIRE(status.has_value());
  const auto& journal = (*status)["journal"];
  CHECK(journal["path"] == flock::value(bender0.dir() + "/state/journal.db"));
  CHECK(*journal["bytes"].as_int() > 0);
  CHECK(journal["commits"].as_int());
  CHECK(journal["waiting"].as_int());
  CHECK(journal["set_aside"] == flock::value(0));
  CHECK(journal["trouble"].is_null());
  CHECK(journal["last_error"] == flock::value(""));
}

TEST_CASE("what a flockd had taken when it was killed is performed when it is back") {
  local_cluster::options o;
  o.nodes = 2;
  const temporary_folder out;
  const auto humans = (out.path() / "humans").string();
  o.resources["bender1"] = R"({"execute[kill]": {"action": "nothing", "command": "echo killed >> )" + humans + R"("}})";
  auto flock = local_cluster::start(o);
  REQUIRE_MESSAGE(flock.has_value(), (flock ? "" : flock.error().what));
  auto &bender0 = flock->node("bender0"), &bender1 = flock->node("bender1");
  REQUIRE(bender0.flockctl({"ping", "bender1"})->exit_status == 0);
  bender1.kill();
  const auto sent =
      bender0.flockctl({"notify", "execute[kill]", "run", "--node", "bender1", "--timeout", "1s", "--format", "json"});
  REQUIRE(sent);
  REQUIRE(sent->out.find(R"("state":"queued")") != std::string::npos);

  bender0.kill();
  REQUIRE(bender0.start());
  REQUIRE(bender1.start());

  CHECK(eventually([&] { return contents(humans) == "killed\n"; }, 30s));
  CHECK(eventually([&] {
    const auto all = bender0.flockctl({"notifications", "--state", "succeeded", "--format", "json"});
    return all && std::count(all->out.begin(), all->out.end(), '\n') == 1;
  }));
}
