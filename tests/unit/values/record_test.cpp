#include "libflock/values/record.hpp"

#include <doctest/doctest.h>

namespace {

using namespace flock;
using namespace flock::internal;

enum class colour : std::uint8_t { red = 1, green };
std::string_view to_string(colour c) { return c == colour::red ? "red" : "green"; }
std::optional<colour> colour_from(std::string_view name) {
  if (name == "red") return colour::red;
  if (name == "green") return colour::green;
  return std::nullopt;
}

struct wheel {
  int size = 0;
  friend bool operator==(const wheel&, const wheel&) = default;
};

struct wagon {
  node_id owner;  // has no default
  colour paint = colour::red;
  wall_time built{};
  std::string note;
  bool old = false;
  std::vector<wheel> wheels;
  friend bool operator==(const wagon&, const wagon&) = default;
};

constexpr auto wheel_form = describe_record<wheel>(record_member{"size", &wheel::size, required()});
constexpr auto wagon_form = describe_record<wagon>(
    record_member{"owner", &wagon::owner, required()},
    record_member{"paint", &wagon::paint, by_name{colour_from, colour::green}},
    record_member{"built", &wagon::built, required()}, record_member{"note", &wagon::note, left_out_when_new()},
    record_member{"old", &wagon::old, defaulted()},
    record_member{"wheels", &wagon::wheels, list_of{wheel_form, 2, "wheels are too many"}});

wagon a_wagon() { return {*node_id::parse("b0"), colour::green, wall_time(milliseconds(7)), "new", true, {{3}, {4}}}; }

result<wagon> read(const value& v) { return wagon_form.read(encode(v)); }

}  // namespace

TEST_CASE("a record comes back as it was written") {
  std::string out;
  wagon_form.write(out, a_wagon());

  CHECK(wagon_form.read(out) == a_wagon());
}

TEST_CASE("a record is written as the map of its members is, in the order of their names") {
  const value::map expected{
      {"built", 7},    {"note", "new"},    {"old", true},
      {"owner", "b0"}, {"paint", "green"}, {"wheels", value::list{value::map{{"size", 3}}, value::map{{"size", 4}}}}};
  std::string out;
  wagon_form.write(out, a_wagon());

  CHECK(out == encode(expected));
  CHECK(wagon_form.to_value(a_wagon()) == value(expected));
}

TEST_CASE("a member that is as new may be left out, and a missing one is as new") {
  auto plain = a_wagon();
  plain.note.clear();
  plain.wheels.clear();
  plain.old = false;
  auto v = wagon_form.to_value(plain);
  CHECK(v.as_map()->find("note") == v.as_map()->end());
  v.as_map()->erase("old");
  v.as_map()->erase("wheels");

  CHECK(read(v) == plain);
}

TEST_CASE("a record of a newer version may have more members") {
  auto v = wagon_form.to_value(a_wagon());
  v.as_map()->emplace("brake", "air");

  CHECK(read(v) == a_wagon());
}

TEST_CASE("what is wrong with a record is told with the member's name") {
  auto v = wagon_form.to_value(a_wagon());
  auto& members = *v.as_map();
  SUBCASE("missing") {
    members.erase("owner");
    CHECK(read(v).error().what == "owner: missing");
  }
  SUBCASE("of another kind") {
    members["built"] = "today";
    CHECK(read(v).error().what.starts_with("built: "));
  }
  SUBCASE("no such enumerator") {
    members["paint"] = "blue";
    CHECK(read(v).error().what == "paint: \"blue\" is none of red, green");
  }
  SUBCASE("no enumerator") {
    members.erase("paint");
    CHECK(read(v).error().what == "paint: missing");
  }
  SUBCASE("too many") {
    members["wheels"] = value::list(3, value::map{{"size", 1}});
    CHECK(read(v).error().what == "wheels: 3 wheels are too many");
  }
  SUBCASE("inside") {
    members["wheels"] = value::list{value::map{}};
    CHECK(read(v).error().what == "wheels: size: missing");
  }
  SUBCASE("no map") { CHECK(read(7).error().code == error_code::bad_argument); }
}
