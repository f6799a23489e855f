#include <flock/value_cast.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

using flock::blob;
using flock::error_code;
using flock::from_value;
using flock::result;
using flock::to_value;
using flock::value;
using flock::value_traits;

namespace {

struct weapon {
  std::string name;
  template <class Fields> static void fields(Fields& f) { f("name", &weapon::name); }
  friend bool operator==(const weapon&, const weapon&) = default;
};

struct blow {
  int strength = 0;
  std::optional<weapon> with;
  std::vector<std::string> shouts;
  template <class Fields> static void fields(Fields& f) {
    f("strength", &blow::strength)("with", &blow::with)("shouts", &blow::shouts);
  }
  friend bool operator==(const blow&, const blow&) = default;
};

template <class T> void comes_back(const T& v) { CHECK(from_value<T>(to_value<T>(v)) == result<T>(v)); }

template <class T> void refused(const value& v, std::string_view why) {
  auto r = from_value<T>(v);
  REQUIRE_FALSE(r);
  CHECK(r.error().code == error_code::bad_argument);
  CHECK(r.error().what == why);
}

}  // namespace

TEST_CASE("each C++ type comes back from its value") {
  comes_back(true);
  comes_back(-7);
  comes_back(std::uint8_t{255});
  comes_back(std::numeric_limits<std::int64_t>::min());
  comes_back(2.5);
  comes_back(2.5F);
  comes_back(std::string("text"));
  comes_back(blob{"bytes"});
  comes_back(flock::milliseconds(250));
  comes_back(std::optional<int>());
  comes_back(std::optional<int>(7));
  comes_back(std::vector<int>{1, 2, 3});
  comes_back(std::vector<bool>{true, false});
  comes_back(std::map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}});
  comes_back(value("anything"));
  comes_back(*flock::node_id::parse("bender1"));
  comes_back(*flock::actor_name::parse("file[/tmp/x]"));
  comes_back(*flock::address::parse("bender1/file[/tmp/x]"));
  comes_back(*flock::resource_name::parse("file[/tmp/x]"));
  comes_back(flock::incarnation{1, 2});
}

TEST_CASE("a wrong kind is named with what was expected") {
  refused<bool>(1, "expected a boolean, found integer");
  refused<int>("7", "expected an integer, found text");
  refused<int>(7.0, "expected an integer, found real");
  refused<double>(true, "expected a number, found boolean");
  refused<std::string>(blob{"x"}, "expected text, found bytes");
  refused<blob>("x", "expected bytes, found text");
  refused<flock::milliseconds>("5s", "expected a number of milliseconds, found text");
  refused<std::vector<int>>(value::map{}, "expected a list, found map");
  refused<std::map<std::string, int>>(value::list{}, "expected a map, found list");
  refused<flock::node_id>(7, "expected text, found integer");
  refused<weapon>(nullptr, "expected a map, found null");
}

TEST_CASE("a wrong kind inside is named with where it is") {
  refused<std::vector<int>>(value::list{1, "two"}, "element 1: expected an integer, found text");
  refused<std::map<std::string, int>>(value::map{{"a", true}}, "member a: expected an integer, found boolean");
  refused<std::optional<int>>("x", "expected an integer, found text");
  refused<blow>(value::map{{"strength", 1}, {"with", value::map{{"name", 2}}}, {"shouts", value::list{}}},
                "with: name: expected text, found integer");
}

TEST_CASE("an integer that does not fit is refused") {
  refused<std::uint8_t>(256, "256 is out of range");
  refused<unsigned>(-1, "-1 is out of range");
  refused<int>(std::int64_t{1} << 31, "2147483648 is out of range");
  CHECK(from_value<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}

TEST_CASE("a whole number is good where a real is wanted") { CHECK(from_value<double>(7) == result<double>(7.0)); }

TEST_CASE("text that does not parse as a name is refused") {
  auto id = from_value<flock::node_id>("not a node");

  REQUIRE_FALSE(id);
  CHECK(id.error().code == error_code::bad_argument);
}

TEST_CASE("a struct is a map of its members") {
  blow b{3, weapon{"hammer"}, {"bite"}};

  CHECK(to_value(b) ==
        value::map{{"strength", 3}, {"with", value::map{{"name", "hammer"}}}, {"shouts", value::list{"bite"}}});
  comes_back(b);
  comes_back(blow{});
}

TEST_CASE("an optional member may be missing, and unknown ones are ignored") {
  auto b = from_value<blow>(value::map{{"strength", 3}, {"shouts", value::list{}}, {"of_a_newer_version", 1}});

  CHECK(b == result<blow>(blow{3, std::nullopt, {}}));
}

TEST_CASE("a listed member that is missing is an error, and the first one is named") {
  refused<blow>(value::map{}, "strength: expected an integer, found null");
  refused<blow>(value::map{{"strength", 1}}, "shouts: expected a list, found null");
}

TEST_CASE("types have names for people") {
  CHECK(value_traits<int>::name() == "integer");
  CHECK(value_traits<double>::name() == "number");
  CHECK(value_traits<std::vector<std::string>>::name() == "list of text");
  CHECK(value_traits<std::map<std::string, bool>>::name() == "map of boolean");
  CHECK(value_traits<std::optional<int>>::name() == "integer?");
  CHECK(value_traits<flock::node_id>::name() == "text");
  CHECK(value_traits<blow>::name() == "map");
  CHECK(value_traits<value>::name() == "any");
}
