#include "libflock/membership/registry_layout.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace flock::internal;

flock::node_id id(const std::string& text) { return *flock::node_id::parse(text); }
flock::actor_name actor(const std::string& text) { return *flock::actor_name::parse(text); }

}  // namespace

TEST_CASE("paths are sharded by FNV-1a, and say the names") {
  CHECK(registry_layout::bucket("foobar") == "bf");
  CHECK(registry_layout::bucket("a") == "e4");
  CHECK(registry_layout::node_path(id("foobar")) == "/nodes/bf/foobar");
  CHECK(registry_layout::attributes_path(id("a")) == "/attributes/e4/a");
  CHECK(registry_layout::actor_path(actor("file[/etc/hosts]")) ==
        "/actors/" + registry_layout::bucket("file[/etc/hosts]") + "/file%5B%2Fetc%2Fhosts%5D");
  CHECK(registry_layout::actor_path(actor("..")).ends_with("/%2E%2E"));
}
