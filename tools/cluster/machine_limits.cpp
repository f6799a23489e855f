#include "tools/cluster/machine_limits.hpp"

#include "tools/cluster/files.hpp"

#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string_view>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>

namespace flock::testing {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t mebibyte = 1 << 20;
// What a control group of version 1 says when it has no limit is a little less than the greatest number.
constexpr std::int64_t no_limit = std::int64_t{1} << 60;

std::optional<std::int64_t> number(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  std::int64_t n = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), n).ec != std::errc()) return {};
  return n;
}

std::optional<std::int64_t> number_in(const std::string& path) { return number(contents(path)); }

std::optional<std::int64_t> number_after(const std::string& text, const std::string& label) {
  const auto at = ("\n" + text).find("\n" + label);
  return at == std::string::npos ? std::nullopt : number(std::string_view(text).substr(at + label.size()));
}

/// "2/345": how many of all tasks run now. Source: proc(5), loadavg
std::int64_t tasks_of_machine(const std::string& root) {
  const auto text = contents(root + "/proc/loadavg");
  const auto slash = text.find('/');
  return slash == std::string::npos ? 0 : number(std::string_view(text).substr(slash + 1)).value_or(0);
}

/// Of one kind of limit in the control groups around this process, from the innermost to the outermost that is seen.
struct group_limit {
  std::int64_t room::*of;
  std::string_view controller;  ///< of version 1
  std::string_view limit, limit_v1;
  std::string_view in_use, in_use_v1;
};

constexpr std::array<group_limit, 2> group_limits{{
    {&room::tasks, "pids", "pids.max", "pids.max", "pids.current", "pids.current"},
    {&room::memory, "memory", "memory.max", "memory.limit_in_bytes", "memory.current", "memory.usage_in_bytes"},
}};

/// What files keep in memory goes when it is needed.
std::int64_t can_go(const fs::path& group) {
  const auto statistics = contents((group / "memory.stat").string());
  return number_after(statistics, "file ").value_or(number_after(statistics, "cache ").value_or(0));
}

void add_groups(std::vector<machine_limits::limit>& all, const group_limit& kind, const fs::path& mounted,
                fs::path group, bool v1) {
  const auto limit = v1 ? kind.limit_v1 : kind.limit;
  while (true) {
    const auto at = mounted / group.relative_path();
    const auto value = number_in((at / limit).string());
    if (value && *value < no_limit) {
      auto in_use = number_in((at / (v1 ? kind.in_use_v1 : kind.in_use)).string()).value_or(0);
      if (kind.of == &room::memory) in_use -= can_go(at);
      all.push_back({kind.of, std::string(limit) + " of control group " + group.string(), *value, in_use});
    }
    if (!group.has_relative_path()) return;
    group = group.parent_path();
  }
}

