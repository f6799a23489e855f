#include "tools/cluster/files.hpp"

#include "actors/resource/posix.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

namespace flock::testing {

std::string contents(const std::string& path) {
  std::ostringstream all;
  all << std::ifstream(path, std::ios::binary)
             .rdbuf();  // does not throw where reading fails, as of a process that ended
  return all.str();
}

result<void> write_file(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return system_error(path);
  return {};
}

result<void> make_folder(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed) return error{error_code::io, "cannot make " + path + ": " + failed.message()};
  return {};
}

result<std::string> make_temporary_folder() {
  auto pattern = (std::filesystem::temp_directory_path() / "flock-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return system_error(pattern);
  return pattern;
}

std::string end_of_log(const std::string& path, std::int64_t from) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  constexpr std::streamoff enough = 2000;
  const auto size = std::max<std::streamoff>(0, static_cast<std::streamoff>(file.tellg()) - from);
  file.seekg(from + std::max<std::streamoff>(0, size - enough));
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (size > enough) text.erase(0, text.find('\n') + 1);  // a line that was cut
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace flock::testing
