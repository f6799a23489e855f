#include "actors/system_facts.hpp"

#include "actors/system_view.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace flock;
using namespace std::chrono_literals;

TEST_CASE("os-release is read with and without quotes, past what is no assignment") {
  const auto all = os_release(
      "# a comment\n\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID='12'\nnonsense\n"
      "ODD=\"a \\\"b\\\" \\$c\"\nEMPTY=");

  CHECK(all.at("PRETTY_NAME") == "Debian GNU/Linux 12 (bookworm)");
  CHECK(all.at("ID") == "debian");
  CHECK(all.at("VERSION_ID") == "12");
  CHECK(all.at("ODD") == "a \"b\" $c");
  CHECK(all.at("EMPTY").empty());
  CHECK(all.size() == 5);
}

TEST_CASE("load, uptime, processors and memory are read from the kernel's files") {
  CHECK((*load_averages("0.52 1.5 12.00 3/1024 4711\n") == std::array<double, 3>{0.52, 1.5, 12}));
  CHECK(*uptime("350735.47 234388.90\n") == 350735470ms);
  CHECK(*processors("processor\t: 0\nmodel name\t: x\n\nprocessor\t: 1\nmodel name\t: x\n") == 2);

  const auto m = memory("MemTotal:       16316412 kB\nMemFree:  1 kB\nMemAvailable:    8000000 kB\n");
  REQUIRE(m);
  CHECK(m->total == 16316412ull * 1024);
  CHECK(m->available == 8000000ull * 1024);
}

TEST_CASE("a text that is none of that file's is an error that names the file") {
  CHECK(load_averages("0.52 x").error() == error{error_code::protocol, "this is no /proc/loadavg"});
  CHECK(uptime("").error() == error{error_code::protocol, "this is no /proc/uptime"});
  CHECK(processors("model name: x\n").error() == error{error_code::protocol, "this is no /proc/cpuinfo"});
  CHECK(memory("MemTotal: 1 kB\n").error() == error{error_code::protocol, "this is no /proc/meminfo"});
  CHECK_FALSE(memory("MemTotal: 1 MB\nMemAvailable: 1 kB\n"));
}

TEST_CASE("this system tells what the kernel's files and calls say") {
  const auto& here = this_system();

  CHECK(load_of(here));
  CHECK(uptime_of(here));
  CHECK(processors_of(here));
  CHECK(memory_of(here));
  CHECK(distribution_of(here));
  CHECK(here.running()->name == "Linux");
  CHECK(here.disk_of("/")->total > 0);
  CHECK(here.disk_of("/no/such/folder").error().code == error_code::io);
  CHECK(here.read("/no/such/file").error().code == error_code::io);
  CHECK(here.versions().size() == 5);
  for (const auto& [name, version] : here.versions())
    CHECK_MESSAGE(version.find('.') != std::string::npos, name << " " << version);
}
