#include "libflock/seams/memory_registry.hpp"

#include "tests/support/registry_contract.hpp"
#include "tools/sim/manual_clock.hpp"
#include "tools/sim/manual_runtime.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace {

using flock::error_code;
using flock::memory_registry;
using flock::registry;
using flock::testing::registry_client;

class memory_world final : public flock::testing::registry_world {
 public:
  std::unique_ptr<registry> make_registry() override {
    auto made = std::make_unique<memory_registry>(tree_, runtime_.make_mailbox("registry"));
    all_.push_back(made.get());
    return made;
  }
  bool wait_until(const std::function<bool()>& is_so) override {
    runtime_.run_ready();
    return is_so();
  }
  void disconnect() override { std::ranges::for_each(all_, &memory_registry::suspend); }
  void reconnect() override { std::ranges::for_each(all_, &memory_registry::resume); }
  void expire(registry& whose) override { dynamic_cast<memory_registry&>(whose).expire(); }

 private:
  flock::testing::manual_clock clock_;
  flock::testing::manual_runtime runtime_{clock_};
  std::shared_ptr<flock::memory_tree> tree_ = flock::make_memory_tree();
  std::vector<memory_registry*> all_;
};

}  // namespace

TEST_CASE("the memory registry keeps the contract of registries") {
  flock::testing::check_registry_contract<memory_world>();
}

TEST_CASE("a connection that goes before the answer came leaves a change in doubt, and a read undone") {
  memory_world world;
  registry_client anna(world);
  anna.start_and_wait();
  std::vector<std::optional<error_code>> answers;
  auto keep = [&](const auto& r) { answers.push_back(registry_client::code(r)); };

  anna.tree().create("/a", "", registry::kind::persistent, keep);
  anna.tree().get("/a", false, keep);
  world.disconnect();
  world.reconnect();

  CHECK(anna.get("/a").has_value());
  CHECK(answers == std::vector<std::optional<error_code>>{error_code::maybe_done, error_code::session_lost});
}

TEST_CASE("a session that ends while it is suspended is followed when the connection is back") {
  memory_world world;
  registry_client anna(world);
  anna.start_and_wait();
  anna.forget();

  world.disconnect();
  world.expire(anna.tree());
  REQUIRE(anna.wait_for(flock::session_state::lost));
  CHECK_FALSE(anna.wait_for(flock::session_state::ready, true));
  world.reconnect();

  CHECK(anna.wait_for(flock::session_state::ready, true));
}

TEST_CASE("watches that fire while suspended are told when the connection is back") {
  memory_world world;
  registry_client anna(world);
  anna.start_and_wait();
  REQUIRE(anna.create("/a").has_value());
  REQUIRE(anna.get("/a", true).has_value());

  world.disconnect();
  registry_client berta(world);
  berta.start_and_wait();
  REQUIRE(berta.set("/a", "x").has_value());
  CHECK_FALSE(anna.wait_for_change("/a"));
  world.reconnect();

  CHECK(anna.wait_for_change("/a"));
}
