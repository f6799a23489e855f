#pragma once

#include <flock/memory_storage.hpp>
#include <flock/storage.hpp>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace flock::testing {

/// A storage whose disk is as slow, as full and as forgetful as a test wants. What it kept outlives those who wrote it.
class manual_storage final : public storage {
 public:
  explicit manual_storage(std::string id) : kept_(std::move(id)) {}

  void write(std::vector<record_change> changes, written durable) override {
    waiting_.push_back({std::move(changes), std::move(durable)});
    if (!held_) sync();
  }
  result<void> read(std::string_view prefix, const visitor& each) override { return kept_.read(prefix, each); }
  const std::string& id() const override { return kept_.id(); }
  void stop() override { sync(); }

  /// From now on nothing becomes durable before sync().
  void hold() { held_ = true; }
  void release() {
    held_ = false;
    sync();
  }
  void sync() {
    while (!waiting_.empty()) sync_one();
  }
  void sync_one() {
    if (waiting_.empty()) return;
    auto first = std::move(waiting_.front());
    waiting_.pop_front();
    if (failing_)
      first.durable(error{error_code::io, "the disk is full"});
    else
      kept_.write(std::move(first.changes), std::move(first.durable));
  }
  /// What is not durable is lost, and those who wait for it hear nothing.
  void crash() { waiting_.clear(); }
  /// Whether writes fail.
  void fail(bool yes) { failing_ = yes; }

  std::size_t records(std::string_view prefix) {
    std::size_t found = 0;
    (void)kept_.read(prefix, [&](std::string_view, std::string_view) { ++found; });
    return found;
  }

 private:
  struct one {
    std::vector<record_change> changes;
    written durable;
  };
  memory_storage kept_;
  std::deque<one> waiting_;
  bool held_ = false;
  bool failing_ = false;
};

}  // namespace flock::testing
