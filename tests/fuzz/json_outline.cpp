#include "actors/resource/json_outline.hpp"

#include "tests/fuzz/fuzz.hpp"
#include <flock/value.hpp>

#include <algorithm>
#include <string>

// The outline of any text, and that of JSON, which has the members that reading it finds.

using namespace flock;
using fuzz::require;

namespace {

void check_against(const value::map& members, const json_outline& outline, int lines) {
  require(outline.keys().size() == members.size(), "an outline has all keys");
  for (const auto& key : outline.keys()) {
    require(members.contains(key), "an outline has no other keys");
    const auto line = outline.line_of({key});
    require(line >= 1 && line <= lines, "a member stands on a line of its text");
    require(outline.line_of({key, "0", "0"}) >= line, "what is in it does not stand before it");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::as_text(data, size);
  const auto lines = 1 + static_cast<int>(std::count(text.begin(), text.end(), '\n'));

  const auto v = from_json(text);
  // As much as the value itself, several times over, and nothing that grows with how deep it is.
  const fuzz::allowance cost((1 << 16) + 800 * size);
  const json_outline outline(text);

  require(outline.line_of({}) == 1, "a document begins on its first line");
  if (v && v->as_map() && !v->as_map()->empty()) check_against(*v->as_map(), outline, lines);
  return 0;
}
