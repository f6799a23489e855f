#include "tools/flockctl/arguments.hpp"

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <vector>

using flock::ctl::nearest;
using flock::ctl::parse_arguments;

namespace {

const std::vector<flock::ctl::option> known = {
    {"format", "table|json", ""}, {"node", "ID", "", true}, {"follow", "", ""}};

std::string error_of(const std::vector<std::string>& words) {
  const auto parsed = parse_arguments(words, known);
  return parsed ? "none" : parsed.error().what;
}

}  // namespace

TEST_CASE("options stand anywhere, with their value behind them or after an equals sign") {
  const auto parsed = parse_arguments({"--node", "a", "ping", "--node=b=c", "x", "--follow", "--format=json"}, known);

  REQUIRE(parsed);
  CHECK((parsed->operands == std::vector<std::string>{"ping", "x"}));
  CHECK((parsed->all("node") == std::vector<std::string>{"a", "b=c"}));
  CHECK(parsed->one("format") == "json");
  CHECK(parsed->has("follow"));
  CHECK_FALSE(parsed->one("state"));
  CHECK(parsed->all("state").empty());
}

TEST_CASE("numbers below zero and what follows two dashes are operands") {
  const auto parsed = parse_arguments({"call", "-1", "-", "--", "--node", "-h"}, known);

  REQUIRE(parsed);
  CHECK((parsed->operands == std::vector<std::string>{"call", "-1", "-", "--node", "-h"}));
  CHECK(parsed->options.empty());
}

TEST_CASE("a wrong option is named, with the nearest one") {
  CHECK(error_of({"--nod", "x"}) == "unknown option --nod; did you mean --node?");
  CHECK(error_of({"--folow"}) == "unknown option --folow; did you mean --follow?");
  CHECK(error_of({"--json"}) == "unknown option --json; did you mean --format json?");
  CHECK(error_of({"--colour=red"}) == "unknown option --colour=red");
  CHECK(error_of({"--=x"}) == "unknown option --=x");
  CHECK(error_of({"--node"}) == "--node needs a value: ID");
  CHECK(error_of({"--follow=yes"}) == "--follow takes no value");
  CHECK(error_of({"--follow", "--follow"}) == "--follow is given more than once");
  CHECK(error_of({"--format", "yaml"}) == "--format is one of table|json, not yaml");
  CHECK(error_of({"--format", "tab"}) == "--format is one of table|json, not tab");
  CHECK(error_of({"--format="}) == "--format is one of table|json, not \"\"");
}

TEST_CASE("the nearest word is a longer one, or one that is misspelt by little") {
  const std::vector<std::string_view> words = {"status", "nodes", "notify", "notifications"};

  CHECK(nearest("nodse", words) == "nodes");
  CHECK(nearest("stauts", words) == "status");
  CHECK(nearest("notific", words) == "notifications");
  CHECK(nearest("sta", words) == "status");
  CHECK_FALSE(nearest("frobnicate", words));
  CHECK_FALSE(nearest("", words));
  CHECK_FALSE(nearest("x", words));
}
