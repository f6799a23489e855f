#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// Gives a fuzz target the files that are named, and those of the folders that are: what libFuzzer does when it is given
// files, with any compiler. The file at which it ends is the last one that was told.

namespace {

namespace fs = std::filesystem;

void add(const fs::path& place, std::vector<fs::path>& files) {
  if (!fs::is_directory(place)) return files.push_back(place);
  const auto before = files.size();
  for (const auto& entry : fs::directory_iterator(place)) files.push_back(entry.path());
  // Of nothing anything holds.
  if (files.size() == before) throw fs::filesystem_error("no inputs", place, {});
}

void replay(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw fs::filesystem_error("cannot read", file, {});
  std::printf("%s\n", file.c_str());
  std::fflush(stdout);
  // Of its own, so that a sanitizer sees what is read behind its end.
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

}  // namespace

int main(int argc, char** argv) try {
  std::vector<fs::path> files;
  for (int i = 1; i < argc; ++i) add(argv[i], files);
  std::sort(files.begin(), files.end());
  for (const auto& file : files) replay(file);
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 2 : 0;
} catch (const std::exception& failed) {
  std::fprintf(stderr, "%s\n", failed.what());
  return 2;
}
