#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace flock::internal {

/// Frames that wait to be written to one peer: bounded, and gathered so that many leave in one write. Not safe for
/// threads.
class write_queue {
 public:
  /// \param limit  bytes that may wait; more is refused
  explicit write_queue(std::size_t limit) : limit_(limit) {}

  /// \returns false, and takes nothing, if it would be over the limit
  bool push(std::string_view frame);

  /// A heartbeat goes before everything that waits, however much that is; it is not bounded, for only one waits.
  void push_heartbeat(std::string_view frame);

  /// Takes what is to be written next: whole frames, `gathered` bytes or one larger frame. The capacity of `out` is
  /// used again. \returns false if nothing waits
  bool pop(std::string& out);

  /// Bytes that wait.
  std::size_t size() const { return size_ + heartbeat_.size(); }

  /// Four TLS records: enough that the cost of a write no longer shows, little enough that a heartbeat never waits
  /// long.
  static constexpr std::size_t gathered = 64 << 10;

 private:
  std::size_t limit_;
  std::size_t size_ = 0;
  std::deque<std::string> chunks_;  ///< each is one write
  std::string heartbeat_;
  std::string spare_;
};

}  // namespace flock::internal
