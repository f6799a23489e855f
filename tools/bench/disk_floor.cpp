#include "tools/bench/disk_floor.hpp"

#include "tools/bench/stopwatch.hpp"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <vector>

namespace flock::bench {

namespace {

/// A file that is there only while it is measured.
class log_file {
 public:
  explicit log_file(const std::string& folder)
      : path_(folder + "/floor"), fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}
  log_file(const log_file&) = delete;
  log_file& operator=(const log_file&) = delete;
  ~log_file() {
    ::close(fd_);
    ::unlink(path_.c_str());
  }

  bool append(const std::vector<char>& record) const {
    return ::write(fd_, record.data(), record.size()) == static_cast<ssize_t>(record.size());
  }
  bool sync() const { return ::fdatasync(fd_) == 0; }
  error failure() const { return {error_code::io, path_ + ": " + std::strerror(errno)}; }

 private:
  std::string path_;
  int fd_;
};

/// Group commit at its plainest: who finds nobody syncing syncs, for all that have been written by then.
class group_log {
 public:
  explicit group_log(const log_file& file) : file_(file) {}

  bool append(const std::vector<char>& record) {
    std::unique_lock lock(mutex_);
    if (!file_.append(record)) return false;
    const auto mine = ++written_;
    while (durable_ < mine) {
      if (syncing_) {
        synced_.wait(lock);
        continue;
      }
      syncing_ = true;
      const auto upto = written_;
      lock.unlock();
      const bool good = file_.sync();
      lock.lock();
      syncing_ = false;
      durable_ = upto;
      synced_.notify_all();
      if (!good) return false;
    }
    return true;
  }

 private:
  const log_file& file_;
  std::mutex mutex_;  // guards all below
  std::condition_variable synced_;
  std::uint64_t written_ = 0;
  std::uint64_t durable_ = 0;
  bool syncing_ = false;
};

}  // namespace

result<std::vector<double>> sync_times(const std::string& folder, std::size_t bytes, std::size_t count) {
  const log_file file(folder);
  const std::vector<char> record(bytes, 'x');
  std::vector<double> times;
  for (std::size_t i = 0; i < count; ++i) {
    const stopwatch time;
    if (!file.append(record) || !file.sync()) return file.failure();
    times.push_back(time.microseconds());
  }
  return times;
}

result<double> group_sync_rate(const std::string& folder, std::size_t bytes, std::size_t count, std::size_t threads) {
  const log_file file(folder);
  group_log log(file);
  const std::vector<char> record(bytes, 'x');
  std::atomic<std::int64_t> left = static_cast<std::int64_t>(count);
  std::atomic<bool> broken = false;
  const stopwatch time;
  {
    std::vector<std::jthread> writers;
    for (std::size_t i = 0; i < threads; ++i)
      writers.emplace_back([&] {
        while (left-- > 0 && !broken)
          if (!log.append(record)) broken = true;
      });
  }
  if (broken) return file.failure();
  return static_cast<double>(count) / time.seconds();
}

}  // namespace flock::bench
