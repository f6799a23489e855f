#include "libflock/seams/transport.hpp"

#include <doctest/doctest.h>

#include <string>

using flock::error_code;
using flock::hello;
using flock::value;

namespace {

hello from_bender() {
  return {"/flock/production", *flock::node_id::parse("bender0"), {1, 2}, "0.1.0", "10.0.0.1:22222", "production",
          "journal-1"};
}

/// The body of a good hello with one member changed.
value changed(const std::string& name, value to) {
  auto body = *from_bender().to_body().as_map();
  body[name] = std::move(to);
  return body;
}

void refused(const value& body, std::string_view why) {
  auto h = hello::from_body(body);
  REQUIRE_FALSE(h);
  CHECK(h.error().code == error_code::protocol);
  CAPTURE(h.error().what);
  CHECK(h.error().what.starts_with(why));
}

}  // namespace

TEST_CASE("a hello comes back from its body, and unknown members are ignored") {
  for (const value& body : {from_bender().to_body(), changed("of_a_newer_version", 1)}) {
    auto h = hello::from_body(body);
    REQUIRE(h);
    CHECK(h->flock == "/flock/production");
    CHECK(h->id == "bender0");
    CHECK(h->life == flock::incarnation{1, 2});
    CHECK(h->version == "0.1.0");
    CHECK(h->address == "10.0.0.1:22222");
    CHECK(h->environment == "production");
    CHECK(h->journal == "journal-1");
  }
}

TEST_CASE("a hello without a member, or with one of the wrong kind, is refused by its name") {
  auto body = from_bender().to_body();
  for (const auto& [name, member] : *body.as_map()) {
    CAPTURE(name);
    refused(changed(name, nullptr), "hello: " + name + ": expected text, found null");
    refused(changed(name, 7), "hello: " + name + ": expected text, found integer");
  }
  refused(changed("id", "not a node"), "hello: id: node id");
  refused(changed("life", "xyz"), "hello: life: incarnation");
  refused("no map", "hello: flock: ");
}
