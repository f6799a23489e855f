#pragma once

#include <flock/error.hpp>

#include <cstddef>
#include <cstdint>
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
/// the order in which they were given. `durable` is called once, on a thread of the storage: when they are.
///
/// A disk that is full or broken makes writes wait, and loses none: they are tried again, in their order, until the
/// disk takes them. trouble() tells meanwhile, so that nobody promises what is not durable or gathers without end.
class storage {
 public:
  using written = std::function<void(result<void>)>;
  using visitor = std::function<void(std::string_view key, std::string_view data)>;

  struct statistics {
    std::string path{};         ///< the file; empty if there is none
    std::uint64_t bytes = 0;    ///< on the disk
    std::uint64_t commits = 0;  ///< since the start; each made one write or several durable
    std::size_t waiting = 0;    ///< writes that are not durable yet
    std::size_t set_aside = 0;  ///< damaged records that are kept for people to look at
    std::string last_error{};   ///< the latest trouble, also when it is over; empty if there was none
  };

  virtual ~storage() = default;

  /// Errors, told to `durable`: shutting_down (the storage was stopped before; whether anything of it was kept is not
  /// known)
  virtual void write(std::vector<record_change> changes, written durable) = 0;

  /// All durable records whose key starts with `prefix`, in key order. For the start of a node: it blocks. A damaged
  /// record is not shown.
  /// Errors: io
  virtual result<void> read(std::string_view prefix, const visitor& each) = 0;

  /// The keys of records that were found damaged when this storage was opened, in order. They are set aside: their keys
  /// are free. An empty key stands for records that were lost with their keys. All are told again at the next opening
  /// if nothing is written after this one.
  virtual const std::vector<std::string>& damaged() const = 0;

  /// A number that this storage got when it was made: a node that comes back with an empty disk has another.
  virtual const std::string& id() const = 0;

  /// Why writes wait at present; nothing while the disk does what it should. From any thread.
  virtual std::optional<error> trouble() const = 0;

  /// From any thread.
  virtual statistics stats() const = 0;

  /// Makes durable what was written, if the disk takes it, and calls what waits.
  virtual void stop() = 0;
};

}  // namespace flock
