#pragma once

#include "actors/resource/action_context.hpp"
#include "actors/resource/joint_action.hpp"
#include "libflock/values/invariant.hpp"
#include <flock/actor_type.hpp>
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// The Chef runs of a node: which notification goes to which run, and when a run is started for them. See docs/chef.md.
///
/// What is wanted of Chef's resources waits here until a run can take it. A run takes it from when it has declared its
/// resources until it ends; what it was given and did not answer is given to the next one. An action that is wanted
/// while the last one that waits for its resource is the same joins it, as actions of resources of files do: it is
/// performed once, and all who wanted it are answered. Between runs one is started,
/// if there is a command for it: soon, one at a time, a while after the last, never beside one that anybody else
/// started. What `attempts` runs could not perform is answered as failed, with ever longer pauses between them, so that
/// a recipe that does not compile costs a few runs and no more.
///
/// Holds, at the end of each call:
/// - what waits is in the order of its numbers, and has not used up its attempts
/// - what is given is given to the run under way, which has declared its resources and knows why; at most `given` at
/// once
/// - a run in why-run mode has nothing to take
/// - whoever waits for the end of a run waits for a later one than ended_; as many ends are remembered as there were,
/// up
///   to a bound
/// - once stopped, nobody waits
///
/// Does nothing by itself: is told what happened, and asks its host. Lives in one mailbox.
class chef_runs {
 public:
  struct options {
    bool can_start = false;      ///< there is a command that starts a run
    milliseconds debounce{100};  ///< notifications come in flocks; a run takes those that come while it starts, too
    milliseconds rest{1'000};    ///< from the end of a run to the next one that is only for notifications
    milliseconds pause_first{2'000};  ///< after a run that failed them; doubles
    milliseconds pause_last{300'000};
    milliseconds look_again{1'000};  ///< while somebody else's run holds Chef's lock
    milliseconds patience{60'000};   ///< for the run of a command that only wakes Chef, as a signal does
    int attempts = 3;
    std::size_t given = 64;        ///< that a run has in hand at once
    std::size_t waiting = 10'000;  ///< more are refused
  };

  /// Why a run is started: CHEF_FLOCK_RUN tells it.
  enum class reason : std::uint8_t { notified = 1, requested };

  /// An action that is wanted of a resource that Chef declares.
  struct errand {
    std::uint64_t number = 0;
    resource_name resource;
    std::string action;
    action_context why;
  };

  class host {
   public:
    virtual ~host() = default;

    /// Gives it to the run under way.
    virtual void give(const errand& what) = 0;
    /// Whether somebody holds Chef's own lock.
    virtual bool is_locked() = 0;
    /// Runs the command; its end is told to command_ended().
    virtual void start_command(reason why) = 0;
    /// Calls wake() at that time. Earlier wishes may be forgotten.
    virtual void wake_at(time_point when) = 0;
  };

  /// \param life  begins the id of each run, so that no two of a node's lives share one
  chef_runs(std::string life, const clock& time, host& of, options o);

  /// A command that starts a run has come or gone.
  void allow_start(bool can_start);

  /// Wants an action; answered when a run has performed it. It begins when a run takes it, and once more when the next
  /// run does, as that one did not say how it went. The answer to one that joined another has "performed_with", the id
  /// of that one's notification.
  /// Errors: refused (too many wait), maybe_done (the runs that took it ended without a word of it), io (no run comes
  /// as far as to take it), shutting_down
  void perform(errand what, beginning begin, responder answer);

  /// What no run has in hand is somebody else's concern from now on. \returns it, in its order
  std::vector<joint_action> release(const resource_name& of);
  /// What waits for a resource that is declared no more is answered with down, not begun.
  void refuse_unless(const std::function<bool(const resource_name&)>& is_declared);

  /// Somebody asks for a run. \returns its number, for when_ended(): of the one that is about to start, or of the next
  /// one if one is under way. Errors: refused (there is no command)
  result<std::uint64_t> request();
  /// Answers as last() once the run of that number has ended; with the oldest that is known if that was long ago.
  void when_ended(std::uint64_t number, responder answer);

  // What a run says of itself.

  /// \returns its id. Errors: conflict (one is under way)
  result<std::string> begin(bool why_run);
  /// It has declared its resources and takes what is wanted. Not in why-run mode.
  void ready();
  /// Errors: not_found (this run was not given that number, or has answered)
  result<void> performed(std::uint64_t number, result<value> how);
  void end(bool success, std::string error);

  /// \param how  its exit status, or why it could not be started
  void command_ended(result<int> how, std::string output);
  void wake();
  /// The node stops: what waits is answered with shutting_down, so that the next life performs it.
  void stop();

  bool is_active() { return current_ || command_ || host_.is_locked(); }
  /// The id of the run under way; empty if there is none.
  const std::string& current() const;
  /// Why something is wanted that the run under way was given; null if it is not known.
  const action_context* why(std::uint64_t number) const;
  /// {"run","started","ended","success","error","output"} of the last run; null before the first.
  const value& last() const { return last_; }
  /// How many wait, those that joined another included.
  std::size_t waiting() const;

  broken check() const;

 private:
  struct entry {
    errand what;
    joint_action joint;
    int attempts = 0;
    bool given = false;

    bool is_fresh() const { return !given && attempts == 0; }
  };
  struct run_under_way {
    std::string id;
    wall_time started;
    bool why_run = false;
    bool ready = false;
    std::map<std::uint64_t, action_context> reasons;  // of what it was given
  };
  struct command_under_way {
    wall_time started;
    bool has_run = false;             // a run came of it, and declared its resources
    std::optional<time_point> until;  // it has ended and its run is to begin by then
  };

  broken check_runs() const;
  broken check_waiting() const;
  entry* same_as(const errand& what);
  void give_next();
  void consider();
  void start();
  void expire();
  template <class Which> void count_attempt(const error& why, Which which);
  void pause();
  void episode_ended(std::string_view id, wall_time started, bool success, const std::string& why,
                     const std::string& output);

  std::string life_;
  const clock& time_;
  host& host_;
  options options_;

  std::deque<entry> waiting_;
  std::optional<run_under_way> current_;
  std::optional<command_under_way> command_;
  bool requested_ = false;
  bool stopped_ = false;
  std::optional<time_point> start_at_;
  time_point not_before_{};  // for those that nobody requested
  int failures_ = 0;         // in a row
  std::uint64_t numbered_ = 0;
  std::uint64_t runs_ = 0;
  std::uint64_t ended_ = 0;
  std::multimap<std::uint64_t, responder> ends_;
  value last_;
  std::deque<value> ended_lately_;  // the last of them is last_
};

std::string_view to_string(chef_runs::reason r);

}  // namespace flock
