#include "tests/support/temporary_folder.hpp"
#include <flock/config.hpp>

#include <doctest/doctest.h>

#include <fstream>

namespace {

using namespace std::chrono_literals;

/// A folder for the files of one test.
struct folder : flock::testing::temporary_folder {
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path() / name) << text;
    return (path() / name).string();
  }
};

flock::result<flock::config> read(std::vector<std::string> arguments,
                                  std::map<std::string, std::string> environment = {}, std::string file = {}) {
  return flock::read_config({std::move(arguments), std::move(environment), std::move(file)});
}

std::string what(const flock::result<flock::config>& c) { return c ? "no error" : c.error().what; }

}  // namespace

TEST_CASE("without options a node is alone on loopback") {
  const auto c = read({});
  REQUIRE(c);
  CHECK(c->registry.in_memory());
  CHECK(c->listen == "127.0.0.1:22222");
  CHECK(c->call_timeout == 5s);
  CHECK_FALSE(c->id);
}

TEST_CASE("the command line comes before the file, and the file before the environment") {
  const folder f;
  const auto file = f.write("flockd.conf", "# a comment\n[flockd]\nid = from-file\nheartbeat = 500ms\n");

  const auto c =
      read({"--id", "from-line"}, {{"FLOCK_ID", "x"}, {"FLOCK_HEARTBEAT", "2s"}, {"FLOCK_SOCKET", "/s"}}, file);

  REQUIRE_MESSAGE(c.has_value(), what(c));
  CHECK(*c->id == "from-line");
  CHECK(c->heartbeat == 500ms);
  CHECK(c->socket == "/s");
  CHECK(c->file == file);
}

TEST_CASE("an option that looks like a placeholder of a message is refused") {
  for (const char* word : {"--x=%original_token%", "--%canonical_option%", "--heartbeat=%value%", "%option%"})
    CHECK(what(read({word})).find("no word of a command line may have %") == 0);
  CHECK(what(read({"--100%"})) == "unrecognised option '--100%'");
}

TEST_CASE("what is wrong is said in few words, however much it was") {
  const folder f;
  const std::string much(1'000'000, 'x');

  for (const auto& c :
       {read({"--" + much}), read({"--listen", much}), read({}, {{"FLOCK_" + much, "1"}}), read({"--zookeeper", much}),
        read({}, {}, f.write("flockd.conf", much)), read({}, {}, f.write("flockd.conf", "[" + much + "]"))})
    CHECK(what(c).size() < 2048);
}

TEST_CASE("what the command of an execute learns from its environment is no option") {
  const auto c = read({}, {{"FLOCK_NODE", "bender1"},
                           {"FLOCK_RESOURCE", "execute[x]"},
                           {"FLOCK_ACTION", "run"},
                           {"FLOCK_NOTIFICATION", "life-7"}});
  CHECK_MESSAGE(c.has_value(), what(c));
}

TEST_CASE("roles, recipes and tags may repeat") {
  const folder f;
  const auto file = f.write("flockd.conf", "role = web\nrole = db\n");
  const auto c = read({"--tag", "a", "--tag=b"}, {{"FLOCK_RECIPE", "x, y::z"}, {"FLOCK_RUN", "life.1"}}, file);
  REQUIRE_MESSAGE(c.has_value(), what(c));
  CHECK(c->about.roles == std::vector<std::string>{"web", "db"});
  CHECK(c->about.recipes == std::vector<std::string>{"x", "y::z"});
  CHECK(c->about.tags == std::vector<std::string>{"a", "b"});
}

TEST_CASE("zookeeper is short for a registry") {
  const auto c = read({"--zookeeper", "zk1:2181,zk2:2181"}, {{"FLOCK_REGISTRY", "zk://other:1/x"}});
  REQUIRE_MESSAGE(c.has_value(), what(c));
  CHECK(c->registry.str() == "zk://zk1:2181,zk2:2181/flock");
}

TEST_CASE("an error in a file names file, line and key") {
  const folder f;
  const auto error_in = [&](const std::string& text) {
    const auto file = f.write("flockd.conf", text);
    const auto found = what(read({"--config", file}));
    return found.substr(0, file.size()) == file ? found.substr(file.size()) : found;
  };
  CHECK(error_in("\nheartbeet = 1s\n") == ":2: unknown key 'heartbeet'");
  CHECK(error_in("id = a\nid = b\n") == ":2: id is given twice");
  CHECK(error_in("nonsense\n") == ":1: expected key = value, found 'nonsense'");
  CHECK(error_in("[other]\n") == ":1: unknown section [other]");
  CHECK(error_in("heartbeat = 3h\n") == ":1: heartbeat: 3h is not between 10ms and 1m");
  CHECK(error_in("registry = http://x\n").starts_with(":1: registry: 'http://x' is neither zk://"));
  CHECK(error_in("\ntls-cert = /x\n") == ":2: tls-cert: tls-ca, tls-cert and tls-key belong together; 1 of them given");
  CHECK(error_in("session-timeout = 5s\nheartbeat = 4s\n") ==
        ":1: session-timeout: 5s is less than twice the heartbeat, 4s");
  CHECK(error_in("heartbeat = 10s\n") == ":1: heartbeat: 10s is more than half the session-timeout, 10s");
}

