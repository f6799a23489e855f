#include "libflock/sqlite/sqlite_journal.hpp"

#include "libflock/sqlite/disk_trouble.hpp"
#include "libflock/sqlite/journal_file.hpp"
#include "libflock/sqlite/state_folder.hpp"
#include "libflock/values/backoff.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <random>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace flock::internal {

namespace {

/// Fewer pages than these are not worth a checkpoint when it is idle: 1 MiB.
constexpr int worth_a_checkpoint = 256;

error to_error(const fault& f) {
  switch (f.is) {
    case fault::kind::in_use:
      return {error_code::conflict, f.what};
    case fault::kind::newer:
      return {error_code::refused, f.what};
    default:
      return {error_code::io, f.what};
  }
}

error stopped() { return {error_code::shutting_down, "the journal was stopped"}; }

std::size_t size_of(const queued_write& w) {
  std::size_t bytes = 0;
  for (const auto& c : w.changes) bytes += c.key.size() + (c.data ? c.data->size() : 0);
  return bytes;
}

class sqlite_journal final : public storage {
 public:
  sqlite_journal(sqlite_journal_options o, state_folder folder, std::unique_ptr<journal_file> file)
      : options_(std::move(o)),
        folder_(std::move(folder)),
        file_(std::move(file)),
        id_(file_->id()),
        damaged_(file_->damaged()),
        pauses_(options_.first_pause, options_.last_pause, std::random_device()()) {
    opened();
    thread_ = std::thread([this] { run(); });
  }
  ~sqlite_journal() override { stop(); }

  void write(std::vector<record_change> changes, written durable) override;
  result<void> read(std::string_view prefix, const visitor& each) override;
  const std::vector<std::string>& damaged() const override { return damaged_; }
  const std::string& id() const override { return id_; }
  std::optional<error> trouble() const override;
  statistics stats() const override;
  void stop() override;

 private:
  // The thread.
  void run();
  bool fetch(std::vector<queued_write>& batch);
  bool has_more() const;
  std::size_t first_part(std::span<const queued_write> batch) const;
  bool make_durable(std::span<const queued_write> part);
  void tell(std::span<queued_write> part, const result<void>& how);
  int log_pages();
  void bring_over_log();

  bool insist(const std::function<outcome_of_sql()>& work);
  outcome_of_sql attempt(const std::function<outcome_of_sql()>& work);
  bool pause(milliseconds d);
  error out_of_order() const;
  void met(const fault& what);
  void over();
  void opened();
  void log(const std::optional<disk_trouble::line>& line) const;

  const sqlite_journal_options options_;
  const state_folder folder_;

  std::mutex file_mutex_;  // guards file_ and must_open_again_
  std::unique_ptr<journal_file> file_;
  bool must_open_again_ = false;
  const std::string id_;
  const std::vector<std::string> damaged_;
  backoff pauses_;                     // the thread's
  std::unique_ptr<turn_taker> turns_;  // the thread's; null: it takes none

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable work_;
  std::vector<queued_write> queue_;
  bool stopping_ = false;
  time_point give_up_{};
  disk_trouble trouble_;

  std::atomic<bool> in_trouble_{false};  // as trouble_ says: asked for each notification
  std::atomic<std::size_t> waiting_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::size_t> set_aside_{0};
  std::once_flag once_;
  std::thread thread_;
};

// Any thread.

void sqlite_journal::write(std::vector<record_change> changes, written durable) {
  std::unique_lock lock(mutex_);
  if (stopping_) {
    lock.unlock();
    return durable(stopped());
  }
  waiting_.fetch_add(1, std::memory_order_relaxed);
  queue_.push_back({std::move(changes), std::move(durable)});
  const bool is_first = queue_.size() == 1;
  // Its turn has led to this: the disk comes first.
  if (std::this_thread::get_id() == thread_.get_id() && turns_) turns_->hand_over();
  lock.unlock();
  if (is_first) work_.notify_one();
}

result<void> sqlite_journal::read(std::string_view prefix, const visitor& each) {
  std::lock_guard lock(file_mutex_);
  if (must_open_again_) return out_of_order();
  if (auto f = file_->read(prefix, each)) return to_error(*f);
  return {};
}

error sqlite_journal::out_of_order() const {
  return trouble().value_or(error{error_code::io, file_->path() + " has to be opened again"});
}

std::optional<error> sqlite_journal::trouble() const {
  if (!in_trouble_.load(std::memory_order_relaxed)) return {};
  std::lock_guard lock(mutex_);
  return trouble_.now();
}

storage::statistics sqlite_journal::stats() const {
  statistics s;
  s.path = file_->path();
  s.bytes = file_->bytes();
  s.commits = commits_;
  s.waiting = waiting_;
  s.set_aside = set_aside_;
  std::lock_guard lock(mutex_);
  s.last_error = trouble_.last();
  return s;
}

void sqlite_journal::stop() {
  std::call_once(once_, [this] {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      give_up_ = system_clock().now() + options_.stop_within;
    }
    work_.notify_one();
    thread_.join();
    std::lock_guard lock(file_mutex_);
    file_->close();
  });
}

// The thread.

