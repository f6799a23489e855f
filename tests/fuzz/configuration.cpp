#include "tests/fuzz/fuzz.hpp"
#include "tests/support/temporary_folder.hpp"
#include <flock/config.hpp>

#include <fstream>
#include <string>

// How a flockd is started: lines that begin with "--" are arguments, those that begin with "FLOCK_" are variables, the
// others stand in its file. No line names a file that is read.

using namespace flock;
using fuzz::require;

namespace {

const std::string& file() {
  static const testing::temporary_folder folder;
  static const auto path = (folder.path() / "flockd.conf").string();
  return path;
}

/// It may be any file of this machine, and one that has no end.
bool names_a_file(std::string_view line) {
  for (std::string_view option : {"config", "CONFIG", "attributes", "ATTRIBUTES", "registry-auth", "REGISTRY_AUTH"})
    if (line.find(option) != line.npos) return true;
  return false;
}

config_sources sources(std::string_view text) {
  config_sources from{.arguments = {}, .environment = {}, .default_file = file()};
  std::ofstream in_file(file(), std::ios::binary | std::ios::trunc);
  while (!text.empty()) {
    const auto line = fuzz::take_line(text);
    const auto equals = line.find('=');
    if (names_a_file(line)) continue;
    if (line.starts_with("--"))
      from.arguments.emplace_back(line);
    else if (line.starts_with("FLOCK_") && equals != line.npos)
      from.environment.emplace(line.substr(0, equals), line.substr(equals + 1));
    else
      in_file << line << '\n';
  }
  return from;
}

void check(const config& c) {
  require(!c.listen.empty() && !c.socket.empty() && !c.resources.empty(), "a node has what it needs");
  require(c.session_timeout >= 2 * c.heartbeat, "a session outlives a heartbeat that is late");
  require(c.tls() || c.insecure || c.listen.find("127.") == 0 || c.listen.find("localhost:") == 0 ||
              c.listen.find("[::1]:") == 0,
          "without certificates it listens on this machine only");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto from = sources(fuzz::as_text(data, size));
  const fuzz::allowance cost((1 << 20) + 2'000 * size);

  const auto read = read_config(from);

  if (!read)
    require(read.error().what.size() <= fuzz::longest_error, "what is wrong is said in few words");
  else
    check(*read);
  return 0;
}