TEST_CASE("an error on the command line or in the environment names the option or the variable") {
  CHECK(what(read({"--idd", "x"})).find("idd") != std::string::npos);
  CHECK(what(read({"--id", "a/b"})).starts_with("--id: "));
  CHECK(what(read({"--id", "a", "--id", "b"})) == "--id is given twice");
  CHECK(what(read({"word"})) == "unexpected argument 'word'");
  CHECK(what(read({}, {{"FLOCK_LISTEN", "nowhere"}})) == "FLOCK_LISTEN: 'nowhere' is not host:port");
  CHECK(what(read({}, {{"FLOCK_REGISTY", "x"}})) == "FLOCK_REGISTY: there is no option registy");
  CHECK(what(read({"--config", "/nonexistent/flockd.conf"})).starts_with("cannot read /nonexistent/flockd.conf: "));
  CHECK(what(read({"--log-level", "loud"})) == "--log-level: 'loud' is none of debug, info, warning, error");
}

TEST_CASE("without certificates a node is alone, unless insecure is given") {
  CHECK(read({})->alone());
  CHECK(read({"--listen", "127.0.0.1:0"})->alone());
  CHECK_FALSE(read({"--insecure"})->alone());
  CHECK_FALSE(read({"--tls-ca", "a", "--tls-cert", "b", "--tls-key", "c"})->alone());
  CHECK(read({})->alone()->find("reaches nobody;") != std::string::npos);
  CHECK(read({"--zookeeper", "zk1:2181"})->alone()->find("leaves zk://zk1:2181/flock alone;") != std::string::npos);
}

TEST_CASE("the advertised address is one that others can connect to") {
  CHECK(read({"--advertise", "web1:22222", "--insecure"})->advertise == "web1:22222");
  CHECK(what(read({"--advertise", "web1:0"})) == "--advertise: 'web1:0' is no address to connect to");
  CHECK(what(read({"--advertise", "0.0.0.0:1"})) == "--advertise: '0.0.0.0:1' is no address to connect to");
  CHECK(what(read({"--advertise", "[::]:1"})) == "--advertise: '[::]:1' is no address to connect to");
  CHECK(what(read({"--listen", "127.0.0.1:99999"})) == "--listen: '127.0.0.1:99999': a port is a number up to 65535");
  CHECK(what(read({"--registry", "zk://zk1/flock"})) == "--registry: 'zk1' is not host:port");
  CHECK(what(read({"--advertise", "web1"})) == "--advertise: 'web1' is not host:port");
}

TEST_CASE("registry and zookeeper beside each other are refused") {
  const folder f;
  const auto file = f.write("flockd.conf", "zookeeper = zk1:2181\nregistry = memory:\n");

  CHECK(what(read({"--registry", "memory:", "--zookeeper", "zk1:2181"})) ==
        "--zookeeper: registry is given too, at --registry");
  CHECK(what(read({}, {}, file)) == file + ":1: zookeeper: registry is given too, at " + file + ":2: registry");
}

TEST_CASE("an empty path is refused") {
  CHECK(what(read({"--socket", ""})) == "--socket: is empty");
  CHECK(what(read({}, {{"FLOCK_STATE_DIR", ""}})) == "FLOCK_STATE_DIR: is empty");
}

TEST_CASE("a folder in place of a file is an error") {
  const folder f;
  CHECK(read({"--config", f.write("empty", "")}));
  CHECK(what(read({"--config", "/tmp"})).starts_with("cannot read /tmp"));
  CHECK(what(read({"--attributes", "/tmp"})).starts_with("--attributes: cannot read /tmp"));
}

TEST_CASE("two files to read are one too many") {
  CHECK(what(read({"--config", "/dev/null", "--config", "/dev/null"})) == "--config is given twice");
}

TEST_CASE("a registry's address is checked") {
  for (const auto* text : {"zk://", "zk://h:1", "zk://h:1/", "zk:///x", "zk://h/x", "zk://h:1,/x", "zk://h:99999/x",
                           "zk://h:1/a//b", "zk://h:1/a/", ""}) {
    CAPTURE(text);
    CHECK_FALSE(flock::registry_url::parse(text));
  }
  CHECK(flock::registry_url::parse("zk://h:1,[::1]:2/flock/production"));
}

TEST_CASE("a password comes from a file and is in no error") {
  const folder f;
  const auto file = f.write("auth", "digest:flock:secret\n");
  const auto c = read({"--registry-auth", "@" + file});
  REQUIRE_MESSAGE(c.has_value(), what(c));
  CHECK(c->registry_auth == "digest:flock:secret");
  CHECK(what(read({"--registry-auth", "plain:secret"})).find("secret") == std::string::npos);
}

TEST_CASE("attributes are read from a JSON object") {
  const folder f;
  const auto c = read({"--attributes", f.write("a.json", R"({"rack": {"row": 7}})")});
  REQUIRE_MESSAGE(c.has_value(), what(c));
  CHECK(c->about.attributes.at_path("rack.row") == flock::value(7));
  CHECK(what(read({"--attributes", f.write("b.json", "[1]")})).find("expected an object") != std::string::npos);
  CHECK(what(read({"--attributes", f.write("c.json", "{\n  oops")})).find("line 2") != std::string::npos);
}

TEST_CASE("the help names every option once") {
  const auto help = flock::config_help();
  for (const auto* name : {"--id", "--registry ", "--notification-ttl", "--check-config", "--chef-lock", "--config"})
    CHECK(help.find(name) != std::string::npos);
}
