#pragma once

#include "libflock/seams/registry.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flock::testing {

/// A registry's servers, and faults of theirs: what the contract is tried on.
class registry_world {
 public:
  virtual ~registry_world() = default;

  /// One more client of the same tree, which is empty at first.
  virtual std::unique_ptr<registry> make_registry() = 0;
  /// Lets time pass until it is so. \returns false if it does not become so
  virtual bool wait_until(const std::function<bool()>& is_so) = 0;

  /// All clients lose their connections, but not their sessions.
  virtual void disconnect() = 0;
  virtual void reconnect() = 0;
  virtual void expire(registry& whose) = 0;
};

/// A registry that waits for answers and keeps what it is told.
class registry_client final : private registry::listener {
 public:
  using sessions = std::vector<std::pair<session_state, bool>>;

  explicit registry_client(registry_world& world) : world_(world), registry_(world.make_registry()) {}
  ~registry_client() override { registry_->stop(); }

  registry& tree() { return *registry_; }

  void start() { registry_->start(*this); }
  void start_and_wait() {
    start();
    REQUIRE(wait_for(session_state::ready, true));
  }
  void stop() { registry_->stop(); }

  result<registry_entry> create(const std::string& path, std::string data = {},
                                registry::kind k = registry::kind::persistent) {
    return ask<registry_entry>([&](auto done) { registry_->create(path, std::move(data), k, std::move(done)); });
  }
  result<registry_entry> get(const std::string& path, bool watch = false) {
    return ask<registry_entry>([&](auto done) { registry_->get(path, watch, std::move(done)); });
  }
  result<registry_list> children(const std::string& path, bool watch = false) {
    return ask<registry_list>([&](auto done) { registry_->children(path, watch, std::move(done)); });
  }
  result<registry_entry> set(const std::string& path, std::string data, std::int64_t version = registry::any_version) {
    return ask<registry_entry>([&](auto done) { registry_->set(path, std::move(data), version, std::move(done)); });
  }
  result<void> remove(const std::string& path, std::int64_t version = registry::any_version) {
    return ask<void>([&](auto done) { registry_->remove(path, version, std::move(done)); });
  }

  /// The error code, or nothing if it was done.
  template <class T> static std::optional<error_code> code(const result<T>& r) {
    return r ? std::nullopt : std::optional(r.error().code);
  }

  bool wait_for(session_state s, bool fresh = false) {
    return world_.wait_until([&] { return std::ranges::count(seen_sessions(), std::pair(s, fresh)) > 0; });
  }
  bool wait_for_change(const std::string& path) {
    return world_.wait_until([&] { return std::ranges::count(seen_changes(), path) > 0; });
  }

  sessions seen_sessions() const {
    std::lock_guard lock(mutex_);
    return sessions_;
  }
  std::vector<std::string> seen_changes() const {
    std::lock_guard lock(mutex_);
    return changes_;
  }
  void forget() {
    std::lock_guard lock(mutex_);
    sessions_.clear();
    changes_.clear();
  }

 private:
  void session_changed(session_state now, bool fresh) override {
    std::lock_guard lock(mutex_);
    sessions_.emplace_back(now, fresh);
  }
  void changed(const std::string& path) override {
    std::lock_guard lock(mutex_);
    changes_.push_back(path);
  }

  template <class T, class F> result<T> ask(F call) {
    struct inbox {
      std::mutex mutex;
      std::optional<result<T>> answer;
    };
    auto in = std::make_shared<inbox>();
    call([in](result<T> r) {
      std::lock_guard lock(in->mutex);
      CHECK_FALSE(in->answer.has_value());
      in->answer = std::move(r);
    });
    REQUIRE(world_.wait_until([&] {
      std::lock_guard lock(in->mutex);
      return in->answer.has_value();
    }));
    return std::move(*in->answer);
  }

  registry_world& world_;
  std::unique_ptr<registry> registry_;
  mutable std::mutex mutex_;  ///< guards the rest
  sessions sessions_;
  std::vector<std::string> changes_;
};

