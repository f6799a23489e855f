#include "tools/flockctl/table.hpp"

#include "tools/flockctl/console.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

using flock::value;
using flock::ctl::cell;
using flock::ctl::console;
using flock::ctl::display_width;
using flock::ctl::harmless;
using flock::ctl::render;
using flock::ctl::shortened;
using flock::ctl::table;

TEST_CASE("sizes and times are shown in the unit that people take") {
  using flock::ctl::readable, flock::ctl::unit;
  CHECK(readable(512, unit::bytes) == "512 B");
  CHECK(readable(8 << 20, unit::bytes) == "8.0 MB");
  CHECK(readable(std::int64_t(3) << 40, unit::bytes) == "3.0 TB");
  CHECK(readable(59, unit::seconds) == "59 s");
  CHECK(readable(61, unit::seconds) == "1 min 1 s");
  CHECK(readable(7500, unit::seconds) == "2 h 5 min");
  CHECK(readable(90000, unit::seconds) == "1 d 1 h");
  CHECK(readable(86400, unit::seconds) == "1 d");
  CHECK(readable(value(), unit::bytes).empty());
  CHECK(readable("x", unit::bytes) == "x");
  CHECK(readable(7, unit::none) == "7");
}

TEST_CASE("a column shows the member of a member") {
  std::ostringstream data, talk;
  console out(data, talk, {});

  out.rows({value::map{{"node", "a"}, {"memory", value::map{{"available", 2048}}}}, value::map{{"node", "b"}}},
           {{"NODE", "node"}, {"MEMORY", "memory.available", flock::ctl::unit::bytes}}, "none");

  CHECK(data.str() == "NODE  MEMORY\na     2.0 kB\nb\n");
}

TEST_CASE("the width of a text is what a terminal needs for it") {
  CHECK(display_width("") == 0);
  CHECK(display_width("bender1") == 7);
  CHECK(display_width("köln") == 4);
  CHECK(display_width("ko\u0308ln") == 4);
  CHECK(display_width("日本") == 4);
  CHECK(display_width("\xff\xfe") == 2);
  CHECK(display_width("a\xe6\x97") == 3);
}

TEST_CASE("a text is shortened between characters, and shows that it was") {
  CHECK(shortened("bender1", 7) == "bender1");
  CHECK(shortened("bender1", 6) == "bende…");
  CHECK(shortened("größe", 4) == "grö…");
  CHECK(shortened("日本語", 4) == "日…");
  CHECK(shortened("日本語", 1) == "…");
  CHECK(shortened("x", 0).empty());
}

TEST_CASE("control characters do not reach the terminal") {
  CHECK(harmless("a\x1b[31mb\nc\td") == "a [31mb c d");
  CHECK(harmless("caf\u00e9 \u009b31m") == "café  31m");
}

TEST_CASE("columns are aligned whatever the characters, and empty ones left out") {
  const table t{{"ID", "ROLES", "STATE"}, {{"größe", "", "alive"}, {"日本", "", "dead"}, {"x", "", ""}}};

  CHECK(render(t, 0, false) ==
        "ID     STATE\n"
        "größe  alive\n"
        "日本   dead\n"
        "x\n");
}

TEST_CASE("a table fits the terminal: the widest columns give way, the first one never") {
  const table t{{"ID", "ROLES", "STATE"}, {{"bender0.example.com", "a very long list of roles", "alive"}}};

  CHECK(render(t, 40, false) ==
        "ID                   ROLES         STATE\n"
        "bender0.example.com  a very long…  alive\n");
  CHECK(render(t, 10, false) ==
        "ID                   ROLES     STATE\n"
        "bender0.example.com  a very …  alive\n");
  CHECK(render({{"ID"}, {{"bender0.example.com"}}}, 5, false) == "ID\nbender0.example.com\n");
  CHECK(render({{"ID"}, {}}, 5, false) == "\n");
}

TEST_CASE("states have a color if colors are wanted") {
  const table t{{"ID", "STATE"}, {{"a", "alive"}, {"b", "dead"}}};

  CHECK(render(t, 0, true) == "ID  STATE\na   \033[32malive\033[0m\nb   \033[31mdead\033[0m\n");
}

TEST_CASE("a cell says in one line what a value holds") {
  CHECK(cell(nullptr).empty());
  CHECK(cell("x") == "x");
  CHECK(cell(5) == "5");
  CHECK(cell(true) == "true");
  CHECK(cell(value::list{"a", "b"}) == "a, b");
  CHECK(cell(value::list{value::map{{"name", "fight"}, {"doc", "x"}}}) == "fight");
  CHECK(cell(value::map{{"code", "io"}, {"message", "disk on fire"}}) == "disk on fire");
  CHECK(cell(value::map{{"node", value::list{"a"}}, {"any", nullptr}}) == "node=a");
}

TEST_CASE("an object is a line for each member: wanted ones first, texts as they are, lists one below the other") {
  std::ostringstream data, talk;
  const value object = value::map{{"a", 1},
                                  {"id", "x"},
                                  {"kernel", value::map{{"release", "6.1"}}},
                                  {"none", nullptr},
                                  {"output", "one\ntwo\x1b\n"},
                                  {"peers", value::list{value::map{{"n", 1}}, value::map{{"n", 2}}}}};

  console(data, talk, {}).object(object, {"id"});

  CHECK(data.str() ==
        "id              x\n"
        "a               1\n"
        "kernel.release  6.1\n"
        "output          one\n"
        "                two \n"
        "peers           n=1\n"
        "                n=2\n");
}
