#include "libflock/membership/revisits.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace flock;
using std::chrono::seconds;
using namespace std::chrono_literals;

node_id id(const std::string& text) { return *node_id::parse(text); }

/// Lets time pass as a node does, once a second, and notes who is visited when.
std::multimap<seconds, node_id> visits(revisits& r, const std::vector<node_id>& dead, seconds from, seconds until) {
  std::multimap<seconds, node_id> all;
  for (auto now = from; now < until; now += 1s)
    for (const auto& one : r.due(dead, time_point(now))) all.emplace(now, one);
  return all;
}

}  // namespace

TEST_CASE("a dead node is visited after a while, then more and more rarely, but for ever") {
  revisits r(1, {5s, 30s});

  const auto all = visits(r, {id("a")}, 0s, 3600s);

  REQUIRE(all.size() > 3600 / 31);
  auto before = all.begin();
  CHECK(before->first >= 2s);
  CHECK(before->first <= 5s);
  seconds longest{5};
  for (auto at = std::next(before); at != all.end(); before = at++) {
    longest = std::min(2 * longest, seconds(30));
    CHECK(at->first - before->first >= longest / 2);
    CHECK(at->first - before->first <= longest + 1s);
  }
}

TEST_CASE("a node that came back and dies again is visited as soon as the first time") {
  revisits r(1, {5s, 30s});
  REQUIRE(visits(r, {id("a")}, 0s, 300s).size() > 5);

  CHECK(r.due({}, time_point(300s)).empty());

  CHECK_FALSE(visits(r, {id("a")}, 301s, 308s).empty());
}

TEST_CASE("a thousand nodes that die together are not visited together") {
  revisits r(7, {5s, 30s});
  std::vector<node_id> dead;
  for (int i = 0; i < 1000; ++i) dead.push_back(id("n" + std::to_string(i)));

  const auto all = visits(r, dead, 0s, 120s);

  CHECK(all.size() > 5000);
  // When they have spread: 1000 in 15 to 30 s.
  for (auto at = 60s; at < 120s; at += 1s) CHECK(all.count(at) < 100);
}
