#include "libflock/words/query.hpp"

#include "libflock/values/presentable.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace flock;

const value document =
    value::map{{"name", "web1"},
               {"role", value::list{"web", "base"}},
               {"recipes", value::list{"apache2", "apache2::default", "nginx::proxy"}},
               {"chef_environment", "production"},
               {"ipaddress", "10.0.3.17"},
               {"tags", value::list{"blue", "two words"}},
               {"memory", value::map{{"total", 2048}, {"free", 512.5}, {"swap", nullptr}}},
               {"kernel", value::map{{"release", "5.10.0-23-amd64"}, {"os_name", value::map{{"short", "linux"}}}}},
               {"disks", value::list{value::map{{"size", 10}}, value::map{{"size", 20}}}},
               {"virtual", true},
               {"path", "C:\\temp (old)"},
               {"temperature", -5}};

bool matches(const std::string& text) {
  auto q = query::parse(text);
  REQUIRE_MESSAGE(q, text, ": ", to_string(q.error()));
  return q->matches(document);
}

std::string error_of(const std::string& text) {
  auto q = query::parse(text);
  REQUIRE_MESSAGE(!q, text);
  CHECK(q.error().code == error_code::bad_argument);
  auto prefix = internal::presentable("query \"" + text + "\"") + ": ";
  REQUIRE(q.error().what.starts_with(prefix));
  return q.error().what.substr(prefix.size());
}

}  // namespace

TEST_CASE("a term matches a value, or one of a list") {
  CHECK(matches("name:web1"));
  CHECK(matches("role:base"));
  CHECK(matches("  role: web "));
  CHECK_FALSE(matches("role:we"));
  CHECK_FALSE(matches("rol:web"));
  CHECK(matches("recipes:nginx::proxy"));
  CHECK(matches("recipes:nginx\\:\\:proxy"));
}

TEST_CASE("values compare as text") {
  CHECK(matches("memory_total:2048"));
  CHECK(matches("memory_free:512.5"));
  CHECK(matches("virtual:true"));
  CHECK(matches("temperature:-5"));
  CHECK_FALSE(matches("memory_total:02048"));
}

TEST_CASE("underscores and dots join the names of nested members") {
  CHECK(matches("kernel_release:5.10.0-23-amd64"));
  CHECK(matches("kernel.release:5.10.0-23-amd64"));
  CHECK(matches("kernel_os_name_short:linux"));
  CHECK(matches("disks_size:20"));
  CHECK_FALSE(matches("kernel:linux"));
  CHECK_FALSE(matches("kernelrelease:*"));
}

TEST_CASE("wildcards stand for characters, unless they are escaped or quoted") {
  CHECK(matches("ipaddress:10.0.?.*"));
  CHECK_FALSE(matches("ipaddress:10.1.*"));
  CHECK(matches("name:*b?"));
  CHECK_FALSE(matches("name:\"web*\""));
  CHECK_FALSE(matches("name:web\\*"));
}

TEST_CASE("quotes and backslashes take characters as they are") {
  CHECK(matches("tags:\"two words\""));
  CHECK(matches("tags:two\\ words"));
  CHECK(matches(R"-(path:"C:\\temp (old)")-"));
  CHECK(matches(R"(path:C:\\temp\ \(old\))"));
}

TEST_CASE("a star alone asks whether the key is there") {
  CHECK(matches("*:*"));
  CHECK(matches("kernel:*"));
  CHECK(matches("memory_total:*"));
  CHECK_FALSE(matches("memory_swap:*"));
  CHECK_FALSE(matches("cpu:*"));
}

TEST_CASE("NOT binds closer than AND, AND closer than OR") {
  CHECK(matches("role:web AND chef_environment:production"));
  CHECK_FALSE(matches("role:web AND NOT chef_environment:production"));
  CHECK(matches("role:web OR role:x AND role:y"));
  CHECK_FALSE(matches("(role:web OR role:x) AND role:y"));
  CHECK(matches("NOT role:x AND role:web"));
  CHECK(matches("role:web && !role:x || role:y"));
  CHECK(matches("role:x||role:web"));
  CHECK(matches("NOT NOT role:web"));
  CHECK(matches("role:x OR NOT role:y"));
}

TEST_CASE("terms side by side are joined by OR") {
  CHECK(matches("role:x role:web"));
  CHECK_FALSE(matches("role:x role:y"));
}

TEST_CASE("side by side, plus is required and minus excluded") {
  CHECK(matches("+role:web role:x"));
  CHECK_FALSE(matches("+role:x role:web"));
  CHECK_FALSE(matches("role:web -tags:blue"));
  CHECK(matches("role:web -tags:red"));
  CHECK_FALSE(matches("role:x -tags:red"));
  CHECK_FALSE(matches("role:web NOT tags:blue"));
  CHECK(matches("-tags:red"));
}

TEST_CASE("parentheses after a key hold its values") {
  CHECK(matches("tags:(red OR blue)"));
  CHECK(matches("tags:(red blue)"));
  CHECK(matches("role:(web AND base)"));
  CHECK_FALSE(matches("role:(web AND NOT base)"));
  CHECK(matches("role:((x OR web) AND b*)"));
  CHECK(matches("ipaddress:([10.0.0.0 TO \"10.0.9.9\"])"));
  CHECK(matches("tags:(red) role:web"));
}

TEST_CASE("ranges compare numbers as numbers and the rest as text") {
  CHECK(matches("memory_total:[1024 TO 4096]"));
  CHECK(matches("memory_total:[900 TO 10000]"));
  CHECK(matches("memory_total:[2048 TO 2048]"));
  CHECK_FALSE(matches("memory_total:{2048 TO 4096}"));
  CHECK_FALSE(matches("memory_total:[1024 TO 2048}"));
  CHECK(matches("memory_total:{1024 TO *]"));
  CHECK(matches("temperature:[* TO 0]"));
  CHECK_FALSE(matches("temperature:[-4 TO 0]"));
  CHECK(matches("name:[web0 TO web2]"));
  CHECK_FALSE(matches("name:[1 TO 2]"));
  CHECK(matches("name:[* TO *]"));
  CHECK(matches("tags:[\"two w\" TO \"two z\"]"));
}

TEST_CASE("a query that is wrong is refused with the column") {
  CHECK(error_of("") == "column 1: expected more");
  CHECK(error_of("web") == "column 1: expected key:value");
  CHECK(error_of("role:web AND") == "column 13: expected more");
  CHECK(error_of("role:web AND web") == "column 14: expected key:value");
  CHECK(error_of("role:") == "column 6: expected more");
  CHECK(error_of("(role:web") == "column 10: expected \")\"");
  CHECK(error_of("role:web)") == "column 9: unexpected \")\"");
  CHECK(error_of("role:)") == "column 6: unexpected \")\"");
  CHECK(error_of("t\xc3\xa4g:\"blue") == "column 5: this quote has no end");
  CHECK(error_of("a:[1 2]") == "column 6: expected TO");
  CHECK(error_of("a:[1 TO 2") == "column 10: expected ] or }");
  CHECK(error_of("a:b\\") == "column 5: nothing follows the backslash");
  CHECK(error_of("*:web") == "column 1: only *:* may have * for its key");
  CHECK(error_of("a:\"\\") == "column 3: this quote has no end");
}

TEST_CASE("a query that nests too deeply is refused") {
  CHECK(query::parse(std::string(64, '(') + "*:*" + std::string(64, ')')));
  CHECK(error_of(std::string(100'000, '(')).find("more than 64 groups") != std::string::npos);
}
