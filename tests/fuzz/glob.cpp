#include "libflock/values/glob.hpp"

#include "libflock/words/policy.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <string>

// A pattern, and on the next line a text: globs as a policy and a query have them.

using namespace flock;
using fuzz::require;

namespace {

bool fits(std::string_view pattern, std::string_view text) {
  const auto g = glob::parse(pattern);
  return g && g->fits(text);
}

/// Tries every place for each star: what a glob means, for texts without characters of many bytes.
bool fits_as_said(std::string_view pattern, std::string_view text) {
  bool starred = false;
  std::string_view after_star, retry_at;
  while (true) {
    if (!pattern.empty() && pattern.front() == '*') {
      pattern.remove_prefix(1);
      starred = true;
      after_star = pattern;
      retry_at = text;
      continue;
    }
    if (pattern.empty() && text.empty()) return true;
    if (!pattern.empty() && !text.empty()) {
      const std::size_t escaped = pattern.front() == '\\' && pattern.size() > 1 ? 1 : 0;
      if (pattern.front() == '?' || pattern[escaped] == text.front()) {
        pattern.remove_prefix(escaped + 1);
        text.remove_prefix(1);
        continue;
      }
    }
    if (!starred || retry_at.empty()) return false;
    retry_at.remove_prefix(1);
    pattern = after_star;
    text = retry_at;
  }
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool admits(std::string_view pattern, std::string_view actor) {
  const value rule = value::map{{"allow", true}, {"actor", pattern}};
  const auto p = policy::parse(value::map{{"rules", value::list{rule}}});
  return p && p->admits({.from = "a", .environment = "", .actor = actor, .action = "run"});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto text = fuzz::as_text(data, size);
  const auto pattern = fuzz::take_line(text);
  const fuzz::allowance cost((1 << 16) + 4'000 * size);

  const bool does = fits(pattern, text);

  require(does == admits(pattern, text), "a policy reads globs as others do");
  if (pattern.size() > glob::max_size) return 0;
  if (is_ascii(text) && is_ascii(pattern))
    require(does == fits_as_said(pattern, text), "a glob means what is said of it");
  if (escape_glob(text).size() <= glob::max_size) require(fits(escape_glob(text), text), "what is escaped fits itself");
  if (does && pattern.size() < glob::max_size) require(fits("*" + std::string(pattern), text), "a star may be nothing");
  return 0;
}
