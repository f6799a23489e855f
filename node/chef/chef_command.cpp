#include "node/chef/chef_command.hpp"

#include "actors/resource/command.hpp"
#include "actors/resource/posix.hpp"

#include <algorithm>
#include <fcntl.h>
#include <fstream>
#include <sys/file.h>
#include <utility>

namespace flock {
namespace {

// Source: Chef::Config[:lockfile], below its file_cache_path
constexpr auto default_lock = "/var/chef/cache/chef-client-running.pid";
// Longer than any Chef run is meant to take.
constexpr milliseconds longest_run{24 * 3600'000};
// What is kept of a run's output in its result: a screenful.
constexpr std::size_t quoted_output = 4'096;

/// For a shell.
std::string quoted(const std::string& path) {
  std::string text = "'";
  for (const char c : path) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

/// A Chef run writes to a file rather than to a pipe: it may outlive this flockd, and writing to nobody would end it.
std::string end_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return {};
  const auto size = static_cast<std::size_t>(in.tellg());
  std::string text(std::min(size, quoted_output), '\0');
  in.seekg(static_cast<std::streamoff>(size - text.size()));
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace

bool is_chef_locked(const config& with) {
  const auto path = with.chef_lock.empty() ? std::string(default_lock) : with.chef_lock;
  const descriptor lock(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  // Taken for a moment only: a run that starts meanwhile waits that long.
  return lock && posix_flock(lock.number(), LOCK_EX | LOCK_NB) != 0;
}

void start_chef(const config& with, chef_runs::reason why, runtime& threads,
                std::function<void(const result<int>&, const std::string&)> ended) {
  command what;
  const auto output = with.state_dir + "/chef-run.log";
  what.line = "exec >" + quoted(output) + " 2>&1\n" + with.chef_command;
  what.timeout = longest_run;
  what.environment = {{"CHEF_FLOCK_RUN", std::string(to_string(why))}, {"FLOCK_SOCKET", with.socket}};
  threads.run_blocking([what = std::move(what), output, ended = std::move(ended)] {
    const auto run = run_command(what, {});
    // What the shell itself has to say, if there is no such file.
    const auto said = run ? end_of_file(output) + run->output : std::string();
    ended(run ? result<int>(run->exit_status) : result<int>(run.error()), said);
  });
}

}  // namespace flock
