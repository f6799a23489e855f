#include "actors/resource/command.hpp"

#include "actors/resource/posix.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <optional>
#include <poll.h>
#include <pwd.h>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace flock {
namespace {

// Between SIGTERM and SIGKILL. A node ends within five seconds, its commands included.
constexpr milliseconds grace{2'000};

// What a pipe holds on Linux: no more than this can have been written before the command ended and not been read yet.
constexpr std::size_t pipe_capacity = 64 * 1024;

/// Keeps the end of what is written to it.
class output_tail {
 public:
  void add(std::string_view bytes) {
    kept_.append(bytes);
    if (kept_.size() > 2 * command_result::max_output) cut_to(command_result::max_output);
  }

  std::string take() {
    if (kept_.size() > command_result::max_output) cut_to(command_result::max_output);
    if (cut_ == 0) return std::move(kept_);
    const auto is_inside_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
    const auto first_whole = std::find_if_not(kept_.begin(), kept_.begin() + 3, is_inside_character);
    cut_to(static_cast<std::size_t>(kept_.end() - first_whole));
    return "[" + std::to_string(cut_) + " bytes cut]\n" + kept_;
  }

 private:
  void cut_to(std::size_t size) {
    cut_ += kept_.size() - size;
    kept_.erase(0, kept_.size() - size);
  }

  std::string kept_;
  std::size_t cut_ = 0;
};

struct account {
  uid_t user;
  gid_t group;
  std::vector<gid_t> groups;
};

result<account> find_account(const std::string& name) {
  std::vector<char> names(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  int failed = 0;
  while ((failed = ::getpwnam_r(name.c_str(), &entry, names.data(), names.size(), &found)) == ERANGE) {
    names.resize(names.size() * 2);
  }
  if (failed != 0) return system_error("cannot look up user " + name, failed);
  if (found == nullptr) return error{error_code::bad_argument, "no user is named " + name};

  account whose{entry.pw_uid, entry.pw_gid, {}};
  int count = 16;
  do {
    whose.groups.resize(static_cast<std::size_t>(count));
  } while (::getgrouplist(name.c_str(), whose.group, whose.groups.data(), &count) < 0);
  whose.groups.resize(static_cast<std::size_t>(count));
  return whose;
}

std::vector<std::string> environment_of(const command& what) {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    if (name != "FLOCK_REGISTRY_AUTH" && !what.environment.contains(name)) all.emplace_back(text);
  }
  for (const auto& [name, text] : what.environment) all.push_back(name + "=" + text);
  return all;
}

enum class step : char { descriptors, user, directory, shell };

/// What a child reports if it does not get as far as the shell.
struct launch_failure {
  step at;
  int number;
};

/// All that a child needs, made before it exists: it may not allocate.
struct launch {
  const char* line = nullptr;
  const char* directory = nullptr;
  std::optional<account> become;
  std::vector<std::string> variables;
  std::vector<char*> environment;  // into variables, and a null
};

result<launch> prepare(const command& what) {
  launch l;
  l.line = what.line.c_str();
  if (!what.cwd.empty()) l.directory = what.cwd.c_str();
  if (!what.user.empty()) {
    auto found = find_account(what.user);
    if (!found) return found.error();
    // Whoever is this user already may not be allowed to set groups.
    if (found->user != ::geteuid()) l.become = *std::move(found);
  }
  l.variables = environment_of(what);
  for (auto& variable : l.variables) l.environment.push_back(variable.data());
  l.environment.push_back(nullptr);
  return l;
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);  // ignored ones would stay so over exec
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// The child's side of fork. Only calls that are safe in a signal handler: locks of other threads are held for ever
/// here.
[[noreturn]] void become_shell(const launch& l, int output, int report) {
  const auto check = [report](bool good, step at) {
    if (good) return;
    const launch_failure why{at, errno};
    [[maybe_unused]] const auto written = ::write(report, &why, sizeof why);
    ::_exit(127);
  };
  ::setsid();
  reset_signals();
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  check(nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
            ::dup2(output, STDERR_FILENO) >= 0 && ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0,
        step::descriptors);
  if (l.become) {
    check(::setgroups(l.become->groups.size(), l.become->groups.data()) == 0 && ::setgid(l.become->group) == 0 &&
              ::setuid(l.become->user) == 0,
          step::user);
  }
  check(l.directory == nullptr || ::chdir(l.directory) == 0, step::directory);
  const std::array<char*, 4> arguments{const_cast<char*>("sh"), const_cast<char*>("-c"), const_cast<char*>(l.line),
                                       nullptr};
  ::execve("/bin/sh", arguments.data(), l.environment.data());
  check(false, step::shell);
  ::_exit(127);
}

error explain(const launch_failure& why, const command& what) {
  switch (why.at) {
    case step::user:
      return system_error("cannot become user " + what.user, why.number);
    case step::directory:
      return system_error("cannot change to directory " + what.cwd, why.number);
    case step::descriptors:
      return system_error("cannot set up its descriptors", why.number);
    case step::shell:
      break;
  }
  return system_error("cannot run /bin/sh", why.number);
}

struct pipe_ends {
  descriptor read;
  descriptor write;
};

result<pipe_ends> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("cannot make a pipe");
  return pipe_ends{descriptor(ends[0]), descriptor(ends[1])};
}

/// Waits until the child is a shell, or has failed to become one.
std::optional<launch_failure> read_failure(int report) {
  launch_failure why{};
  ssize_t count = 0;
  do {
    count = ::read(report, &why, sizeof why);
  } while (count < 0 && errno == EINTR);
  if (count != static_cast<ssize_t>(sizeof why)) return std::nullopt;
  return why;
}

/// Forks with all signals blocked, so that no handler of this process runs in the child.
pid_t fork_quietly(const launch& l, int output, int report) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = ::fork();
  if (child == 0) become_shell(l, output, report);
  const int number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = number;
  return child;
}

