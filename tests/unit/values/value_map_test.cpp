#include <flock/value.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using flock::value;

namespace {

std::vector<std::string> names(const value::map& m) {
  std::vector<std::string> out;
  for (const auto& [name, member] : m) out.push_back(name);
  return out;
}

}  // namespace

TEST_CASE("the members of a map are in the order of their names, however they came") {
  value::map m{{"m", 1}, {"z", 2}, {"a", 3}};
  m.emplace("k", 4);
  m["b"] = 5;
  m.insert_or_assign("zz", 6);

  CHECK(names(m) == std::vector<std::string>{"a", "b", "k", "m", "z", "zz"});
  CHECK(m == value::map{{"zz", 6}, {"z", 2}, {"m", 1}, {"k", 4}, {"b", 5}, {"a", 3}});
}

TEST_CASE("a member that is there already is kept by emplace, and replaced by insert_or_assign") {
  value::map m{{"a", 1}, {"a", 2}};
  CHECK(m == value::map{{"a", 1}});

  CHECK_FALSE(m.emplace("a", 3).second);
  CHECK(m.at("a") == value(1));
  CHECK_FALSE(m.insert_or_assign("a", 4).second);
  CHECK(m.at("a") == value(4));
  CHECK(m.insert_or_assign("b", 5).second);
  CHECK(m.size() == 2);
}

TEST_CASE("members are found by their names, and removed") {
  value::map m{{"a", 1}, {"b", 2}, {"c", 3}};

  CHECK(m.contains("b"));
  CHECK(m.count("bb") == 0);
  CHECK(m.find("bb") == m.end());
  CHECK(m.erase("b") == 1);
  CHECK(m.erase("b") == 0);
  CHECK(m.erase(m.begin())->first == "c");
  CHECK(names(m) == std::vector<std::string>{"c"});
  m.clear();
  CHECK(m.empty());
}

TEST_CASE("a map is made of many members in any order, unless one is there twice") {
  CHECK(value::map::of({{"b", 1}, {"a", 2}}) == value::map{{"a", 2}, {"b", 1}});
  CHECK_FALSE(value::map::of({{"b", 1}, {"a", 2}, {"b", 3}}).has_value());
}

TEST_CASE("a map that is written out is made of its members without copying what is in them") {
  value::list inner{1, 2};
  const auto* where = inner.data();

  const value made = value::map{{"a", std::move(inner)}, {"c", 3}};

  CHECK(made["a"].as_list()->data() == where);
}
