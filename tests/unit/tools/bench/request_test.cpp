#include "tools/bench/request.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace flock::bench;

namespace {

flock::result<void> nothing(const settings&, const report&) { return {}; }

const std::vector<workload>& known() {
  static const std::vector<workload> all{
      {"call", "calls something", {{"calls", "20000", "how many"}, {"bytes", "64,1024", "how large"}}, nothing},
      {"idle", "does nothing", {{"nodes", "1,50", "how many nodes"}}, nothing}};
  return all;
}

flock::result<request> parse(const std::vector<std::string>& words) { return parse_request(words, known()); }

std::string what_is_wrong(const std::vector<std::string>& words) {
  const auto asked = parse(words);
  return asked ? "" : asked.error().what;
}

}  // namespace

TEST_CASE("a workload's parameters have their usual values unless told otherwise") {
  const auto asked = parse({"call", "--bytes", "8,16,32"});

  REQUIRE(asked);
  REQUIRE(asked->workloads.size() == 1);
  const auto& with = asked->with.at("call");
  CHECK(with.number("calls") == 20000);
  CHECK(with.list("bytes") == std::vector<std::int64_t>{8, 16, 32});
  CHECK(with.repeats == 5);
  CHECK(asked->folder == "/var/tmp");
  CHECK(with.common() == flock::value::map{{"transport", "tls"}});
}

TEST_CASE("a word that looks like a placeholder of a message is refused") {
  CHECK(what_is_wrong({"call", "--repeats", "%value%"}) == "no word of a command line may have %value%");
}

TEST_CASE("common options hold for every workload") {
  const auto asked = parse({"--plain", "all", "--repeats", "2", "--pin", "1", "--dir", "/x", "--compare", "before"});

  REQUIRE(asked);
  CHECK(asked->workloads.size() == 2);
  CHECK(asked->cpu == 1);
  CHECK(asked->compare == "before");
  CHECK(asked->folder == "/x");
  for (const auto& [name, with] : asked->with) {
    CHECK(with.repeats == 2);
    CHECK(with.common() == flock::value::map{{"transport", "plain"}});
  }
}

TEST_CASE("a wrong command line is refused with the word that is wrong") {
  CHECK(what_is_wrong({}) == "no workload; there is call, idle, all");
  CHECK(what_is_wrong({"cal"}) == "no workload is called cal; there is call, idle, all");
  CHECK(what_is_wrong({"call", "--nodes", "3"}) == "--nodes is no parameter of call");
  CHECK(what_is_wrong({"call", "--calls", "3,x"}) == "--calls: not a number from 1: \"x\"");
  CHECK(what_is_wrong({"call", "--calls", "0"}) == "--calls: not a number from 1: \"0\"");
  CHECK(what_is_wrong({"call", "--repeats", "0"}) == "--repeats: not a number from 1: 0");
  CHECK(what_is_wrong({"call", "--pin", "-1"}) == "--pin: no CPU has the number -1");
  CHECK(what_is_wrong({"call", "--byte", "3"}) != "");
}

TEST_CASE("help tells each workload, its parameters and their usual values") {
  const auto text = help(known());

  for (const char* word : {"call ", "calls something", "--bytes", "(default: 64,1024)", "idle", "--nodes"}) {
    CAPTURE(word);
    CHECK(text.find(word) != std::string::npos);
  }
  CHECK(parse({"--help"})->what == request::kind::help);
  CHECK(parse({"--version"})->what == request::kind::version);
}
