#include "libflock/words/policy.hpp"

#include <doctest/doctest.h>

namespace {

flock::result<flock::policy> parsed(const char* text) { return flock::policy::parse(*flock::from_json(text)); }

flock::policy::request request(const char* environment, std::string_view actor, std::string_view action) {
  return {"bender0", environment, actor, action};
}

}  // namespace

TEST_CASE("without a file, nodes of the same environment are admitted and nobody else") {
  const flock::policy p("production");

  CHECK(p.admits(request("production", "file[x]", "create")));
  const auto denied = p.admits(request("staging", "file[x]", "create"));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().code == flock::error_code::refused);
  CHECK(denied.error().what.find("bender0 (environment staging) asked file[x] for create") != std::string::npos);
}

TEST_CASE("the first rule that fits decides") {
  const auto p = parsed(R"({"rules": [
    {"allow": false, "actor": "execute[*]", "action": "run", "from": {"node": "bender?"}},
    {"allow": true, "from": {"environment": "prod*"}}]})");
  REQUIRE(p);

  CHECK(p->admits(request("production", "file[x]", "create")));
  CHECK(p->admits(request("production", "execute[x]", "nothing")));
  const auto denied = p->admits(request("production", "execute[x]", "run"));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().what.find("rules[0]") != std::string::npos);
  CHECK_FALSE(p->admits(request("staging", "file[x]", "create")));
}

TEST_CASE("an empty policy admits nobody") {
  const auto p = parsed(R"({"rules": []})");
  REQUIRE(p);
  CHECK_FALSE(p->admits(request("", "file[x]", "create")));
}

TEST_CASE("what is wrong in a policy file is named") {
  const auto what = [](const char* text) { return parsed(text).error().what; };
  CHECK(what("[]") == "policy: expected an object with rules");
  CHECK(what(R"({"rules": {}})") == "policy: rules: expected a list");
  CHECK(what(R"({"rules": [], "more": 1})") == "policy: unknown member more");
  CHECK(what(R"({"rules": [{"allow": 1}]})") == "rules[0].allow: expected true or false");
  CHECK(what(R"({"rules": [{"allow": true}, {"allow": true, "to": 1}]})") == "rules[1]: unknown member to");
  CHECK(what(R"({"rules": [{"allow": true, "from": {"node": 1}}]})") ==
        "rules[0].from.node: expected text, found integer");
}
