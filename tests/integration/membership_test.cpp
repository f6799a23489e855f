#include "libflock/membership/membership.hpp"

#include "libflock/caf/caf_runtime.hpp"
#include "libflock/zookeeper/zookeeper_registry.hpp"
#include "tests/support/private_zookeeper.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using flock::membership;
using flock::milliseconds;
using flock::node_id;
using flock::session_state;
using flock::testing::private_zookeeper;

node_id id(const std::string& text) { return *node_id::parse(text); }
flock::actor_name actor(const std::string& text) { return *flock::actor_name::parse(text); }

/// A node's membership on a real registry and real threads; keeps what it is told as words.
class member final : public membership::listener {
 public:
  member(flock::runtime& threads, const private_zookeeper& server)
      : tree_(flock::internal::make_zookeeper_registry(flock::system_clock(), {.servers = server.address(),
                                                                               .root = "/flock",
                                                                               .auth = {},
                                                                               .session_timeout = milliseconds(4000),
                                                                               .log = {}})),
        turn_(threads.make_mailbox("member")),
        part_(std::make_unique<membership>(*tree_, turn_, flock::system_clock(), *this)) {}
  ~member() override {
    tree_->stop();
    // Its parts live in their turn, and end there.
    run([this] { part_.reset(); });
  }

  void join(const std::string& name, std::uint64_t life) {
    run([&] {
      flock::node_attributes about;
      about.roles = {"role of " + name};
      part_->join(id(name), {{0, life}, "127.0.0.1:1", "1.0", {}}, about);
    });
  }
  template <class F> void run(F f) {
    std::promise<void> done;
    turn_->post([&] {
      f();
      done.set_value();
    });
    done.get_future().wait();
  }
  membership& part() { return *part_; }
  flock::registry& tree() { return *tree_; }

  bool wait_for(const std::string& word, std::ptrdiff_t times = 1) {
    auto now = [] { return flock::system_clock().now(); };
    for (auto until = now() + milliseconds(20'000); now() < until;) {
      {
        std::lock_guard lock(mutex_);
        if (std::ranges::count(told_, word) >= times) return true;
      }
      std::this_thread::sleep_for(milliseconds(2));
    }
    return false;
  }

 private:
  void tell(std::string word) {
    std::lock_guard lock(mutex_);
    told_.push_back(std::move(word));
  }

  void registry_changed(session_state now) override { tell(std::string(to_string(now))); }
  void joined() override { tell("joined"); }
  void id_taken(const flock::node_life& by) override { tell("taken by " + std::to_string(by.life.low)); }
  void incompatible(const flock::error& why) override { tell(why.what); }
  void listed(const node_id& node, const flock::node_life& life) override {
    tell("listed " + node.str() + " " + std::to_string(life.life.low));
  }
  void unlisted(const node_id& node) override { tell("unlisted " + node.str()); }
  void described(const node_id& node, const flock::node_attributes& about) override {
    tell(node.str() + ": " + about.roles.front());
  }
  void publishers(const flock::actor_name& name, const std::set<node_id>& nodes) override {
    std::string word = name.str() + " by";
    for (const auto& node : nodes) word += " " + node.str();
    tell(std::move(word));
  }
  void lists_read() override { tell("lists read"); }

  std::mutex mutex_;  ///< guards told_
  std::vector<std::string> told_;
  std::unique_ptr<flock::registry> tree_;
  std::shared_ptr<flock::mailbox> turn_;
  std::unique_ptr<membership> part_;
};

}  // namespace

TEST_CASE("nodes find each other on ZooKeeper, through restarts, lost sessions and a server that starts again") {
  private_zookeeper server;
  auto threads = flock::internal::make_caf_runtime(flock::system_clock());
  {
    member anna(*threads, server);
    anna.run([&] {
      anna.part().want_all();
      anna.part().want_publishers(actor("file[/tmp/x]"));
    });
    anna.join("anna", 1);
    REQUIRE(anna.wait_for("joined"));
    REQUIRE(anna.wait_for("lists read"));
    CHECK(anna.wait_for("file[/tmp/x] by"));
    auto berta = std::make_unique<member>(*threads, server);
    berta->run([&] { berta->part().publish(actor("file[/tmp/x]")); });

    berta->join("berta", 2);
    CHECK(anna.wait_for("listed berta 2"));
    CHECK(anna.wait_for("berta: role of berta"));
    CHECK(anna.wait_for("file[/tmp/x] by berta"));
    {
      member rival(*threads, server);
      rival.join("berta", 3);
      CHECK(rival.wait_for("taken by 2"));
      berta.reset();
      CHECK(rival.wait_for("joined"));
      CHECK(anna.wait_for("listed berta 3"));
    }
    CHECK(anna.wait_for("unlisted berta"));

    server.expire(anna.tree().stats().session);
    CHECK(anna.wait_for("joined", 2));
    server.kill();
    CHECK(anna.wait_for("suspended"));
    server.restart();
    CHECK(anna.wait_for("ready", 3));
    member carla(*threads, server);
    carla.join("carla", 4);
    CHECK(anna.wait_for("listed carla 4"));
  }
  threads->stop(flock::system_clock().now() + milliseconds(1000));
}
