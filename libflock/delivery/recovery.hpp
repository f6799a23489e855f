#pragma once

#include "libflock/delivery/scribe.hpp"
#include "libflock/seams/storage.hpp"
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock::internal {

/// Reads back what storage kept when a node starts, and gathers what was damaged, and what is done about it. A record
/// that cannot be read is set aside, under its key behind "x/": nobody's record keeps this node from starting.
class recovery {
 public:
  recovery(storage& disk, scribe& records) : disk_(disk), scribe_(records), damaged_(disk.damaged()) {}

  /// Gives all records whose keys begin with the prefix to `each`: the rest of the key, and the value. What it fails
  /// for is set aside. Errors: io
  using reader = std::function<result<void>(const std::string& rest, const value& data)>;
  result<void> read(const std::string& prefix, const reader& each);

  /// The nodes that the damaged keys with this prefix are about.
  std::set<node_id> damaged_nodes(std::string_view prefix) const;
  /// Whether records were lost with their keys: they may have been about anything.
  bool lost_keys() const;

  void say(std::string what) { repairs_.push_back(std::move(what)); }
  /// Sentences for people.
  const std::vector<std::string>& repairs() const { return repairs_; }

 private:
  void set_aside(std::string_view key, std::string_view data, const error& why);

  storage& disk_;
  scribe& scribe_;
  std::vector<std::string> damaged_;  // keys: those that storage tells of, and those of what was set aside
  std::vector<std::string> repairs_;
};

}  // namespace flock::internal
