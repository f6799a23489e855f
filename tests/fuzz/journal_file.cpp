#include "libflock/sqlite/journal_file.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "tests/support/temporary_folder.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>

// A journal's file on a disk that lies: the input is lines "offset byte" of a file with known records, and "offset",
// where it ends. What is opened has no record that was not written.

using namespace flock;
using fuzz::require;

namespace {

namespace fs = std::filesystem;
using records = std::map<std::string, std::string, std::less<>>;

const records& written() {
  static const auto all = [] {
    records made;
    for (int i = 0; i < 60; ++i) made["n/" + std::to_string(i)] = std::string(static_cast<std::size_t>(i) * 20, 'x');
    return made;
  }();
  return all;
}

struct scene {
  testing::temporary_folder folder;
  std::string path = (folder.path() / "journal.db").string();
  std::string sound;

  internal::journal_file::options options() const {
    return {.folder = folder.path().string(), .time = &system_clock(), .vfs = "", .log = {}};
  }

  scene() {
    internal::queued_write all;
    for (const auto& [key, data] : written()) all.changes.push_back({key, data});
    {
      internal::journal_file file(options());
      require(!file.open() && !file.apply({&all, 1}) && !file.checkpoint(), "a journal can be made");
    }
    std::ifstream in(path, std::ios::binary);
    sound.assign(std::istreambuf_iterator<char>(in), {});
  }

  void put(const std::string& bytes) const {
    for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove(entry);
    std::ofstream(path, std::ios::binary) << bytes;
  }
};

std::optional<std::size_t> take_number(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  std::size_t number = 0;
  const auto [end, failed] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (failed != std::errc()) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  return number;
}

std::string damaged(std::string bytes, std::string_view input) {
  while (!input.empty()) {
    auto line = fuzz::take_line(input);
    const auto at = take_number(line);
    const auto byte = take_number(line);
    if (!at || *at >= bytes.size()) continue;
    if (byte)
      bytes[*at] = static_cast<char>(*byte);
    else
      bytes.resize(*at);
  }
  return bytes;
}

/// What a journal shows that is opened now; nothing if it is refused.
std::optional<records> opened(const scene& s) {
  internal::journal_file file(s.options());
  if (const auto fault = file.open()) {
    require(!fault->what.empty() && fault->what.size() <= fuzz::longest_error, "what is wrong is said in few words");
    return std::nullopt;
  }
  records found;
  const auto fault = file.read("", [&](auto key, auto data) { found.emplace(key, data); });
  require(!fault, "a journal that was opened can be read");
  internal::queued_write more{{{"z", "new"}}, {}};
  require(!file.apply({&more, 1}), "a journal that was opened can be written");
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const scene s;
  s.put(damaged(s.sound, fuzz::as_text(data, size)));

  const auto found = opened(s);

  if (!found) return 0;
  for (const auto& [key, data_of_it] : *found) {
    const auto at = written().find(key);
    require(at != written().end() && at->second == data_of_it, "a record is as it was written, or is not there");
  }
  const auto again = opened(s);
  require(again.has_value() && again->size() == found->size() + 1, "it is mended once");
  return 0;
}
