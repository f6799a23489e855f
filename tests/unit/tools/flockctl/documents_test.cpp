#include "tools/flockctl/command.hpp"
#include <flock/config.hpp>

#include <doctest/doctest.h>

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

TEST_CASE("the manual page and the completions of flockctl know its commands and options") {
  for (const char* path :
       {"docs/man/flockctl.1", "tools/flockctl/completion/flockctl.bash", "tools/flockctl/completion/_flockctl"}) {
    const auto text = page(path);
    for (const auto& o : flock::ctl::options())
      CHECK_MESSAGE(has(text, "--" + std::string(o.name)), path << " lacks --" << o.name);
    for (const auto& c : flock::ctl::commands()) {
      std::istringstream words{std::string(c.name)};
      for (std::string word; words >> word;)
        CHECK_MESSAGE(std::regex_search(text, std::regex("\\b" + word + "\\b")), path << " lacks " << c.name);
    }
  }
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
