#include <flock/name.hpp>

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <unordered_set>

using flock::actor_name;
using flock::address;
using flock::error_code;
using flock::incarnation;
using flock::node_id;
using flock::percent_decode;
using flock::percent_encode;
using flock::resource_name;

namespace {

template <class T> std::string printed(const T& v) {
  std::ostringstream out;
  out << v;
  return out.str();
}

template <class T> void refused(const flock::result<T>& r) {
  REQUIRE_FALSE(r);
  CHECK(r.error().code == error_code::bad_argument);
  CHECK(r.error().what.size() < 300);
}

}  // namespace

TEST_CASE("a node id has the letters that Chef allows") {
  const std::string longest(255, 'x');
  for (std::string_view text : {"bender0", "a", "web-1.example.com", "A_b:c-D.9", "...", "-", longest.c_str()}) {
    CAPTURE(text);
    auto id = node_id::parse(text);
    REQUIRE(id);
    CHECK(id->str() == text);
    CHECK(*id == text);
    CHECK(printed(*id) == text);
  }
}

TEST_CASE("a node id with anything else, empty, or too long is refused") {
  using namespace std::string_view_literals;
  for (auto text :
       {""sv, " "sv, "a b"sv, "a/b"sv, "a[b]"sv, "b\xc3\xa4nder"sv, "a\n"sv, "a\0b"sv, "a%20"sv, "."sv, ".."sv}) {
    CAPTURE(text);
    refused(node_id::parse(text));
  }
  refused(node_id::parse(std::string(256, 'x')));
  refused(node_id::parse(std::string(1 << 20, 'x')));
}

TEST_CASE("node ids compare as their texts do and can be keys") {
  auto a = *node_id::parse("a");
  auto b = *node_id::parse("b");

  CHECK(a < b);
  CHECK(a == *node_id::parse("a"));
  CHECK(std::unordered_set<node_id>{a, b, a}.size() == 2);
}

TEST_CASE("an actor name may have brackets, slashes, spaces and letters of all languages") {
  for (const char* text : {"itchy", "file[/etc/hosts]", "execute[kill all humans]", "a/b", "/", "%2F", "..",
                           "stra\xc3\x9f\x65", "\xe6\xbc\xa2\xe5\xad\x97", "\xf0\x9f\x90\x91",
                           "a\xc2\xa0"
                           "b"}) {
    CAPTURE(text);
    auto name = actor_name::parse(text);
    REQUIRE(name);
    CHECK(name->str() == text);
    CHECK(printed(*name) == text);
  }
}

TEST_CASE("an actor name has 1 to 4096 bytes") {
  for (std::size_t size : {1, 1024, 4096}) CHECK(actor_name::parse(std::string(size, 'x')));
  for (std::size_t size : {0, 4097, 5 * 1024}) refused(actor_name::parse(std::string(size, 'x')));
  CHECK(actor_name::parse(std::string(4095, 'x') + "]"));
}

TEST_CASE("control characters are not printable") {
  using namespace std::string_view_literals;
  for (auto text :
       {"\0"sv, "a\0b"sv, "\t"sv, "\n"sv, "a\r"sv, "\x1b[31m"sv, "\x1f"sv, "\x7f"sv, "\xc2\x80"sv, "\xc2\x9f"sv}) {
    CAPTURE(text);
    CHECK_FALSE(flock::is_printable_utf8(text));
    refused(actor_name::parse(text));
  }
  CHECK(flock::is_printable_utf8(""));
  CHECK(flock::is_printable_utf8("\x20\x7e"));
}

