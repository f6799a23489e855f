#include "internal/value_maker.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using flock::value;
using flock::internal::list_of;
using flock::internal::map_of;

TEST_CASE("maps and lists are made of their members without copying what is in them") {
  value::list inner{1, 2};
  const auto* where = inner.data();

  const value made = map_of({{"a", list_of(value(std::move(inner)), "b")}, {"c", 3}});

  CHECK(made == value(value::map{{"a", value::list{value::list{1, 2}, "b"}}, {"c", 3}}));
  CHECK(made["a"].as_list()->front().as_list()->data() == where);
}

TEST_CASE("of a member that is there twice, the first one stays, as in value::map") {
  CHECK(map_of({{"a", 1}, {"a", 2}}) == value::map{{"a", 1}, {"a", 2}});
}
