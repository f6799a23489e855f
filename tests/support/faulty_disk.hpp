#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace flock::testing {

/// A disk that fails as a test wants: SQLite's files, real ones, but with a cache of its own kind between them and what
/// "the disk" holds. Files show what was written; only what was synced outlives a loss of power.
///
/// Faults may be ordered from any thread. One that is removed must have no open files.
class faulty_disk {
 public:
  faulty_disk();
  ~faulty_disk();
  faulty_disk(const faulty_disk&) = delete;
  faulty_disk& operator=(const faulty_disk&) = delete;

  /// The name of SQLite's way to it.
  const std::string& vfs() const;

  /// Whether it is full: then what would make a file longer fails, when half of it is written.
  void fill(bool yes);

  /// After `after` more writes, `count` of them fail when half of each is written.
  void fail_writes(int after, int count = 1);

  /// What becomes of pages whose sync has failed. Both happen, with different file systems: they are taken for written,
  /// and the next sync succeeds without them.
  enum class failed_sync : std::uint8_t {
    stays_in_memory,  ///< reads show what was written, until the power goes
    is_dropped,       ///< reads show what the disk holds
  };
  /// After `after` more syncs, `count` of them fail.
  void fail_syncs(int after, int count = 1, failed_sync how = failed_sync::stays_in_memory);

  /// After `after` more writes, syncs and truncations everything fails, for ever.
  void cut_power(int after = 0);
  bool has_power() const;
  /// It is on again, and there are no faults. Of what was not synced each page got to the disk, or its first part, or
  /// nothing of it.
  void restore_power(std::uint64_t seed);
  /// The same, but it was never off: only the process is another one.
  void restart_process();

  /// Writes, syncs and truncations so far.
  int operations() const;
  int syncs() const;

  struct inside;

 private:
  std::unique_ptr<inside> in_;
};

}  // namespace flock::testing
