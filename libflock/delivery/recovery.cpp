#include "libflock/delivery/recovery.hpp"

#include "libflock/delivery/courier_keys.hpp"
#include "libflock/values/packed_reader.hpp"

#include <algorithm>

namespace flock::internal {

using namespace courier_keys;

result<void> recovery::read(const std::string& prefix, const reader& each) {
  return disk_.read(prefix, [&](std::string_view key, std::string_view data) {
    const auto v = unpack(data);
    const auto read = v ? each(std::string(key.substr(prefix.size())), *v) : result<void>(v.error());
    if (!read) set_aside(key, data, read.error());
  });
}

void recovery::set_aside(std::string_view key, std::string_view data, const error& why) {
  const auto aside = aside_key(key);
  scribe_.put(aside, std::string(data));
  scribe_.remove(std::string(key));
  damaged_.emplace_back(key);
  say("the record " + std::string(key) + " cannot be read (" + why.what + "): it was set aside as " + aside);
}

std::set<node_id> recovery::damaged_nodes(std::string_view prefix) const {
  std::set<node_id> nodes;
  for (const auto& key : damaged_) {
    if (!key.starts_with(prefix)) continue;
    if (auto node = node_in(key.substr(prefix.size()))) nodes.insert(*std::move(node));
  }
  return nodes;
}

bool recovery::lost_keys() const { return std::find(damaged_.begin(), damaged_.end(), "") != damaged_.end(); }

}  // namespace flock::internal
