#include "flock/memory_storage.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using flock::memory_storage;

void write(memory_storage& to, std::vector<flock::record_change> changes) {
  int answers = 0;
  to.write(std::move(changes), [&](flock::result<void> done) { answers += done.has_value(); });
  REQUIRE(answers == 1);
}

std::vector<std::string> read(memory_storage& from, std::string_view prefix) {
  std::vector<std::string> found;
  auto done = from.read(prefix, [&](std::string_view key, std::string_view data) {
    found.push_back(std::string(key) + "=" + std::string(data));
  });
  REQUIRE(done.has_value());
  return found;
}

}  // namespace

TEST_CASE("records come back in the order of their keys, those of the prefix only") {
  memory_storage storage("disk1");

  write(storage, {{"b/2", "two"}, {"a", "other"}, {"b/1", "one"}, {"c", "other"}});

  CHECK(read(storage, "b/") == std::vector<std::string>{"b/1=one", "b/2=two"});
  CHECK(read(storage, "").size() == 4);
  CHECK(storage.id() == "disk1");
}

TEST_CASE("a record can be overwritten and removed") {
  memory_storage storage("disk1");

  write(storage, {{"a", "old"}, {"b", "old"}});
  write(storage, {{"a", "new"}, {"b", std::nullopt}, {"never was", std::nullopt}});

  CHECK(read(storage, "") == std::vector<std::string>{"a=new"});
}
