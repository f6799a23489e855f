#include "tests/support/polling.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/bench/measurement.hpp"
#include "tools/cluster/child.hpp"
#include "tools/cluster/files.hpp"
#include "tools/cluster/flockd_process.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

// Runs each workload with tiny numbers and looks at the form of what it prints, never at a time.

namespace {

using flock::milliseconds;
using flock::value;
using namespace flock::testing;

struct outcome {
  int status = 0;
  std::vector<value> lines;
  std::string err;
};

outcome flock_bench(const std::vector<std::string>& words) {
  const temporary_folder folder;
  const auto path = folder.path().string();
  std::vector<std::string> command{find_program("", "flock-bench"), "--repeats", "1", "--dir", path};
  command.insert(command.end(), words.begin(), words.end());
  auto process =
      child::start({.command = std::move(command), .environment = {}, .log = path + "/err", .output = path + "/out"});
  REQUIRE(process);
  outcome seen;
  const auto status = process->wait(milliseconds(60'000));
  seen.status = status ? *status : process->kill();
  seen.err = contents(path + "/err");
  std::istringstream out(contents(path + "/out"));
  for (std::string line; std::getline(out, line);) {
    auto read = flock::from_json(line);
    REQUIRE_MESSAGE(read, line);
    seen.lines.push_back(*std::move(read));
  }
  return seen;
}

/// What is measured, in which units.
using measures = std::set<std::pair<std::string, std::string>>;

void check(const std::string& workload, const outcome& seen, const measures& expected) {
  CHECK_MESSAGE(seen.status == 0, seen.err);
  CHECK(seen.err == "");
  measures found;
  for (const auto& line : seen.lines) {
    const auto form = flock::bench::check_form(line);
    CHECK_MESSAGE(form, to_json(line));
    if (!form) continue;
    CHECK(*line["workload"].as_text() == workload);
    found.emplace(*line["measure"].as_text(), *line["unit"].as_text());
  }
  CHECK(found == expected);
}

}  // namespace

TEST_CASE("call: percentiles of round trips") {
  const auto seen = flock_bench({"call", "--calls", "20", "--bytes", "8,16"});

  check("call", seen, {{"p50", "us"}, {"p99", "us"}, {"p99.9", "us"}});
  CHECK(seen.lines.size() == 6);
}

TEST_CASE("call: over plain TCP, on one CPU, beside an earlier run") {
  const temporary_folder folder;
  const auto before = (folder.path() / "before").string();
  const std::vector<std::string> words{"call", "--plain", "--pin", "0", "--calls", "20", "--bytes", "8"};
  std::string lines;
  for (const auto& line : flock_bench(words).lines) lines += to_json(line) + "\n";
  REQUIRE(write_file(before, lines));

  auto compare = words;
  compare.insert(compare.end(), {"--compare", before});
  const auto seen = flock_bench(compare);

  check("call", seen, {{"p50", "us"}, {"p99", "us"}, {"p99.9", "us"}});
  for (const auto& line : seen.lines) {
    CHECK(line["parameters"]["transport"] == value("plain"));
    CHECK(line["parameters"]["cpu"] == value(0));
    CHECK(line["before"]["ratio"].as_real());
  }
}

TEST_CASE("usage: what is wrong is said, and nothing is measured") {
  const auto unknown = flock_bench({"cal"});
  const auto missing = flock_bench({"call", "--compare", "/nowhere"});

  CHECK(unknown.status == 2);
  CHECK(unknown.err.starts_with("flock-bench: no workload is called cal; there is call, flow, "));
  CHECK(unknown.err.ends_with(", all; see flock-bench --help\n"));
  CHECK(missing.status == 2);
  CHECK(missing.err == "flock-bench: /nowhere: No such file or directory\n");
  CHECK(flock_bench({"call", "--pin", "100000"}).err == "flock-bench: --pin 100000: Invalid argument\n");
  CHECK(unknown.lines.empty());
}

TEST_CASE("notify: rates and percentiles for each number in flight, and one by one") {
  const auto seen = flock_bench({"notify", "--notifications", "20", "--in-flight", "1,4"});

  check("notify", seen,
        {{"accepted", "1/s"},
         {"started", "1/s"},
         {"accepted_p50", "us"},
         {"accepted_p99", "us"},
         {"started_p50", "us"},
         {"started_p99", "us"}});
  CHECK(seen.lines.size() == 2 * 4 + 2);
  for (const auto& line : seen.lines) CHECK(line["parameters"]["storage"].as_text());
}

TEST_CASE("idle: what a flockd costs among one and among two") {
  const auto seen = flock_bench({"idle", "--nodes", "1,2", "--seconds", "1"});

  check("idle", seen, {{"pss", "KiB"}, {"threads", "count"}, {"descriptors", "count"}, {"cpu", "%"}});
  CHECK(seen.lines.size() == 8);
}

TEST_CASE("join: a flockd is seen by others") { check("join", flock_bench({"join"}), {{"joined", "ms"}}); }

TEST_CASE("kill: the end of a flockd is seen by others") { check("kill", flock_bench({"kill"}), {{"failed", "ms"}}); }

TEST_CASE("stop: the silence of a flockd is seen by others") {
  check("stop", flock_bench({"stop"}), {{"suspect", "ms"}});
}

TEST_CASE("start: a flockd is ready, with and without ZooKeeper") {
  check("start", flock_bench({"start"}), {{"ready", "ms"}, {"ready_without_zookeeper", "ms"}});
}

TEST_CASE("ping: what flockctl says") {
  check("ping", flock_bench({"ping", "--pings", "5"}), {{"p50", "us"}, {"p99", "us"}});
}

TEST_CASE("flow: rate, CPU and memory for each number of senders") {
  const auto seen = flock_bench({"flow", "--messages", "100", "--senders", "1,2", "--window", "10"});

  check("flow", seen,
        {{"messages", "1/s"},
         {"sender_cpu", "us"},
         {"receiver_cpu", "us"},
         {"sender_peak_rss", "KiB"},
         {"receiver_peak_rss", "KiB"}});
  CHECK(seen.lines.size() == 10);
}

TEST_CASE("fanout: the last receipt of few and of more nodes, and connecting with them") {
  const auto seen = flock_bench({"fanout", "--nodes", "1,3", "--rounds", "3"});

  check("fanout", seen, {{"connected", "ms"}, {"accepted_p50", "ms"}, {"succeeded_p50", "ms"}});
  CHECK(seen.lines.size() == 6);
}

TEST_CASE("registry: cost of a few simulated nodes, and its growth") {
  const auto seen = flock_bench({"registry", "--nodes", "3,6", "--watchers", "2"});

  check("registry", seen,
        {{"registered", "s"},
         {"registered_and_seen", "s"},
         {"registered_and_seen_growth", "exponent"},
         {"registered_operations", "count"},
         {"registered_operations_growth", "exponent"},
         {"registered_bytes", "bytes"},
         {"registered_bytes_growth", "exponent"},
         {"registered_watch_events", "count"},
         {"registered_watch_events_growth", "exponent"},
         {"join_seen", "ms"},
         {"join_operations", "count"},
         {"join_operations_growth", "exponent"},
         {"join_bytes", "bytes"},
         {"join_bytes_growth", "exponent"},
         {"join_watch_events", "count"},
         {"leave_seen", "ms"},
         {"leave_operations", "count"},
         {"leave_operations_growth", "exponent"},
         {"leave_bytes", "bytes"},
         {"leave_bytes_growth", "exponent"},
         {"leave_watch_events", "count"}});
}

TEST_CASE("sim: cost of what a node knows, and its growth") {
  const auto seen = flock_bench({"sim", "--nodes", "10,100", "--selections", "10"});

  measures expected;
  for (const char* measure : {"listed", "select_by_name", "select_by_role", "select_by_query", "subscribed", "matched"})
    expected.emplace(measure, "us");
  expected.emplace("memory", "bytes");
  const auto without_growth = expected;
  for (const auto& [measure, unit] : without_growth) expected.emplace(measure + "_growth", "exponent");
  check("sim", seen, expected);
}

TEST_CASE("usage: an interrupted run leaves nothing behind") {
  const temporary_folder folder, output;
  const auto log = (output.path() / "log").string();
  auto process = child::start(
      {.command = {find_program("", "flock-bench"), "call", "--calls", "100000000", "--dir", folder.path().string()},
       .environment = {},
       .log = log});
  REQUIRE(process);
  REQUIRE(eventually([&] { return !std::filesystem::is_empty(folder.path()); }));

  process->signal(SIGINT);
  const auto status = process->wait(milliseconds(10'000));

  CHECK(status == 128 + SIGINT);
  CHECK(eventually([&] { return std::filesystem::is_empty(folder.path()); }));
}

TEST_CASE("usage: a machine without Java is told what to install") {
  const temporary_folder folder;
  const auto log = (folder.path() / "log").string();
  auto process = child::start({.command = {find_program("", "flock-bench"), "call"},
                               .environment = {{"PATH", folder.path().string()}},
                               .log = log});
  REQUIRE(process);

  CHECK(process->wait(milliseconds(10'000)) == 1);
  CHECK(contents(log) == "flock-bench: call: no java in PATH; on Debian it is in the package default-jre-headless\n");
}

TEST_CASE("usage: a machine without room for the nodes is told which limit is in the way, before anything is started") {
  const temporary_folder folder;
  const auto log = (folder.path() / "log").string();
  auto process =
      child::start({.command = {"sh", "-c", "ulimit -n 300; exec \"$@\"", "sh", find_program("", "flock-bench"),
                                "fanout", "--nodes", "100,30", "--dir", folder.path().string()},
                    .environment = {},
                    .log = log});
  REQUIRE(process);

  CHECK(process->wait(milliseconds(10'000)) == 1);
  const auto said = contents(log);
  CHECK_MESSAGE(said.starts_with("flock-bench: fanout: no room for 100 nodes: 600 file descriptors are needed, but "
                                 "RLIMIT_NOFILE (ulimit -Hn) is 300, with "),
                said);
}
