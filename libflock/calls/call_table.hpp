#pragma once

#include "libflock/values/invariant.hpp"
#include <flock/actor_type.hpp>
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace flock {

/// The calls of this node that wait for an answer from another one. Each is answered exactly once: by its reply, by the
/// end of the node it went to, or by its deadline. Safe for threads; answers are given outside of its lock.
///
/// Holds, at the end of each call: every call stands once with the deadlines, under its own, and nothing else does;
/// what is orphaned was sent; a closed table has none; and each has somebody to answer.
class call_table {
 public:
  /// \param first  id of the first call: random, so that a late answer to a former life of this node meets nobody
  explicit call_table(std::uint64_t first) : next_(first) {}

  /// \param sent  whether it is handed to the transport now, as by sent()
  /// \returns the id to send with the call
  std::uint64_t add(const node_id& to, time_point until, responder answer, bool sent = false);

  /// Said before it is handed to the transport: from here on it may have been done. unsent() takes that back.
  /// \returns whether it still waits for an answer; if not, it must not be sent
  bool sent(std::uint64_t id);
  void unsent(std::uint64_t id);

  /// Answers a call. An answer from another node than the one that was asked is ignored, and so is a second one.
  void settle(const node_id& from, std::uint64_t id, result<value> answer);

  /// The connection on which calls were sent is gone. Their answers may still come on another one, unless lose() says
  /// that the life of the node has ended, too: then they are answered with maybe_done.
  void orphan(const node_id& to);
  void lose(const node_id& to, const error& why);

  /// No way to the node for now: what was not sent is answered with `why`.
  void give_up(const node_id& to, const error& why);

  /// Answers what is due: timeout if it was not sent, else maybe_done.
  void expire(time_point now);
  std::optional<time_point> earliest() const;

  /// Answers all with `why`; later calls at once.
  void close(const error& why);

  std::size_t size() const;

  broken check() const;

 private:
  struct entry {
    node_id to;
    time_point until;
    responder answer;
    bool sent = false;
    bool orphaned = false;
  };

  broken check_sizes() const;
  template <class Which, class Answer> void answer_where(Which which, Answer answer);

  mutable std::mutex mutex_;  // guards all below
  std::uint64_t next_;
  std::unordered_map<std::uint64_t, entry> calls_;
  std::set<std::pair<time_point, std::uint64_t>> deadlines_;
  std::optional<error> closed_;
};

}  // namespace flock
