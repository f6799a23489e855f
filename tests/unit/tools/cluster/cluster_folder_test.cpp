#include "tools/cluster/cluster_folder.hpp"

#include <doctest/doctest.h>

using namespace flock::testing;

TEST_CASE("a cluster's files are where its users look for them") {
  cluster_folder folder("/tmp/c");

  CHECK(folder.config("bender0") == "/tmp/c/bender0/flockd.conf");
  CHECK(folder.socket("bender0") == "/tmp/c/bender0/flockd.sock");
  CHECK(folder.log("bender0") == "/tmp/c/bender0/flockd.log");
  CHECK(folder.pid_file("bender0") == "/tmp/c/bender0/flockd.pid");
  CHECK(folder.zookeeper(3) == "/tmp/c/zookeeper/3");
  CHECK(folder.pid_file(cluster_folder::zookeeper_name(3)) == "/tmp/c/zookeeper/3/pid");
  CHECK(folder.environment() == "/tmp/c/env");
}

TEST_CASE("a flockd.conf has a key and a value a line, in the order given") {
  CHECK(config_text({{"id", "bender0"}, {"role", "web"}, {"role", "db"}}) ==
        "# Written by flock-cluster, anew at each `up`.\nid = bender0\nrole = web\nrole = db\n");
}

TEST_CASE("a shell reads the environment as it was meant") {
  CHECK(environment_text("zk://127.0.0.1:1/flock/x", "/tmp/it's here/$HOME") ==
        "export FLOCK_REGISTRY='zk://127.0.0.1:1/flock/x'\nexport FLOCK_SOCKET='/tmp/it'\\''s here/$HOME'\n");
}

TEST_CASE("of each process the last start counts, and a line that was cut short does not") {
  auto all = parse_processes("zookeeper/1 100 1@b\nbender0 101 2@b\nbender1 102 3@b\nbender0 205 9@b\nbender1 20");

  REQUIRE(all);
  CHECK(*all ==
        std::vector<recorded_process>{{"zookeeper/1", 100, "1@b"}, {"bender0", 205, "9@b"}, {"bender1", 102, "3@b"}});
  CHECK(parse_processes("") == flock::result(std::vector<recorded_process>()));
  CHECK_FALSE(parse_processes("something else\n"));
}
