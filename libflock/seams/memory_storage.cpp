#include "libflock/seams/memory_storage.hpp"

#include <utility>

namespace flock {

memory_storage::memory_storage(std::string id) : id_(std::move(id)) {}

void memory_storage::write(std::vector<record_change> changes, written durable) {
  for (auto& change : changes) {
    if (change.data)
      records_.insert_or_assign(std::move(change.key), std::move(*change.data));
    else
      records_.erase(change.key);
  }
  durable({});
}

result<void> memory_storage::read(std::string_view prefix, const visitor& each) {
  for (auto at = records_.lower_bound(prefix); at != records_.end() && at->first.starts_with(prefix); ++at)
    each(at->first, at->second);
  return {};
}

storage::statistics memory_storage::stats() const {
  statistics s;
  for (const auto& [key, data] : records_) s.bytes += key.size() + data.size();
  return s;
}

}  // namespace flock