/// Source: cgroups(7): lines "0::/path" of version 2 and "4:pids:/path" of version 1
void add_control_groups(std::vector<machine_limits::limit>& all, const std::string& root) {
  std::istringstream lines(contents(root + "/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const fs::path group = line.substr(second + 1);
    for (const auto& kind : group_limits) {
      if (controllers == ",,")
        add_groups(all, kind, root + "/sys/fs/cgroup", group, false);
      else if (controllers.find("," + std::string(kind.controller) + ",") != std::string::npos)
        add_groups(all, kind, root + "/sys/fs/cgroup/" + std::string(kind.controller), group, true);
    }
  }
}

/// Tasks of this user. Source: getrlimit(2): the limit counts threads, and is none for root
std::int64_t tasks_of_user(const std::string& root) {
  const auto uid = std::to_string(::getuid());
  std::int64_t all = 0;
  std::error_code gone;
  for (const auto& process : fs::directory_iterator(root + "/proc", gone)) {
    const auto status = contents(process.path().string() + "/status");
    if (number_after(status, "Uid:") == ::getuid()) all += number_after(status, "Threads:").value_or(0);
  }
  return all;
}

void add_process_limits(std::vector<machine_limits::limit>& all, const std::string& root) {
  rlimit most{};
  if (::getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_max != RLIM_INFINITY) {
    std::error_code gone;
    const fs::directory_iterator open(root + "/proc/self/fd", gone);
    const auto in_use = gone ? 0 : std::distance(begin(open), end(open));
    all.push_back({&room::descriptors, "RLIMIT_NOFILE (ulimit -Hn)", static_cast<std::int64_t>(most.rlim_max), in_use});
  }
  if (::getuid() != 0 && ::getrlimit(RLIMIT_NPROC, &most) == 0 && most.rlim_cur != RLIM_INFINITY)
    all.push_back(
        {&room::tasks, "RLIMIT_NPROC (ulimit -u)", static_cast<std::int64_t>(most.rlim_cur), tasks_of_user(root)});
}

void add_kernel_limits(std::vector<machine_limits::limit>& all, const std::string& root) {
  const auto tasks = tasks_of_machine(root);
  for (const auto* name : {"pid_max", "threads-max"})
    if (const auto value = number_in(root + "/proc/sys/kernel/" + name))
      all.push_back({&room::tasks, std::string("kernel.") + name, *value, tasks});
  const auto memory = contents(root + "/proc/meminfo");
  const auto total = number_after(memory, "MemTotal:"), available = number_after(memory, "MemAvailable:");
  if (total && available)
    all.push_back({&room::memory, "the machine's memory", *total * 1024, (*total - *available) * 1024});
  const auto ports = contents(root + "/proc/sys/net/ipv4/ip_local_port_range");
  const auto first = number(ports),
             last = number(std::string_view(ports).substr(std::min(ports.find('\t'), ports.size())));
  if (first && last) all.push_back({&room::ports, "net.ipv4.ip_local_port_range", *last - *first + 1, 0});
}

void add_disk(std::vector<machine_limits::limit>& all, const std::string& folder) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) return;
  const auto block = static_cast<std::int64_t>(disk.f_frsize);
  const auto whole = static_cast<std::int64_t>(disk.f_blocks) * block;
  all.push_back(
      {&room::disk, "the disk of " + folder, whole, whole - static_cast<std::int64_t>(disk.f_bavail) * block});
}

bool is_bytes(std::int64_t room::*kind) { return kind == &room::memory || kind == &room::disk; }

std::string_view name_of(std::int64_t room::*kind) {
  return kind == &room::descriptors ? "file descriptors"
         : kind == &room::tasks     ? "processes and threads"
         : kind == &room::memory    ? "memory"
         : kind == &room::disk      ? "disk"
                                    : "local ports";
}

std::string amount(std::int64_t room::*kind, std::int64_t n) {
  return is_bytes(kind) ? std::to_string(n / mebibyte) + " MiB" : std::to_string(n);
}

}  // namespace

machine_limits machine_limits::read(const std::string& folder, const std::string& root) {
  std::vector<limit> all;
  add_process_limits(all, root);
  add_kernel_limits(all, root);
  add_control_groups(all, root);
  add_disk(all, folder);
  return machine_limits(std::move(all));
}

result<void> machine_limits::allow(const room& needed) const {
  std::string all;
  for (const auto& l : all_) {
    const auto wanted = needed.*l.of;
    if (wanted <= l.value - l.in_use || wanted == 0) continue;
    all += (all.empty() ? "" : "; ") + amount(l.of, wanted) + (is_bytes(l.of) ? " of " : " ") +
           std::string(name_of(l.of)) + " are needed, but " + l.name + " is " + amount(l.of, l.value) + ", with " +
           amount(l.of, l.in_use) + " in use";
  }
  return all.empty() ? result<void>() : error{error_code::refused, all};
}

void raise_descriptor_limit() {
  rlimit all{};
  if (::getrlimit(RLIMIT_NOFILE, &all) != 0) return;
  all.rlim_cur = all.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &all);
}

}  // namespace flock::testing
