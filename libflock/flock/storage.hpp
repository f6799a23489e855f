#pragma once

#include <flock/error.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// One change of a durable record.
struct record_change {
  std::string key;
  std::optional<std::string> data;  ///< nothing: the record is removed
};

/// What survives a crash: the seam to the disk. Records with a key, ordered by it.
///
/// write() returns at once; the changes of one write are durable together or not at all, and writes become durable in
/// the order in which they were given. `durable` is called on a thread of the storage when they are, or with the reason
/// why they are not and never will be.
class storage {
 public:
  using written = std::function<void(result<void>)>;
  using visitor = std::function<void(std::string_view key, std::string_view data)>;

  virtual ~storage() = default;

  /// Errors: io (full or failing disk; nothing of it was kept), shutting_down
  virtual void write(std::vector<record_change> changes, written durable) = 0;

  /// All durable records whose key starts with `prefix`, in key order. For the start of a node: it blocks.
  /// Errors: io
  virtual result<void> read(std::string_view prefix, const visitor& each) = 0;

  /// A number that this storage got when it was made: a node that comes back with an empty disk has another.
  virtual const std::string& id() const = 0;

  /// Makes durable what was written, and calls what waits.
  virtual void stop() = 0;
};

}  // namespace flock
