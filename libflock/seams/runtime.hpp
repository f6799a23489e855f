#pragma once

#include "libflock/seams/task.hpp"
#include <flock/clock.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace flock {

/// Whose jobs run one at a time, in the order in which they were posted. Every actor has one, and so has each part of a
/// node that keeps state. After close() nothing runs any more: what is queued is destroyed unrun.
class mailbox : public std::enable_shared_from_this<mailbox> {
 public:
  virtual ~mailbox() = default;

  /// From any thread. Never blocks, never runs the job itself.
  virtual void post(task job) = 0;
  /// Runs the job in this mailbox's turn, not before the given time.
  virtual void post_at(time_point when, task job) = 0;
  virtual void close() = 0;
  /// How many jobs wait.
  virtual std::size_t depth() const = 0;
  /// Whether what belongs to this mailbox may be touched here: its job runs on this thread, or, where one thread takes
  /// all turns, none does. For assertions.
  virtual bool has_turn() const;
};

/// Lets a thread that is not the runtime's take turns: those of the mailboxes that it gave work, so that it need not
/// wake another thread for them. Used by one thread, but for hand_over().
class turn_taker {
 public:
  virtual ~turn_taker() = default;

  /// From here on the next mailbox that gets work from this thread, and has had none, is kept for it. While one is
  /// kept, others go to the runtime's threads.
  virtual void keep() = 0;
  virtual bool has_kept() const = 0;
  /// Takes the turn that is kept, and those that are kept meanwhile. May take as long as the jobs do.
  virtual void run() = 0;
  /// Takes the turn that is kept, if one is; the runtime's threads get all that comes until keep().
  virtual void run_one() = 0;
  /// From any thread: the runtime's threads get what is kept, and all that comes until keep(). A job that is running is
  /// not disturbed, but what comes after it in its turn is theirs, too.
  virtual void hand_over() = 0;
};

/// Whose turn it is: the seam to the threads. In production CAF's scheduler (internal/caf_runtime.hpp); in tests one
/// thread and a seeded choice of whose turn is next.
class runtime {
 public:
  virtual ~runtime() = default;

  /// \param label  what it is for, shown in logs and metrics
  virtual std::shared_ptr<mailbox> make_mailbox(std::string_view label) = 0;

  /// Runs a job that may block (a child process, a slow file) on a thread of its own. At most `max_blocking` such jobs
  /// run at once; more wait their turn.
  virtual void run_blocking(task job) = 0;

  /// For the thread that calls this; null if turns are taken by the runtime's threads only. It goes before the runtime
  /// does.
  virtual std::unique_ptr<turn_taker> make_turn_taker() { return nullptr; }

  /// Ends the threads after the jobs that are running. Nothing runs afterwards. Blocking jobs still running at `until`
  /// are abandoned.
  virtual void stop(time_point until) = 0;

  static constexpr int max_blocking = 64;
};

/// The mailbox whose job runs on this thread, or null: so that an answer can come back in the asker's own turn.
mailbox* current_mailbox();

/// Held by an implementation of runtime while it runs a job.
class turn {
 public:
  explicit turn(mailbox& whose);
  ~turn();
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

 private:
  mailbox* before_;
};

}  // namespace flock
