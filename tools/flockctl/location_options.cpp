#include "tools/flockctl/location_options.hpp"

#include <utility>

namespace flock::ctl {
namespace {

error wrong(std::string what) { return {error_code::bad_argument, std::move(what)}; }

}  // namespace

result<parameters> location_parameters(const arguments& words) {
  parameters all;
  for (const char* name : {"node", "role", "recipe", "environment", "query"})
    for (auto& text : words.all(name)) all.emplace_back(name, std::move(text));
  if (words.has("any") && words.has("all-of")) return wrong("--any and --all-of exclude each other");
  for (const char* name : {"any", "all-of"})
    if (words.has(name) && all.empty()) return wrong("--" + std::string(name) + " of which nodes?");
  if (words.has("any")) all.emplace_back("any", "true");
  return all;
}

result<value::map> location_members(const arguments& words) {
  const auto given = location_parameters(words);
  if (!given) return given.error();
  if (given->empty()) return wrong("which nodes? Give --node, --role, --recipe, --environment or --query");
  value::map members;
  for (const char* name : {"node", "role", "recipe"})
    if (words.has(name)) {
      value::list texts;
      for (auto& text : words.all(name)) texts.emplace_back(std::move(text));
      members.emplace(name, std::move(texts));
    }
  for (const char* name : {"environment", "query"})
    if (auto text = words.one(name)) members.emplace(name, *std::move(text));
  if (words.has("any")) members.emplace("any", true);
  return members;
}

}  // namespace flock::ctl
