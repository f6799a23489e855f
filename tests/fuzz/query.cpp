#include "libflock/words/query.hpp"

#include "tests/fuzz/fuzz.hpp"

#include <array>

// Conditions in Chef's search syntax, held against nodes' attributes.

using namespace flock;
using fuzz::require;

namespace {

const std::array<value, 3>& documents() {
  static const std::array<value, 3> all{
      value::map{},
      value::map{
          {"name", "bender1"},
          {"role", value::list{"web", "db"}},
          {"chef_environment", "production"},
          {"kernel", value::map{{"release", "5.10.0"}, {"modules", value::list{value::map{{"size", 4096}}, 1.5}}}},
          {"tags", value::list{}},
          {"memory", 2048},
          {"virtual", true},
          {"nothing", nullptr}},
      value::map{{"a", value::map{{"a", value::map{{"a_a", "b"}, {"a", "\xc3\xa4"}}}, {"a_a", 1}}},
                 {"a_a", "aaaaaaaa"}}};
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::as_text(data, size);
  // The least is "a:b", and a condition holds its key, its pattern, and the place of its wildcards.
  const fuzz::allowance cost((1 << 16) + 4'000 * size);

  const auto q = query::parse(text);

  if (!q) {
    require(q.error().what.size() <= fuzz::longest_error, "what is wrong is said in few words");
    return 0;
  }
  const auto negated = query::parse("NOT (" + std::string(text) + ")");
  for (const auto& d : documents()) {
    const bool holds = q->matches(d);
    if (negated) require(negated->matches(d) != holds, "a condition holds, or its contrary does");
  }
  return 0;
}
