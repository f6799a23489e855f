#include "tools/cluster/recorded_process.hpp"

#include "actors/resource/posix.hpp"
#include "tools/cluster/files.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <optional>
#include <poll.h>
#include <sstream>
#include <sys/syscall.h>
#include <utility>

namespace flock::testing {

namespace {

/// Nothing if no process has this pid, or if it has ended and only its parent has not noticed yet.
std::optional<std::string> birth_of(pid_t pid) {
  auto stat = process_stat::parse(contents("/proc/" + std::to_string(pid) + "/stat"));
  if (!stat || stat->state == 'Z' || stat->state == 'X') return std::nullopt;
  // The boot, because after the next one another process may start at the same tick with the same pid.
  auto boot = contents("/proc/sys/kernel/random/boot_id");
  while (!boot.empty() && boot.back() == '\n') boot.pop_back();
  return stat->start_time + "@" + boot;
}

/// Readable when the process has ended, also where it is not a child of this one.
descriptor open_process(pid_t pid) {
  // glibc 2.36 declares pidfd_open() for C only.
  return descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

void wait_for_end(const recorded_process& p, time_point until) {
  auto process = open_process(p.pid);
  while (process && p.is_running()) {
    auto left = std::chrono::ceil<milliseconds>(until - system_clock().now());
    if (left <= milliseconds(0)) return;
    pollfd ended{process.number(), POLLIN, 0};
    ::poll(&ended, 1, static_cast<int>(left.count()));
  }
}

void wait_for_end(const std::vector<recorded_process>& all, milliseconds patience) {
  const auto until = system_clock().now() + patience;
  for (const auto& p : all) wait_for_end(p, until);
}

std::string names_of(const std::vector<recorded_process>& all, bool (recorded_process::*which)() const) {
  std::string names;
  for (const auto& p : all)
    if ((p.*which)()) names += " " + p.name + " (pid " + std::to_string(p.pid) + ")";
  return names;
}

}  // namespace

result<process_stat> process_stat::parse(std::string_view text) {
  // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return error{error_code::bad_argument, "no line of /proc/<pid>/stat"};
  std::istringstream fields{std::string(text.substr(name_end + 1))};
  std::vector<std::string> words((std::istream_iterator<std::string>(fields)), {});
  constexpr std::size_t state = 3 - 3, start_time = 22 - 3;  // as proc(5) counts, after the first two
  if (words.size() <= start_time || words[state].size() != 1)
    return error{error_code::bad_argument, "/proc/<pid>/stat is cut short"};
  return process_stat{words[state].front(), words[start_time]};
}

result<recorded_process> recorded_process::of(std::string name, pid_t pid) {
  auto birth = birth_of(pid);
  if (!birth) return error{error_code::not_found, "no process " + std::to_string(pid) + " runs"};
  return recorded_process{std::move(name), pid, *std::move(birth)};
}

std::string recorded_process::line() const { return name + " " + std::to_string(pid) + " " + birth; }

result<recorded_process> recorded_process::parse(std::string_view line) {
  std::istringstream words{std::string(line)};
  recorded_process p;
  std::string more;
  if (!(words >> p.name >> p.pid >> p.birth) || p.pid <= 1 || words >> more)
    return error{error_code::bad_argument, "'" + std::string(line) + "' is not a name, a pid and a birth"};
  return p;
}

bool recorded_process::is_running() const { return birth_of(pid) == birth; }

bool recorded_process::is_anothers() const { return is_running() && ::kill(pid, 0) != 0 && errno == EPERM; }

bool recorded_process::signal(int number) const { return is_running() && ::kill(-pid, number) == 0; }

bool recorded_process::ask_to_end() const { return is_running() && ::kill(pid, SIGTERM) == 0; }

result<void> end_all(const std::vector<recorded_process>& all, milliseconds patience) {
  std::vector<recorded_process> running;
  std::copy_if(all.begin(), all.end(), std::back_inserter(running), [](const auto& p) { return p.is_running(); });
  if (const auto others = names_of(running, &recorded_process::is_anothers); !others.empty())
    return error{error_code::refused, "cannot end what is another user's:" + others};
  for (const auto& p : running) {
    if (patience == milliseconds(0)) continue;  // not even a goodbye
    p.ask_to_end();
    p.signal(SIGCONT);  // if it is paused
  }
  wait_for_end(running, patience);
  for (const auto& p : running) {
    // What it left of its group keeps the number from being given away.
    if (!p.signal(SIGKILL) && !birth_of(p.pid)) ::kill(-p.pid, SIGKILL);
  }
  constexpr milliseconds for_the_kernel{5000};
  wait_for_end(running, for_the_kernel);
  if (const auto left = names_of(running, &recorded_process::is_running); !left.empty())
    return error{error_code::io, "killed, but still there:" + left};
  return {};
}

}  // namespace flock::testing
