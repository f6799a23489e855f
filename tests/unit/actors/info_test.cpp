#include "actors/info.hpp"

#include "actors/capabilities.hpp"
#include "tests/support/small_flock.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

using namespace flock;
using namespace flock::testing;
using namespace std::chrono_literals;

namespace {

struct scripted_system final : system_view {
  std::map<std::string, std::string> files = {
      {"/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"},
      {"/proc/cpuinfo", "processor\t: 0\nprocessor\t: 1\n"},
      {"/proc/loadavg", "0.5 1.5 2 1/2 3\n"},
      {"/proc/meminfo", "MemTotal: 4 kB\nMemAvailable: 1 kB\n"},
      {"/proc/uptime", "3600.99 1.00\n"}};

  result<std::string> read(const std::string& path) const override {
    const auto file = files.find(path);
    if (file == files.end()) return error{error_code::io, "cannot read " + path};
    return file->second;
  }
  result<kernel> running() const override { return kernel{"Linux", "6.1.0-18-amd64", "x86_64"}; }
  result<space> disk_of(const std::string& folder) const override {
    if (folder != "/var/lib/flock") return error{error_code::io, folder};
    return space{1000, 400};
  }
  std::vector<std::string> addresses() const override { return {"10.0.0.7"}; }
  std::map<std::string, std::string> versions() const override { return {{"Flock", "0.1.0"}, {"SQLite", "3.40.1"}}; }
};

struct fixture : small_flock {
  member& a = start("a");
  scripted_system system;
  surroundings around = surroundings_on(*a.core, time, system);

  fixture() {
    around.state_folder = "/var/lib/flock";
    a->describe({"production", {"web"}, {"apache2::default"}, {"new"}, value::map()});
  }

  result<value> ask(const std::string& method) {
    std::optional<result<value>> answer;
    make_capability<info>(around)->call(
        {id("b")}, method, {}, [] { return true; }, [&](result<value> r) { answer = std::move(r); });
    settle();
    REQUIRE(answer);
    return *answer;
  }
  std::string told(const std::string& method) {
    const auto answer = ask(method);
    return answer ? to_json(*answer) : to_string(answer.error());
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "info tells what a node is and what it runs on, each value by name") {
  threads.advance(10s);

  CHECK(told("id") == R"("a")");
  CHECK(told("addresses") == "[\"" + a->address() + "\",\"10.0.0.7\"]");
  CHECK(told("environment") == R"("production")");
  CHECK(told("roles") == R"(["web"])");
  CHECK(told("recipes") == R"(["apache2::default"])");
  CHECK(told("tags") == R"(["new"])");
  CHECK(told("os") == R"("Linux")");
  CHECK(told("kernel") == R"("6.1.0-18-amd64")");
  CHECK(told("architecture") == R"("x86_64")");
  CHECK(*ask("distribution") == value("Debian GNU/Linux 12 (bookworm)"));
  CHECK(told("cpus") == "2");
  CHECK(told("load") == "[0.5,1.5,2.0]");
  CHECK((*ask("memory") == value(value::map{{"available", 1024}, {"total", 4096}})));
  CHECK((*ask("disk") == value(value::map{{"available", 400}, {"folder", "/var/lib/flock"}, {"total", 1000}})));
  CHECK(told("uptime") == "3600");
  CHECK(told("flockd_uptime").substr(0, 1) == "1");
  CHECK((*ask("versions") == value(value::map{{"Flock", "0.1.0"}, {"SQLite", "3.40.1"}})));
}

TEST_CASE_FIXTURE(fixture, "the summary has all of it") {
  const auto summary = ask("summary");

  REQUIRE(summary);
  for (const auto& m : make_capability<info>(around)->methods()) {
    if (m.name == "summary" || m.name == "flockd_uptime") continue;
    CHECK_MESSAGE((*summary)[m.name] == *ask(m.name), m.name);
  }
  CHECK((*summary)["flockd_uptime"].as_int());
}

TEST_CASE_FIXTURE(fixture, "what cannot be told is an error by its name, and null in the summary") {
  system.files = {{"/usr/lib/os-release", "ID=odd\n"}, {"/proc/meminfo", "?"}};
  around.state_folder.clear();

  CHECK(told("cpus") == "io: cannot read /proc/cpuinfo");
  CHECK(told("memory") == "protocol: this is no /proc/meminfo");
  CHECK(told("disk") == "not_found: this node keeps its state in memory");
  CHECK(told("distribution") == R"("Linux")");
  const auto summary = ask("summary");
  REQUIRE(summary);
  for (const char* missing : {"cpus", "load", "memory", "disk", "uptime"}) CHECK((*summary)[missing].is_null());
  CHECK((*summary)["id"] == value("a"));
}
