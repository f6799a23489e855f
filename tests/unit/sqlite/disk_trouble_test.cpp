#include "libflock/sqlite/disk_trouble.hpp"

#include <doctest/doctest.h>

using flock::error_code;
using flock::time_point;
using flock::internal::disk_trouble;
using flock::internal::fault;
using namespace std::chrono_literals;

namespace {

const fault full{fault::kind::full, "the disk is full: /x/journal.db"};
const fault broken{fault::kind::io, "/x/journal.db: disk I/O error"};
constexpr time_point start{};

}  // namespace

TEST_CASE("a trouble is logged when it begins and when it is over, however often it was met meanwhile") {
  disk_trouble t;

  const auto begun = t.met(full, 3, start);
  REQUIRE(begun.has_value());
  CHECK(begun->level == std::string("error"));
  CHECK(begun->text == "the disk is full: /x/journal.db; 3 writes wait, and are tried again");
  CHECK_FALSE(t.met(full, 5, start + 1s).has_value());
  REQUIRE(t.now().has_value());
  CHECK(t.now()->code == error_code::io);
  CHECK(t.now()->what == full.what);

  const auto ended = t.over(start + 90s);
  REQUIRE(ended.has_value());
  CHECK(ended->text == "the disk takes writes again, after 90s");
  CHECK_FALSE(t.now().has_value());
  CHECK_FALSE(t.over(start + 91s).has_value());
}

TEST_CASE("another trouble in the midst of one is logged once, and lasts from the first one on") {
  disk_trouble t;
  t.met(full, 1, start);

  CHECK(t.met(broken, 1, start + 1s).has_value());
  CHECK(t.now()->what == broken.what);
  CHECK_FALSE(t.met(full, 1, start + 1s).has_value());
  CHECK(t.now()->what == full.what);

  CHECK(t.over(start + 2s)->text == "the disk takes writes again, after 2s");
  CHECK(t.met(broken, 1, start + 3s).has_value());
}

TEST_CASE("the last trouble is remembered when it is over") {
  disk_trouble t;
  CHECK(t.last().empty());
  t.met(full, 1, start);
  t.over(start);

  CHECK(t.last() == full.what);
  t.remember("journal.db was damaged");
  CHECK(t.last() == "journal.db was damaged");
}