/// What every registry keeps, one sentence each. To be called in a TEST_CASE; a sentence has a world for itself.
template <class World> void check_registry_contract() {
  using kind = registry::kind;
  using names = std::vector<std::string>;
  constexpr auto code = [](const auto& r) { return registry_client::code(r); };
  World world;
  registry_client anna(world);

  SUBCASE("nothing is done before there is a session") {
    CHECK(code(anna.get("/a")) == error_code::session_lost);
    CHECK(code(anna.create("/a")) == error_code::session_lost);
  }

  anna.start_and_wait();

  SUBCASE("an entry that was made can be read, changed and removed") {
    auto made = anna.create("/a", "one");
    REQUIRE(made.has_value());
    CHECK(made->data == "one");
    CHECK(made->version == 0);
    CHECK_FALSE(made->ephemeral);

    auto set = anna.set("/a", "two", 0);
    REQUIRE(set.has_value());
    CHECK(set->version == 1);
    auto got = anna.get("/a");
    REQUIRE(got.has_value());
    CHECK(got->data == "two");
    CHECK(got->version == 1);
    CHECK(got->created == made->created);
    CHECK(code(anna.remove("/a")) == std::nullopt);
    CHECK(code(anna.get("/a")) == error_code::not_found);
  }

  SUBCASE("data is any bytes, none of them included") {
    std::string bytes("\0\xff\n", 3);
    REQUIRE(anna.create("/bytes", bytes).has_value());
    REQUIRE(anna.create("/none").has_value());

    CHECK(anna.get("/bytes")->data == bytes);
    CHECK(anna.get("/none")->data.empty());
  }

  SUBCASE("what is not there, or there already, or has another version, is said") {
    REQUIRE(anna.create("/a").has_value());

    CHECK(code(anna.create("/a")) == error_code::conflict);
    CHECK(code(anna.set("/a", "x", 7)) == error_code::conflict);
    CHECK(code(anna.remove("/a", 7)) == error_code::conflict);
    CHECK(code(anna.get("/b")) == error_code::not_found);
    CHECK(code(anna.children("/b")) == error_code::not_found);
    CHECK(code(anna.set("/b", "x")) == error_code::not_found);
    CHECK(code(anna.remove("/b")) == error_code::not_found);
  }

  SUBCASE("missing parents are made, and hold the names below in order") {
    REQUIRE(anna.create("/a/b/two", "2").has_value());
    REQUIRE(anna.create("/a/b/one", "1").has_value());

    CHECK(anna.children("/")->names == names{"a"});
    CHECK(anna.children("/a/b")->names == names{"one", "two"});
    CHECK(anna.children("/a/b/one")->names.empty());
    CHECK_FALSE(anna.get("/a/b")->ephemeral);
    CHECK(code(anna.remove("/a")) == error_code::conflict);
  }

  SUBCASE("a list counts what was made and removed since its entry was created, by the ends of sessions as well") {
    registry_client berta(world);
    berta.start_and_wait();
    REQUIRE(anna.create("/a").has_value());
    const auto empty = *anna.children("/a");
    REQUIRE(anna.create("/a/x").has_value());
    REQUIRE(berta.create("/a/theirs", "", kind::ephemeral).has_value());
    REQUIRE(anna.set("/a/x", "data").has_value());
    REQUIRE(anna.create("/a/x/below").has_value());
    const auto two = *anna.children("/a");
    REQUIRE(anna.remove("/a/x/below").has_value());
    REQUIRE(anna.remove("/a/x").has_value());
    REQUIRE(anna.create("/a/x").has_value());
    berta.stop();
    REQUIRE(world.wait_until([&] { return anna.children("/a")->names == names{"x"}; }));
    const auto last = *anna.children("/a");

    CHECK(empty.created == anna.get("/a")->created);
    CHECK(last.created == empty.created);
    CHECK(two.changes - empty.changes == 2);
    CHECK(last.changes - two.changes == 3);
    CHECK(nothing_was_replaced(empty, two));
    CHECK_FALSE(nothing_was_replaced(two, last));
  }

  SUBCASE("parents that were made for a child vanish after it, others stay") {
    REQUIRE(anna.create("/kept").has_value());
    REQUIRE(anna.create("/kept/x/y").has_value());

    REQUIRE(anna.remove("/kept/x/y").has_value());

    CHECK(world.wait_until([&] { return code(anna.get("/kept/x")) == error_code::not_found; }));
    CHECK(anna.get("/kept").has_value());
  }

  SUBCASE("a successor is told from its predecessor") {
    auto first = anna.create("/a");
    REQUIRE(anna.remove("/a").has_value());

    auto second = anna.create("/a");

    CHECK(second->created > first->created);
    CHECK(second->version == 0);
  }

  SUBCASE("names are any UTF-8 once they are percent-encoded") {
    const std::string path = "/actors/file%5B%2Fetc%2Fh%C3%B6sts%5D/node-1.example_x~:y";
    REQUIRE(anna.create(path, "x").has_value());

    CHECK(anna.get(path)->data == "x");
    CHECK(anna.children("/actors")->names == names{"file%5B%2Fetc%2Fh%C3%B6sts%5D"});
  }

  SUBCASE("an ephemeral entry is known as ours or theirs, has no children, and ends with its maker") {
    registry_client berta(world);
    berta.start_and_wait();
    REQUIRE(berta.create("/here/berta", "x", kind::ephemeral)->ours);
    REQUIRE(anna.children("/here", true).has_value());
    CHECK(anna.get("/here/berta")->ephemeral);
    CHECK_FALSE(anna.get("/here/berta")->ours);
    CHECK(code(anna.create("/here/berta/child")) == error_code::refused);

    berta.stop();

    CHECK(anna.wait_for_change("/here"));
    CHECK(code(anna.get("/here/berta")) == error_code::not_found);
  }

  SUBCASE("data that is too large is refused, and harms nobody") {
    REQUIRE(anna.create("/large", std::string(registry::max_data, 'x')).has_value());

    CHECK(code(anna.create("/larger", std::string(registry::max_data + 1, 'x'))) == error_code::refused);
    CHECK(code(anna.set("/large", std::string(registry::max_data + 1, 'x'))) == error_code::refused);

    CHECK(anna.get("/large")->data.size() == registry::max_data);
    CHECK(anna.seen_sessions() == registry_client::sessions{{session_state::ready, true}});
  }

  SUBCASE("a watch tells of one change") {
    registry_client berta(world);
    berta.start_and_wait();
    REQUIRE(berta.create("/a/b").has_value());
    REQUIRE(anna.get("/a/b", true).has_value());
    REQUIRE(anna.get("/a/b", true).has_value());

    REQUIRE(berta.set("/a/b", "1").has_value());
    REQUIRE(berta.set("/a/b", "2").has_value());
    CHECK(anna.wait_for_change("/a/b"));
    CHECK(anna.get("/a/b", true)->data == "2");
    CHECK(anna.seen_changes() == names{"/a/b"});

    REQUIRE(berta.remove("/a/b").has_value());
    CHECK(world.wait_until([&] { return anna.seen_changes() == names{"/a/b", "/a/b"}; }));
  }

  SUBCASE("a watch on children tells of those that come and go, not of their data") {
    registry_client berta(world);
    berta.start_and_wait();
    REQUIRE(berta.create("/a").has_value());
    REQUIRE(berta.create("/a/b").has_value());
    REQUIRE(anna.children("/a", true).has_value());

    REQUIRE(berta.set("/a/b", "1").has_value());
    REQUIRE(berta.set("/a", "1").has_value());
    REQUIRE(anna.get("/a").has_value());
    CHECK(anna.seen_changes().empty());
    REQUIRE(berta.create("/a/c").has_value());

    CHECK(anna.wait_for_change("/a"));
    CHECK(anna.children("/a")->names == names{"b", "c"});
  }

  SUBCASE("what is not there can be watched for") {
    registry_client berta(world);
    berta.start_and_wait();
    CHECK(code(anna.get("/a", true)) == error_code::not_found);
    CHECK(code(anna.children("/b", true)) == error_code::not_found);

    REQUIRE(berta.create("/a").has_value());
    REQUIRE(berta.create("/b/c").has_value());

    CHECK(anna.wait_for_change("/a"));
    CHECK(anna.wait_for_change("/b"));
    CHECK(anna.seen_changes().size() == 2);
    CHECK(anna.tree().stats().watches_fired == 2);
  }

  SUBCASE("a lost connection suspends; the session, what it made and its watches come through") {
    REQUIRE(anna.create("/here", "", kind::ephemeral).has_value());
    REQUIRE(anna.get("/here", true).has_value());
    anna.forget();

    world.disconnect();
    REQUIRE(anna.wait_for(session_state::suspended));
    CHECK(code(anna.get("/here")) == error_code::session_lost);
    CHECK(code(anna.set("/here", "x")) == error_code::session_lost);
    world.reconnect();
    REQUIRE(anna.wait_for(session_state::ready));

    CHECK(anna.seen_sessions() ==
          registry_client::sessions{{session_state::suspended, false}, {session_state::ready, false}});
    CHECK(anna.get("/here")->ours);
    CHECK(anna.seen_changes().empty());
    REQUIRE(anna.set("/here", "x").has_value());
    CHECK(anna.wait_for_change("/here"));
  }

  SUBCASE("a session that ends is told, and is followed by a fresh one without entries or watches") {
    registry_client berta(world);
    berta.start_and_wait();
    REQUIRE(anna.create("/stays").has_value());
    REQUIRE(anna.create("/here", "", kind::ephemeral).has_value());
    REQUIRE(anna.get("/stays", true).has_value());
    auto before = anna.tree().stats().session;
    anna.forget();

    world.expire(anna.tree());
    REQUIRE(anna.wait_for(session_state::ready, true));

    CHECK(std::ranges::count(anna.seen_sessions(), std::pair(session_state::lost, false)) == 1);
    CHECK(anna.tree().stats().session != before);
    CHECK(code(berta.get("/here")) == error_code::not_found);
    REQUIRE(berta.set("/stays", "x").has_value());
    REQUIRE(anna.get("/stays").has_value());
    CHECK(anna.seen_changes().empty());
  }

  SUBCASE("every call is answered exactly once when the registry stops, and after it") {
    constexpr int calls = 200;
    auto answers = std::make_shared<std::vector<std::optional<error_code>>>();
    auto mutex = std::make_shared<std::mutex>();
    auto keep = [answers, mutex](const result<registry_entry>& r) {
      std::lock_guard lock(*mutex);
      answers->push_back(registry_client::code(r));
    };
    for (int i = 0; i < calls; ++i) anna.tree().create("/all/" + std::to_string(i), "", kind::persistent, keep);
    anna.stop();
    anna.tree().get("/all", false, keep);

    CHECK(world.wait_until([&] {
      std::lock_guard lock(*mutex);
      return answers->size() == calls + 1;
    }));
    std::lock_guard lock(*mutex);
    CHECK(answers->back() == error_code::shutting_down);
    CHECK(std::ranges::all_of(*answers, [](auto c) { return !c || *c == error_code::shutting_down; }));
    CHECK(anna.seen_sessions().size() == 1);
  }
}

}  // namespace flock::testing
