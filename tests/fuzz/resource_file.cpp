#include "actors/resource/resource_file.hpp"

#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <string>

// A file of declared resources: what is wrong in it is said with its line.

using namespace flock;
using fuzz::require;

namespace {

void check_faults(const std::string& what) {
  auto lines = std::string_view(what);
  require(lines.size() <= 1 << 20, "what is wrong is said in a megabyte at most");
  while (!lines.empty()) require(fuzz::take_line(lines).starts_with("f.json:"), "each line names its file");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = std::string(fuzz::as_text(data, size));
  const fuzz::allowance cost((1 << 20) + 8'000 * size);

  const auto declared = parse_resources({{"f.json", text}});

  if (!declared) {
    check_faults(declared.error().what);
    return 0;
  }
  const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
  for (const auto& d : *declared) {
    require(d.what != nullptr && d.type != nullptr, "what is declared has a type, and is made");
    require(d.type->has_action(d.action), "its action is one of its type's");
    require(d.line >= 1 && d.line <= lines, "it stands on a line of its file");
  }
  return 0;
}
