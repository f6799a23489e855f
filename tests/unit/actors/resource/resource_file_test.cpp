#include "actors/resource/resource_file.hpp"

#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace flock;
using flock::testing::temporary_folder;

namespace {

std::vector<declaration> declared(const std::string& text) {
  auto all = parse_resources({{"web.json", text}});
  REQUIRE_MESSAGE(all, to_string(all.error()));
  return *std::move(all);
}

std::string wrong(const std::string& text) {
  const auto all = parse_resources({{"web.json", text}});
  REQUIRE_FALSE(all);
  CHECK(all.error().code == error_code::bad_argument);
  return all.error().what;
}

}  // namespace

TEST_CASE("the example of the contract is read") {
  const auto all = declared(R"({
  "file[/tmp/fubar]": {
    "content": "foobar",
    "remote_notifies": [{"action": "run", "resource": "execute[kill all humans]", "node": "bender1", "timing": "immediately"}]
  },
  "execute[toast]": {
    "command": "echo toast >> /tmp/toast", "action": "nothing",
    "remote_subscribes": [{"action": "run", "resource": "file[/tmp/fubar]", "node": "bender0", "timing": "delayed"}]
  }
})");

  REQUIRE(all.size() == 2);
  CHECK(all[0].name.str() == "file[/tmp/fubar]");
  CHECK(all[0].type->name == "file");
  CHECK(all[0].what);
  CHECK(all[0].action == "create");
  CHECK(all[0].members["content"] == value("foobar"));
  CHECK(all[0].place() == "web.json:2");
  REQUIRE(all[0].notifies.size() == 1);
  CHECK(all[0].notifies[0].resource.str() == "execute[kill all humans]");
  CHECK(all[0].notifies[0].where.nodes == std::vector{*node_id::parse("bender1")});
  CHECK(all[0].notifies[0].when == timing::immediately);

  CHECK(all[1].action == "nothing");
  CHECK(all[1].place() == "web.json:6");
  REQUIRE(all[1].subscribes.size() == 1);
  CHECK(all[1].subscribes[0].watched.str() == "file[/tmp/fubar]");
  CHECK(all[1].subscribes[0].resource.str() == "execute[toast]");
  CHECK(all[1].subscribes[0].action == "run");
  CHECK(all[1].subscribes[0].when == timing::delayed);
}

TEST_CASE("resources come in the order of the files and of their places in them") {
  const auto all =
      parse_resources({{"1.json", R"({"log[z]": {}, "log[a]": {}, "log[m]": {}})"}, {"2.json", R"({"log[b]": {}})"}});

  std::string order;
  for (const auto& d : *all) order += d.name.name;
  CHECK(order == "zamb");
}

TEST_CASE("a file may declare nothing") {
  CHECK(declared("{}").empty());
  CHECK(declared("\xef\xbb\xbf{}").empty());
}

TEST_CASE("guards are one command or several") {
  const auto all = declared(R"({"log[a]": {"only_if": "true", "not_if": ["false", "test -e /x"]}, "log[b]": {}})");

  CHECK(all[0].guards.only_if == std::vector<std::string>{"true"});
  CHECK(all[0].guards.not_if == std::vector<std::string>{"false", "test -e /x"});
  CHECK(all[1].guards.empty());
}

TEST_CASE("a subscription without a timing is delayed, a notification without one is immediate") {
  const auto all = declared(R"({"log[a]": {
    "remote_notifies": [{"action": "run", "resource": "execute[x]", "node": "n"}],
    "remote_subscribes": [{"action": "write", "resource": "log[x]", "node": "n"}]}})");

  CHECK(all[0].notifies[0].when == timing::immediately);
  CHECK(all[0].subscribes[0].when == timing::delayed);
}

TEST_CASE("all that is wrong in all files is told, with its line") {
  const auto all = parse_resources({{"a.json", R"({
  "file[/tmp/a]": {
    "mode": 644,
    "colour": "red"
  },
  "wood[x]": {},
  "nonsense": {},
  "log[a]": []
})"},
                                    {"b.json", "{\n  \"log[a]\": {},\n  \"log[b]\": {\"action\": \"run\"\n}"},
                                    {"c.json", "[]"}});

  REQUIRE_FALSE(all);
  const auto& what = all.error().what;
  CHECK(what.find(R"(a.json:3: file[/tmp/a]: mode: 644 is no mode of a file: write octal text, like "0644")") == 0);
  CHECK(what.find("\na.json:4: file[/tmp/a]: colour: unknown member; there are action, content, mode, not_if, only_if, "
                  "path, remote_notifies, remote_subscribes\n") != std::string::npos);
  CHECK(what.find("\na.json:6: wood[x]: unknown type; there are execute, file, log\n") != std::string::npos);
  CHECK(what.find("\na.json:7: nonsense: ") != std::string::npos);
  CHECK(what.find("\na.json:8: log[a]: expected an object, found list\n") != std::string::npos);
  CHECK(what.find("\nb.json: line 4") != std::string::npos);
  CHECK(what.find("\nc.json:1: expected one object, found list") != std::string::npos);
}