TEST_CASE("broken UTF-8 is not printable") {
  for (const char* text :
       {"\x80", "\xbf", "\xc3", "\xc3(", "\xc3\xc3", "\xe2\x82", "\xe2(\xa1", "\xf0\x9f\x90", "\xf8\x88\x80\x80\x80",
        "\xff", "\xfe", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf",  // longer than need be
        "\xed\xa0\x80", "\xed\xbf\xbf",                                              // surrogates
        "\xf4\x90\x80\x80"}) {                                                       // beyond U+10FFFF
    CAPTURE(text);
    CHECK_FALSE(flock::is_printable_utf8(text));
    CHECK_FALSE(flock::is_printable_utf8(std::string("good ") + text));
  }
  for (const char* edge : {"\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(edge);
    CHECK(flock::is_printable_utf8(edge));
  }
}

TEST_CASE("an address names a node only if a node id stands before its first slash") {
  struct expectation {
    const char* text;
    const char* node;
    const char* actor;
  };
  for (auto [text, node, actor] : {expectation{"bender1/itchy", "bender1", "itchy"},
                                   {"itchy", nullptr, "itchy"},
                                   {"file[/tmp/x]", nullptr, "file[/tmp/x]"},
                                   {"bender1/file[/tmp/x]", "bender1", "file[/tmp/x]"},
                                   {"a/b", "a", "b"},
                                   {"a/b/c", "a", "b/c"},
                                   {"a//b", "a", "/b"},
                                   {"/b", nullptr, "/b"},
                                   {"../b", nullptr, "../b"},
                                   {"execute[a/b]", nullptr, "execute[a/b]"},
                                   {"kill all/humans", nullptr, "kill all/humans"}}) {
    CAPTURE(text);
    auto parsed = address::parse(text);
    REQUIRE(parsed);
    CHECK(parsed->node.has_value() == (node != nullptr));
    if (node && parsed->node) CHECK(*parsed->node == node);
    CHECK(parsed->actor == actor);
    CHECK(parsed->str() == text);
    CHECK(printed(*parsed) == text);
  }
}

TEST_CASE("an address without an actor is refused") {
  refused(address::parse(""));
  refused(address::parse("bender1/"));
  refused(address::parse("bender1/a\n"));
  refused(address::parse("bender1/" + std::string(4097, 'x')));
}

TEST_CASE("a resource name is what stands between the first bracket and the last character") {
  struct expectation {
    const char* text;
    const char* type;
    const char* name;
  };
  for (auto [text, type, name] : {expectation{"file[/tmp/fubar]", "file", "/tmp/fubar"},
                                  {"execute[kill all humans]", "execute", "kill all humans"},
                                  {"execute[a[0]]", "execute", "a[0]"},
                                  {"execute[]]", "execute", "]"},
                                  {"execute[[]", "execute", "["},
                                  {"apt_repository2[x]", "apt_repository2", "x"},
                                  {"x[a]b]", "x", "a]b"}}) {
    CAPTURE(text);
    auto parsed = resource_name::parse(text);
    REQUIRE(parsed);
    CHECK(parsed->type == type);
    CHECK(parsed->name == name);
    CHECK(parsed->str() == text);
    CHECK(parsed->actor() == text);
    CHECK(printed(*parsed) == text);
  }
}

TEST_CASE("a resource name without a type, a name or its brackets is refused") {
  for (const char* text :
       {"", "file", "file[", "file]", "file[]", "[x]", "file[x", "filex]", "file[x] ", "File[x]", "2file[x]",
        "_file[x]", "fi-le[x]", " file[x]", "]file[x", "][", "file[a\nb]", "file[\xff]"}) {
    CAPTURE(text);
    refused(resource_name::parse(text));
  }
  refused(resource_name::parse("file[" + std::string(4091, 'x') + "]"));
  CHECK(resource_name::parse("file[" + std::string(4090, 'x') + "]"));
}

TEST_CASE("an incarnation is 32 hexadecimal digits") {
  incarnation life{0x0123456789abcdef, 0xfedcba9876543210};

  CHECK(life.str() == "0123456789abcdeffedcba9876543210");
  CHECK(incarnation::parse(life.str()) == flock::result<incarnation>(life));
  CHECK(incarnation{}.str() == std::string(32, '0'));
  CHECK(incarnation::parse(std::string(32, 'f')) == flock::result<incarnation>(incarnation{~0ULL, ~0ULL}));
  CHECK(printed(life) == life.str());
  for (const char* text :
       {"", "0", "0123456789abcdeffedcba987654321", "0123456789abcdeffedcba98765432100",
        "0123456789ABCDEFfedcba9876543210", "0123456789abcdeffedcba987654321g", "-123456789abcdeffedcba9876543210"}) {
    CAPTURE(text);
    refused(incarnation::parse(text));
  }
}

TEST_CASE("two random incarnations differ") { CHECK(incarnation::random() != incarnation::random()); }

TEST_CASE("percent coding leaves only what a path, a URL and a file name can hold") {
  CHECK(percent_encode("") == "");
  CHECK(percent_encode("azAZ09._-~") == "azAZ09._-~");
  CHECK(percent_encode("file[/tmp/x]") == "file%5B%2Ftmp%2Fx%5D");
  CHECK(percent_encode("a b%") == "a%20b%25");
  CHECK(percent_encode("\xc3\xa4") == "%C3%A4");
  CHECK(percent_encode(std::string_view("\0\xff", 2)) == "%00%FF");
  CHECK(percent_encode(".") == "%2E");
  CHECK(percent_encode("..") == "%2E%2E");
  CHECK(percent_encode("...") == "...");
}

TEST_CASE("percent coding is undone for every byte") {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  for (const std::string& text : {all, std::string("."), std::string(".."), std::string(4096, '/'), std::string()}) {
    CHECK(percent_decode(percent_encode(text)) == flock::result<std::string>(text));
  }
  CHECK(percent_decode("%c3%A4 +") == flock::result<std::string>("\xc3\xa4 +"));
  CHECK(percent_decode("%41") == flock::result<std::string>("A"));
}

TEST_CASE("a broken escape is refused") {
  for (const char* text : {"%", "%4", "a%", "%zz", "%4g", "%g4", "%-1", "% 4", "%+4", "%%41", "ok%2"}) {
    CAPTURE(text);
    refused(percent_decode(text));
  }
}