/// A running process group and the reading end of its output. Killed and reaped at the latest when this goes.
class child {
 public:
  child(pid_t leader, descriptor output) : leader_(leader), output_(std::move(output)) {
    // glibc 2.36 declares pidfd_open without C linkage.
    handle_ = descriptor(static_cast<int>(::syscall(SYS_pidfd_open, leader, 0)));
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() {
    if (reaped_) return;
    signal_group(SIGKILL);
    reap();
  }

  bool can_be_watched() const { return static_cast<bool>(handle_); }

  /// Waits for the end and sees to it.
  result<command_result> finish(time_point until, const std::stop_token& cancel, int wake) {
    command_result ended;
    const std::stop_callback on_cancel(cancel, [wake] { ::eventfd_write(wake, 1); });
    while (!exited_ && wait_for_news(until, wake)) {
    }
    if (!exited_) {
      ended.cancelled = cancel.stop_requested();
      ended.timed_out = !ended.cancelled;
      end_group();
    }
    const auto status = reap();
    if (!status) return error{error_code::maybe_done, "its exit status was lost, as this process ignores SIGCHLD"};
    ended.exit_status = *status;
    drain();
    ended.output = tail_.take();
    return ended;
  }

 private:
  /// While its leader is not reaped, no other group can have this number.
  void signal_group(int number) const { ::kill(-leader_, number); }

  void end_group() {
    signal_group(SIGTERM);
    const auto until = system_clock().now() + grace;
    // Those that still hold the output are of the group, and clean up.
    while (!(exited_ && at_end_) && wait_for_news(until, -1)) {
    }
    signal_group(SIGKILL);
  }

  /// Reads what there is. \returns false at `until` and when `wake` is readable
  bool wait_for_news(time_point until, int wake) {
    const auto left = std::chrono::ceil<milliseconds>(until - system_clock().now()).count();
    if (left <= 0) return false;
    std::array<pollfd, 3> watched{{{at_end_ ? -1 : output_.number(), POLLIN, 0},
                                   {exited_ ? -1 : handle_.number(), POLLIN, 0},
                                   {wake, POLLIN, 0}}};
    ::poll(watched.data(), watched.size(), static_cast<int>(std::min<decltype(left)>(left, 60'000)));
    if (watched[0].revents != 0) read_some();
    exited_ = exited_ || watched[1].revents != 0;
    return watched[2].revents == 0;
  }

  /// \returns how much; nothing is there yet, or ever again, if 0
  std::size_t read_some() {
    std::array<char, 16 * 1024> bytes;
    const auto count = ::read(output_.number(), bytes.data(), bytes.size());
    if (count > 0) tail_.add({bytes.data(), static_cast<std::size_t>(count)});
    at_end_ = count == 0;
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }

  /// Reads what was written before the end, and no more: what was left in the background may write for ever.
  void drain() {
    std::size_t total = 0;
    while (total < pipe_capacity) {
      const auto count = read_some();
      if (count == 0) return;
      total += count;
    }
  }

  /// \returns nothing if somebody else took the status
  std::optional<int> reap() {
    int status = 0;
    pid_t taken = 0;
    do {
      taken = ::waitpid(leader_, &status, 0);
    } while (taken < 0 && errno == EINTR);
    reaped_ = true;
    if (taken != leader_) return std::nullopt;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  pid_t leader_;
  descriptor output_;
  descriptor handle_;  // readable when the leader has ended
  output_tail tail_;
  bool exited_ = false;
  bool at_end_ = false;
  bool reaped_ = false;
};

}  // namespace

std::string command_result::why() const {
  if (cancelled) return "cancelled";
  if (timed_out) return "timed out";
  if (exit_status > 128 && ::sigabbrev_np(exit_status - 128) != nullptr) {
    const int number = exit_status - 128;
    return "ended by signal " + std::to_string(number) + " (" + ::sigdescr_np(number) + ")";
  }
  return "exit status " + std::to_string(exit_status);
}

result<command_result> run_command(const command& what, const std::stop_token& cancel) {
  if (cancel.stop_requested()) return error{error_code::shutting_down, "not started, as the node is stopping"};
  const auto until = system_clock().now() + what.timeout;
  const auto ready = prepare(what);
  if (!ready) return ready.error();
  auto output = make_pipe();
  if (!output) return output.error();
  auto report = make_pipe();
  if (!report) return report.error();
  const descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return system_error("cannot make an eventfd");
  ::fcntl(output->read.number(), F_SETFL, O_NONBLOCK);

  const pid_t leader = fork_quietly(*ready, output->write.number(), report->write.number());
  if (leader < 0) return system_error("cannot start a process");
  output->write.close();
  report->write.close();
  child started(leader, std::move(output->read));
  if (const auto why = read_failure(report->read.number())) return explain(*why, what);
  if (!started.can_be_watched()) return system_error("cannot watch process " + std::to_string(leader));
  return started.finish(until, cancel, wake.number());
}

}  // namespace flock
