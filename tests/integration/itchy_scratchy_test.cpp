#include "tests/support/temporary_folder.hpp"
#include "tools/cluster/child.hpp"
#include "tools/cluster/zookeeper_server.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace {

using flock::milliseconds;
using flock::testing::child;
using flock::testing::zookeeper_server;

constexpr milliseconds patience{30'000};

/// A flock with a registry of its own. Its nodes are programs of docs/examples.
class town {
 public:
  town() { REQUIRE(registry_.wait_until_serving(patience).has_value()); }

  child move_in(const std::string& program, const std::string& id) const {
    auto started = child::start({{program, "--id", id, "--zookeeper", registry_.address(), "--insecure", "--listen",
                                  "127.0.0.1:0", "--session-timeout", "2s"},
                                 {},
                                 log(id)});
    REQUIRE(started.has_value());
    return std::move(*started);
  }

  std::string said_by(const std::string& id) const {
    std::ifstream file(log(id));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  bool hears(const std::string& id, std::string_view text) const {
    for (auto until = flock::system_clock().now() + patience; flock::system_clock().now() < until;) {
      if (said_by(id).find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }

 private:
  static zookeeper_server start_registry(const std::string& folder) {
    auto started = zookeeper_server::start({folder, zookeeper_server::pick_ports(1)});
    REQUIRE(started.has_value());
    return std::move(*started);
  }

  std::string log(const std::string& id) const { return (folder_.path() / id).string(); }

  flock::testing::temporary_folder folder_;
  zookeeper_server registry_ = start_registry((folder_.path() / "zookeeper").string());
};

constexpr std::string_view six_rounds = "Bite!\nBite!\nFight!\nFight!\nFight!\nBite!\n";

}  // namespace

TEST_CASE("scratchy finds itchy on another node, calls it, and hears of its end") {
  town here;
  auto itchy = here.move_in("example_itchy", "springfield");
  REQUIRE(here.hears("springfield", "springfield/itchy waits for calls"));

  auto scratchy = here.move_in("example_scratchy", "shelbyville");
  REQUIRE_MESSAGE(here.hears("shelbyville", six_rounds), here.said_by("shelbyville"));
  itchy.signal(SIGKILL);

  CHECK_MESSAGE(here.hears("shelbyville", "itchy is down"), here.said_by("shelbyville"));
  CHECK(scratchy.wait(patience) == 0);
}

TEST_CASE("the program in the README does what it says on two nodes") {
  town here;
  auto springfield = here.move_in("example_readme", "springfield");

  auto shelbyville = here.move_in("example_readme", "shelbyville");
  REQUIRE_MESSAGE(here.hears("shelbyville", six_rounds), here.said_by("shelbyville"));
  springfield.signal(SIGKILL);

  CHECK_MESSAGE(here.hears("shelbyville", "itchy is down"), here.said_by("shelbyville"));
  CHECK(shelbyville.stop(patience) == 0);
}