TEST_CASE("an unknown action is told with those that there are") {
  CHECK(wrong("{\"log[a]\": {\n\"action\": \"run\"}}") ==
        "web.json:2: log[a]: action: unknown action run; there are write, nothing");
  CHECK(wrong("{\"log[a]\": {\n\"action\": 1}}") == "web.json:2: log[a]: action: expected text, found integer");
}

TEST_CASE("a resource that is declared twice is told with both places") {
  const auto all = parse_resources({{"a.json", "{\n\"log[a]\": {}}"}, {"b.json", R"({"log[a]": {}})"}});
  CHECK(all.error().what == "b.json:1: log[a]: is declared twice, first in a.json:2");
}

TEST_CASE("a resource or member that is there twice in one file is told with its line") {
  CHECK(wrong("{\"log[a]\": {},\n\"log[a]\": {}}").starts_with(R"(web.json: line 2, column 8: member "log[a]")"));
  CHECK(wrong("{\"log[a]\": {\"message\": \"x\",\n\"message\": \"y\"}}").starts_with("web.json: line 2, column 9: "));
}

TEST_CASE("what is wrong with a notification or subscription is told with its place") {
  const auto notifies = [](const std::string& members) {
    return wrong("{\"log[a]\": {\"remote_notifies\": [\n{" + members + "}]}}");
  };
  const auto subscribes = [](const std::string& members) {
    return wrong("{\"log[a]\": {\"remote_subscribes\": [\n{" + members + "}]}}");
  };
  const std::string good = R"("action": "run", "resource": "execute[x]")";

  CHECK(notifies(good).starts_with("web.json:2: log[a]: remote_notifies: 0: a location needs a node"));
  CHECK(notifies(good + R"(, "node": "n", "timing": "soon")").find(": timing: ") != std::string::npos);
  CHECK(notifies(good + R"(, "node": "n", "timing": "before")").find("timing: before is for Chef's") !=
        std::string::npos);
  CHECK(notifies(good + R"(, "node": "n", "colour": "red")").find("colour") != std::string::npos);
  CHECK(notifies(good + R"(, "query": "(")").find("query: ") != std::string::npos);
  CHECK(subscribes(good + R"(, "node": "n")") ==
        "web.json:2: log[a]: remote_subscribes: 0: action: unknown action run; there are write, nothing");
  CHECK(subscribes(R"("action": "write", "resource": "log[x]", "node": "n", "on": "always")") ==
        "web.json:2: log[a]: remote_subscribes: 0: on: a subscription has no such member");
  CHECK(wrong(R"({"log[a]": {"remote_notifies": "x"}})") ==
        "web.json:1: log[a]: remote_notifies: expected a list, found text");
}

TEST_CASE("a folder is read in the order of its files' names") {
  const temporary_folder folder;
  std::ofstream(folder.path() / "20-b.json") << R"({"log[b]": {}})";
  std::ofstream(folder.path() / "10-a.json") << R"({"log[a]": {}})";
  std::ofstream(folder.path() / "README") << "no JSON";
  std::ofstream(folder.path() / ".10-a.json") << "an editor's";

  const auto all = read_resources(folder.path());

  REQUIRE(all);
  REQUIRE(all->size() == 2);
  CHECK((*all)[0].place() == (folder.path() / "10-a.json").string() + ":1");
  CHECK((*all)[1].name.name == "b");
}

TEST_CASE("a folder or file that cannot be read is an error") {
  const temporary_folder folder;
  std::filesystem::create_directory(folder.path() / "a.json");

  CHECK(read_resources(folder.path() / "no").error().code == error_code::not_found);
  CHECK(read_resources(folder.path()).error().code == error_code::io);
}

TEST_CASE("a file beyond the limit is refused") {
  std::string text = R"({"log[a]": {"message": ")" + std::string(resource_file::max_size, 'x') + "\"}}";

  CHECK(wrong(text).find("at most 16777216 are allowed") != std::string::npos);
}

TEST_CASE("of very many things that are wrong the first are told, and how many there are, in few words") {
  std::string notifies = "1";
  for (int i = 1; i < 100'000; ++i) notifies += ",1";
  const std::string key = "file[/" + std::string(4000, 'x') + "]";

  const auto what = wrong("{\"" + key + "\": {\"remote_notifies\": [" + notifies + "]}}");

  CHECK(std::count(what.begin(), what.end(), '\n') == 100);
  CHECK(what.ends_with("\nand 99900 more"));
  CHECK(what.size() < 120'000);
}
