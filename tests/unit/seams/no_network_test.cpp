#include "libflock/seams/no_network.hpp"

#include <doctest/doctest.h>

#include <optional>

using namespace flock;

namespace {

struct ears : transport::listener {
  std::optional<error> failed;

  void connected(const hello&) override { FAIL("nobody is there"); }
  void received(const hello&, message) override { FAIL("nobody speaks"); }
  void disconnected(const hello&, const error&) override { FAIL("nobody was there"); }
  void dial_failed(const node_id& id, dial_failure how, const error& why) override {
    CHECK(id.str() == "bender1");
    CHECK(how == dial_failure::rejected);
    failed = why;
  }
};

}  // namespace

TEST_CASE("a node that is alone has no address, and whoever it wants to reach cannot be reached, with the reason") {
  no_network none("it has no certificates");
  ears heard;
  const auto bender1 = *node_id::parse("bender1");

  CHECK(*none.start(heard) == "");
  none.dial(bender1, "127.0.0.1:1");
  REQUIRE(heard.failed);
  CHECK(*heard.failed == error{error_code::refused, "it has no certificates"});
  const auto sent = none.send(bender1, {});
  REQUIRE(!sent);
  CHECK(sent.error() == error{error_code::unreachable, "cannot reach bender1: it has no certificates"});
}