void sqlite_journal::run() {
  turns_ = options_.threads ? options_.threads->make_turn_taker() : nullptr;
  std::vector<queued_write> batch;
  bool given_up = false;
  while (fetch(batch)) {
    for (std::span<queued_write> rest = batch; !rest.empty();) {
      const auto part = rest.first(first_part(rest));
      given_up = given_up || !make_durable(part);
      if (turns_) turns_->keep();
      tell(part, given_up ? result<void>(stopped()) : result<void>());
      rest = rest.subspan(part.size());
      const bool log_is_long = !given_up && log_pages() >= options_.log_pages;
      const bool has_time = !log_is_long && rest.empty() && !has_more();
      if (turns_) has_time ? turns_->run_one() : turns_->hand_over();
      // After those who wait were told: it is as long as several commits, and nobody waits for it.
      if (log_is_long) bring_over_log();
    }
    batch.clear();
  }
  turns_.reset();
}

/// \returns whether there is something; if not, it was stopped
bool sqlite_journal::fetch(std::vector<queued_write>& batch) {
  const bool is_worth_it = log_pages() >= worth_a_checkpoint;
  std::unique_lock lock(mutex_);
  const auto something = [this] { return stopping_ || !queue_.empty(); };
  if (is_worth_it && !work_.wait_for(lock, options_.idle, something)) {
    lock.unlock();
    bring_over_log();
    lock.lock();
  }
  work_.wait(lock, something);
  batch.swap(queue_);
  return !batch.empty();
}

bool sqlite_journal::has_more() const {
  std::lock_guard lock(mutex_);
  return stopping_ || !queue_.empty();
}

std::size_t sqlite_journal::first_part(std::span<const queued_write> batch) const {
  std::size_t count = 0;
  for (std::size_t bytes = 0; count < batch.size(); ++count) {
    bytes += size_of(batch[count]);
    if (count > 0 && bytes > options_.commit_bytes) break;
  }
  return count;
}

/// \returns false if stop() does not wait any longer
bool sqlite_journal::make_durable(std::span<const queued_write> part) {
  if (!insist([&] { return file_->apply(part); })) return false;
  commits_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void sqlite_journal::tell(std::span<queued_write> part, const result<void>& how) {
  waiting_.fetch_sub(part.size(), std::memory_order_relaxed);
  for (auto& w : part) {
    w.durable(how);
    w = {};
  }
}

int sqlite_journal::log_pages() {
  std::lock_guard lock(file_mutex_);
  return must_open_again_ ? 0 : file_->log_pages();
}

void sqlite_journal::bring_over_log() {
  (void)insist([this] { return file_->checkpoint(); });
}

/// Tries until it is done. \returns false if stop() does not wait any longer
bool sqlite_journal::insist(const std::function<outcome_of_sql()>& work) {
  while (auto f = attempt(work)) {
    met(*f);
    if (!pause(pauses_.next())) return false;
  }
  over();
  return true;
}

outcome_of_sql sqlite_journal::attempt(const std::function<outcome_of_sql()>& work) {
  std::lock_guard lock(file_mutex_);
  if (must_open_again_) {
    if (auto f = file_->open_again()) return f;
    must_open_again_ = false;
    opened();
  }
  auto failed = work();
  if (!failed) return {};
  if (failed->is == fault::kind::full) {
    // What is in the log may fit into the database, and then the log's own room is free again.
    const auto f = file_->checkpoint();
    must_open_again_ = f && f->is != fault::kind::full;
  } else {
    must_open_again_ = true;
  }
  return failed;
}

/// \returns false if stop() does not wait any longer
bool sqlite_journal::pause(milliseconds d) {
  std::unique_lock lock(mutex_);
  const bool was_stopping = stopping_;
  if (was_stopping) {
    const auto left = std::chrono::duration_cast<milliseconds>(give_up_ - system_clock().now());
    if (left <= milliseconds(0)) return false;
    d = std::min(d, left);
  }
  work_.wait_for(lock, d, [&] { return stopping_ != was_stopping; });
  return true;
}

void sqlite_journal::met(const fault& what) {
  std::optional<disk_trouble::line> line;
  {
    std::lock_guard lock(mutex_);
    line = trouble_.met(what, waiting_, system_clock().now());
    in_trouble_ = true;
  }
  log(line);
}

void sqlite_journal::over() {
  if (!in_trouble_) return;
  pauses_.reset();
  std::optional<disk_trouble::line> line;
  {
    std::lock_guard lock(mutex_);
    line = trouble_.over(system_clock().now());
    in_trouble_ = false;
  }
  log(line);
}

void sqlite_journal::opened() {
  set_aside_ = file_->set_aside();
  std::lock_guard lock(mutex_);
  if (!file_->damage().empty()) trouble_.remember(file_->damage());
}

void sqlite_journal::log(const std::optional<disk_trouble::line>& line) const {
  if (line && options_.log) options_.log(line->level, "journal: " + line->text);
}

}  // namespace

result<std::unique_ptr<storage>> open_sqlite_journal(sqlite_journal_options o) {
  auto folder = state_folder::lock(o.folder);
  if (!folder) return folder.error();
  auto file = std::make_unique<journal_file>(journal_file::options{o.folder, o.time, o.vfs, o.log});
  if (auto f = file->open()) return to_error(*f);
  if (auto durable = folder->sync(); !durable) return durable.error();
  return std::unique_ptr<storage>(std::make_unique<sqlite_journal>(std::move(o), *std::move(folder), std::move(file)));
}

result<void> check_sqlite_journal(const std::string& folder) {
  if (auto usable = state_folder::check(folder); !usable) return usable;
  return check_journal(folder);
}

std::string sqlite_version() { return sqlite3_libversion(); }

}  // namespace flock::internal
