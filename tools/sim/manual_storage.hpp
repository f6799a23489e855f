#pragma once

#include "libflock/seams/memory_storage.hpp"
#include "libflock/seams/storage.hpp"

#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace flock::testing {

/// A storage whose disk is as slow, as full, as broken and as forgetful as a test wants. What it kept outlives those
/// who wrote it.
class manual_storage final : public storage {
 public:
  explicit manual_storage(std::string id) : kept_(std::move(id)) {}

  void write(std::vector<record_change> changes, written durable) override {
    waiting_.push_back({std::move(changes), std::move(durable)});
    if (!held_) sync();
  }
  result<void> read(std::string_view prefix, const visitor& each) override { return kept_.read(prefix, each); }
  const std::vector<std::string>& damaged() const override { return damaged_; }
  const std::string& id() const override { return kept_.id(); }
  std::optional<error> trouble() const override {
    return full_ ? std::optional(error{error_code::io, "the disk is full"}) : std::nullopt;
  }
  statistics stats() const override {
    auto s = kept_.stats();
    s.waiting = waiting_.size();
    s.set_aside = damaged_.size();
    return s;
  }
  void stop() override { sync(); }

  /// From now on nothing becomes durable before sync().
  void hold() { held_ = true; }
  void release() {
    held_ = false;
    sync();
  }
  void sync() {
    while (!full_ && !waiting_.empty()) sync_one();
  }
  void sync_one() {
    if (full_ || waiting_.empty()) return;
    auto first = std::move(waiting_.front());
    waiting_.pop_front();
    kept_.write(std::move(first.changes), std::move(first.durable));
  }
  /// What is not durable is lost, but for the first so many writes: the disk had them, and nobody was told yet. Those
  /// who wait hear nothing.
  void crash(std::size_t survivors = 0) {
    for (; survivors > 0 && !waiting_.empty(); --survivors) {
      kept_.write(std::move(waiting_.front().changes), [](const result<void>&) {});
      waiting_.pop_front();
    }
    waiting_.clear();
  }
  /// Whether it is full: then writes wait.
  void fill(bool yes) {
    full_ = yes;
    if (!held_) sync();
  }
  /// The record is found damaged when it is next opened.
  void damage(const std::string& key) {
    kept_.write({{key, std::nullopt}}, [](const result<void>&) {});
    damaged_.push_back(key);
  }
  /// Opened again, it was looked through, and what was damaged has been told.
  void forget_damage() { damaged_.clear(); }

  std::size_t records(std::string_view prefix) {
    std::size_t found = 0;
    (void)kept_.read(prefix, [&](std::string_view, std::string_view) { ++found; });
    return found;
  }
  std::vector<std::string> keys(std::string_view prefix) {
    std::vector<std::string> found;
    (void)kept_.read(prefix, [&](std::string_view key, std::string_view) { found.emplace_back(key); });
    return found;
  }

 private:
  struct one {
    std::vector<record_change> changes;
    written durable;
  };
  memory_storage kept_;
  std::deque<one> waiting_;
  std::vector<std::string> damaged_;
  bool held_ = false;
  bool full_ = false;
};

}  // namespace flock::testing
