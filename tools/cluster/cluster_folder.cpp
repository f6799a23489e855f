#include "tools/cluster/cluster_folder.hpp"

#include "actors/resource/posix.hpp"
#include "tools/cluster/files.hpp"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#include <unistd.h>

namespace flock::testing {

namespace {

namespace fs = std::filesystem;

result<void> append(const std::string& path, std::string_view text, int flags) {
  descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0644));
  if (!file || ::write(file.number(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return system_error(path);
  return {};
}

/// In quotes, for a shell.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string cluster_folder::pid_file(std::string_view name) const {
  return node(name) + (name.starts_with("zookeeper/") ? "/pid" : "/flockd.pid");
}

result<void> cluster_folder::claim() const {
  if (auto done = make_folder(path_); !done) return done;
  auto made = append(processes(), "", O_CREAT | O_EXCL);
  if (made || !fs::exists(processes())) return made;
  auto all = recorded();
  if (!all) return all.error();
  for (const auto& p : *all)
    if (p.is_running())
      return error{error_code::conflict,
                   "a cluster runs in " + path_ + " (" + p.name + ", pid " + std::to_string(p.pid) + ")"};
  return error{error_code::conflict, path_ + " holds what is left of a cluster that ended without `down`"};
}

result<void> cluster_folder::record(const recorded_process& p) const {
  if (auto done = append(processes(), p.line() + "\n", 0); !done) return done;
  return write_file(pid_file(p.name), std::to_string(p.pid) + "\n");
}

result<std::vector<recorded_process>> cluster_folder::recorded() const {
  if (!fs::exists(processes())) return error{error_code::not_found, "no cluster in " + path_};
  auto all = parse_processes(contents(processes()));
  if (!all) return all.error().within(processes());
  return all;
}

void cluster_folder::clear(const std::vector<recorded_process>& all) const {
  std::error_code ignored;
  for (const auto& p : all) {
    fs::remove(pid_file(p.name), ignored);
    fs::remove(socket(p.name), ignored);
  }
  fs::remove(environment(), ignored);
  fs::remove(processes(), ignored);  // last: until then `down` may be tried again
}

std::string config_text(const settings& lines) {
  std::string text = "# Written by flock-cluster, anew at each `up`.\n";
  for (const auto& [key, value] : lines) text += key + " = " + value + "\n";
  return text;
}

std::string environment_text(std::string_view registry, std::string_view socket) {
  return "export FLOCK_REGISTRY=" + quoted(registry) + "\nexport FLOCK_SOCKET=" + quoted(socket) + "\n";
}

result<std::vector<recorded_process>> parse_processes(std::string_view text) {
  std::vector<recorded_process> all;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    // A line without an end was being written when its writer was killed.
    if (lines.eof()) break;
    auto p = recorded_process::parse(line);
    if (!p) return p.error();
    auto before = std::find_if(all.begin(), all.end(), [&](const auto& other) { return other.name == p->name; });
    if (before == all.end())
      all.push_back(*std::move(p));
    else
      *before = *std::move(p);
  }
  return all;
}

}  // namespace flock::testing
