#pragma once

#include "libflock/seams/storage.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock::testing {

/// A place that keeps what storages wrote: what the contract is tried on.
class storage_world {
 public:
  virtual ~storage_world() = default;

  /// What is kept there. One at a time.
  virtual storage& open() = 0;
  virtual void close() = 0;
};

/// Keeps what those who write are told, from any thread.
class written_log {
 public:
  /// To be given to a write.
  storage::written entry(std::string name) {
    return [in = in_, name = std::move(name)](const result<void>& how) {
      std::lock_guard lock(in->mutex);
      in->all.emplace_back(name, how ? std::nullopt : std::optional(how.error().code));
      in->changed.notify_all();
    };
  }

  /// Waits until so many were told. \returns whether they were in time
  bool wait_for(std::size_t count, std::chrono::milliseconds patience = std::chrono::seconds(20)) const {
    std::unique_lock lock(in_->mutex);
    return in_->changed.wait_for(lock, patience, [&] { return in_->all.size() >= count; });
  }

  using told = std::vector<std::pair<std::string, std::optional<error_code>>>;
  told all() const {
    std::lock_guard lock(in_->mutex);
    return in_->all;
  }
  std::size_t count() const { return all().size(); }

 private:
  struct inside {
    mutable std::mutex mutex;  // guards all
    std::condition_variable changed;
    told all;
  };
  std::shared_ptr<inside> in_ = std::make_shared<inside>();
};

/// Writes, and waits until it is durable.
inline void write(storage& to, std::vector<record_change> changes) {
  written_log log;
  to.write(std::move(changes), log.entry(""));
  REQUIRE(log.wait_for(1));
  REQUIRE_FALSE(log.all().front().second.has_value());
}

/// All records of a prefix, as "key=data".
inline std::vector<std::string> read(storage& from, std::string_view prefix) {
  std::vector<std::string> all;
  auto done = from.read(prefix, [&](std::string_view key, std::string_view data) {
    all.push_back(std::string(key) + "=" + std::string(data));
  });
  REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().what));
  return all;
}

/// What every storage keeps, one sentence each. To be called in a TEST_CASE; a sentence has a world for itself.
template <class World> void check_storage_contract() {
  using lines = std::vector<std::string>;
  World world;
  auto* disk = &world.open();
  const auto open_again = [&] {
    world.close();
    disk = &world.open();
  };

  SUBCASE("a new one holds nothing, and nothing of it is damaged") {
    CHECK(read(*disk, "").empty());
    CHECK(disk->damaged().empty());
    CHECK_FALSE(disk->trouble().has_value());
    CHECK_FALSE(disk->id().empty());
  }

  SUBCASE("records are read by the prefix of their keys, in the order of the keys") {
    write(*disk, {{"b/2", "two"}, {"a", "other"}, {"b/1", "one"}, {"b", "short"}, {"c", "other"}});

    CHECK(read(*disk, "b/") == lines{"b/1=one", "b/2=two"});
    CHECK(read(*disk, "b") == lines{"b=short", "b/1=one", "b/2=two"});
    CHECK(read(*disk, "").size() == 5);
    CHECK(read(*disk, "d").empty());
  }

  SUBCASE("what is written again is replaced, what is removed is gone, and so is what never was") {
    write(*disk, {{"a", "old"}, {"b", "old"}});
    write(*disk, {{"a", "new"}, {"b", std::nullopt}, {"never was", std::nullopt}});

    CHECK(read(*disk, "") == lines{"a=new"});
  }

  SUBCASE("the last change of a key in one write counts") {
    write(*disk, {{"a", "one"}, {"a", "two"}, {"b", "x"}, {"b", std::nullopt}});

    CHECK(read(*disk, "") == lines{"a=two"});
  }

  SUBCASE("keys and data are any bytes, and data may be none at all") {
    const std::string zero("k\0/1", 4), high("k\xff\xfe"), bytes("\0\xff\n'", 4);
    write(*disk, {{high, "x"}, {zero, bytes}, {"k", ""}});
    open_again();

    CHECK(read(*disk, "k") == lines{"k=", zero + "=" + bytes, high + "=x"});
    CHECK(read(*disk, "k\xff") == lines{high + "=x"});
  }

  SUBCASE("writes are told in their order, each once") {
    constexpr std::size_t writes = 1000;
    written_log log;
    for (std::size_t i = 0; i < writes; ++i)
      disk->write({{"k" + std::to_string(i % 10), std::to_string(i)}}, log.entry(std::to_string(i)));
    REQUIRE(log.wait_for(writes));

    const auto told = log.all();
    REQUIRE(told.size() == writes);
    for (std::size_t i = 0; i < writes; ++i)
      REQUIRE(told[i] == std::pair(std::to_string(i), std::optional<error_code>()));
    CHECK(read(*disk, "k3") == lines{"k3=993"});
    CHECK(disk->stats().waiting == 0);
  }

  SUBCASE("what was written is there when it is opened again, and its id is the same") {
    const auto id = disk->id();
    write(*disk, {{"a", "one"}, {"b", std::string(100'000, 'x')}});
    open_again();

    CHECK(disk->id() == id);
    CHECK(read(*disk, "") == lines{"a=one", "b=" + std::string(100'000, 'x')});
  }
}

}  // namespace flock::testing
