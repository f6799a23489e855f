#include "tools/flockctl/command.hpp"
#include "tools/flockctl/help.hpp"
#include <flock/config.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(FLOCK_SOURCE_DIR "/") + path);
  REQUIRE_MESSAGE(file, path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// What a manual page says, without what troff needs to say it.
std::string page(const std::string& path) {
  auto text = std::regex_replace(text_of(path), std::regex(R"(\\f[A-Z])"), "");
  return std::regex_replace(text, std::regex(R"(\\-)"), "-");
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the manual page of flockctl knows its options") {
  const auto text = page("docs/man/flockctl.1");
  for (const auto& o : flock::ctl::options())
    CHECK_MESSAGE(has(text, "--" + std::string(o.name)), "flockctl.1 lacks --" << o.name);
}

// FLOCK_UPDATE_DOCUMENTS=1 flock_unit_tools -tc='*made of the table*' writes it anew.
TEST_CASE("the commands of the manual page are made of the table") {
  const std::string path = "docs/man/flockctl.1";
  auto text = text_of(path);
  const auto made = text.find(".\\\" From here to LOCATION");
  REQUIRE(made != std::string::npos);
  const auto begin = text.find('\n', made) + 1;
  const auto end = text.find(".SH LOCATION");
  const auto expected = flock::ctl::manual_of_commands();
  if (std::getenv("FLOCK_UPDATE_DOCUMENTS"))
    std::ofstream(FLOCK_SOURCE_DIR "/" + path) << text.substr(0, begin) + expected + text.substr(end);

  CHECK((text_of(path).substr(begin, expected.size()) == expected));
  CHECK(text_of(path).substr(begin + expected.size()).starts_with(".SH LOCATION"));
}

TEST_CASE("the manual page of flockd knows its options") {
  const auto text = page("docs/man/flockd.8");
  const auto help = flock::config_help();
  const std::regex option("--[a-z-]+");

  int found = 0;
  for (std::sregex_iterator o(help.begin(), help.end(), option), end; o != end; ++o, ++found)
    CHECK_MESSAGE(has(text, o->str()), "flockd.8 lacks " << o->str());
  CHECK(found > 20);
}

TEST_CASE("the description of the control API names every path") {
  const auto text = text_of("docs/control_api.md");
  const auto document = flock::from_json(text_of("docs/control_api.openapi.json"));
  REQUIRE(document);

  for (const auto& [path, operations] : *(*document)["paths"].as_map())
    for (const auto& [method, operation] : *operations.as_map())
      CHECK_MESSAGE(has(text, "`" + std::string(method == "get" ? "GET " : "POST ") + path + "`"), path);
}
