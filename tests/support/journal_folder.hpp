#pragma once

#include "libflock/sqlite/sqlite_database.hpp"
#include "libflock/sqlite/sqlite_journal.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace flock::testing {

/// A folder, and a journal in it.
class journal_folder {
 public:
  std::string outside() const { return temporary_.path().string(); }
  std::string path() const { return outside() + "/state"; }
  std::string file() const { return path() + "/journal.db"; }

  /// Of one that is not patient.
  internal::sqlite_journal_options options() {
    internal::sqlite_journal_options o;
    o.folder = path();
    o.first_pause = milliseconds(1);
    o.last_pause = milliseconds(4);
    o.stop_within = milliseconds(0);
    o.log = [this](std::string_view level, const std::string& text) {
      std::lock_guard lock(mutex_);
      log_.push_back(std::string(level) + " " + text);
    };
    return o;
  }
  std::unique_ptr<storage> open(const internal::sqlite_journal_options& o) {
    auto opened = internal::open_sqlite_journal(o);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().what));
    return *std::move(opened);
  }
  std::unique_ptr<storage> open() { return open(options()); }
  error refusal() {
    auto opened = internal::open_sqlite_journal(options());
    REQUIRE_FALSE(opened.has_value());
    return opened.error();
  }

  /// What was logged that has this in it.
  std::vector<std::string> log(std::string_view of = "") {
    std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    std::ranges::copy_if(log_, std::back_inserter(out), [&](auto& line) { return line.find(of) != std::string::npos; });
    return out;
  }

  /// To the file, while no journal has it open.
  void run_sql(const std::string& sql) const {
    internal::sqlite_database db;
    auto f = db.open(file(), "");
    if (!f) f = db.execute(sql);
    REQUIRE_MESSAGE(!f, (f ? f->what : ""));
  }
  std::string ask_sql(const std::string& sql) const {
    internal::sqlite_database db;
    std::string answer;
    auto f = db.open(file(), "");
    if (!f) f = db.ask(sql, answer);
    REQUIRE_MESSAGE(!f, (f ? f->what : ""));
    return answer;
  }

  /// The files whose names begin so.
  std::vector<std::string> files(std::string_view beginning) const {
    std::vector<std::string> out;
    for (const auto& each : std::filesystem::directory_iterator(path()))
      if (each.path().filename().string().starts_with(beginning)) out.push_back(each.path().string());
    std::ranges::sort(out);
    return out;
  }

 private:
  temporary_folder temporary_;
  std::mutex mutex_;  // guards log_
  std::vector<std::string> log_;
};

}  // namespace flock::testing
