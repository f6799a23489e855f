#include "tests/fuzz/solitary_node.hpp"

#include <string>
#include <vector>

// What a node finds in its journal when it starts: the input is JSON, {key: value}; bytes are a record's as they are,
// any other value is written in its binary form. No record keeps a node from starting.

using namespace flock;
using fuzz::require;

namespace {

void fill(storage& disk, const value::map& records) {
  std::vector<record_change> changes;
  for (const auto& [key, v] : records) changes.push_back({key, v.as_bytes() ? v.as_bytes()->data : encode(v)});
  disk.write(std::move(changes), [](const result<void>&) {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto v = from_json(fuzz::as_text(data, size));
  if (!v || !v->as_map()) return 0;
  const fuzz::allowance cost((8 << 20) + 20'000 * size);
  testing::manual_storage disk("storage");
  fill(disk, *v->as_map());

  {
    fuzz::solitary_node first(disk);
    first.live(milliseconds(100));
    first.core->resume();
    first.live(milliseconds(3000));
  }
  const auto set_aside = disk.records("x/");
  {
    fuzz::solitary_node second(disk);
    second.core->resume();
    second.live(milliseconds(3000));
  }
  require(disk.records("x/") == set_aside, "what cannot be read is set aside once");
  return 0;
}
