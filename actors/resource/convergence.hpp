#pragma once

#include "actors/resource/action_context.hpp"
#include "actors/resource/declaration.hpp"
#include "libflock/values/invariant.hpp"
#include "libflock/words/debts.hpp"
#include "libflock/words/run.hpp"
#include <flock/actor_type.hpp>
#include <flock/clock.hpp>
#include <flock/name.hpp>

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace flock {

/// Runs over this node's resources, one at a time, and what an update of them sets off. Lives in one mailbox, in whose
/// turn all is called and all answers come. Whoever owns it outlives every action that it asked for.
///
/// Holds between two turns: a run under way waits for the answer to one action, and nothing waits without a run.
class convergence {
 public:
  /// What a run asks of its node.
  class host {
   public:
    virtual ~host() = default;

    /// Performs an action; what an update of it wants is told with updated() before the answer. May answer at once.
    virtual void perform(const resource_name& what, const std::string& action, const action_context& why,
                         responder answer) = 0;
    /// Whether anything is wanted once this resource is updated.
    virtual bool is_awaited(const resource_name& what) = 0;
    /// Sends it, and settles its debt in the same write; also if it cannot be sent.
    virtual void send(const wanted_action& what) = 0;
    /// Nobody will see how this run ends: sends what it owes in any case, and says what it does not send.
    virtual void leave(run& cut_off) = 0;
  };

  /// \param life  begins the id of each run, so that no two of a node's lives share one
  /// Nothing that a step may update is lost with this process: a step that somebody waits for begins when debts knows
  /// of it, and what an update wants is owed until it is sent.
  convergence(std::string life, const clock& time, debts& owed, host& of);

  /// Performs each resource's action in this order, up to the first that fails. Answers at the end, with
  /// {"run","started","ended","success","why_run","resources":[{"resource","action","outcome","error","exit_status",
  /// "output"}],"updated","notifications"}: `error` and `exit_status` with failed only, `output` with failed and in
  /// why-run mode, where it is what would be done.
  /// Errors: conflict (a run is under way), shutting_down (the node stops, and nobody knows how it would have ended)
  void start(const std::vector<declaration>& resources, bool why_run, responder answer);

  /// An action updated a resource, and this is wanted. In the run that is under way, what is to be sent immediately is
  /// sent, and what is delayed waits for the run's end; outside of it the update is a run of its own, and has ended.
  void updated(std::vector<wanted_action> wanted, const action_context& why);

  /// Sends it when the run that is under way has ended, if it ends as `on` says.
  /// \param id  of the run, if whoever asks knows it
  /// \returns the id of that run. Errors: conflict (no run, another one, or one in why-run mode, is under way)
  result<std::string> delay(wanted_action what, const std::optional<std::string>& id);

  /// The node stops: nothing begins any more, and the run under way is left when the action in hand has ended.
  void stop();
  /// Whether an action is in hand.
  bool is_performing() const { return waiting_; }

  /// The run under way, or null.
  const run* under_way() const { return current_ ? &current_->state : nullptr; }

  broken check() const;

 private:
  struct step {
    resource_name what;
    std::string action;
  };
  struct progress {
    run state;
    std::deque<step> left;
    responder answer;
    value::list done;
    std::int64_t updated = 0;
    std::int64_t sent = 0;
    bool success = true;
    debts::number intent = 0;  // of the step under way
  };

  std::string next_id();
  void advance();
  void perform_next();
  void perform(const step& s);
  void finish_step(const step& s, result<value> answer);
  void finish();
  void leave();
  std::int64_t send_all(const std::vector<wanted_action>& wanted);

  std::string life_;
  const clock& time_;
  debts& debts_;
  host& host_;
  std::int64_t runs_ = 0;
  std::optional<progress> current_;
  bool advancing_ = false;  // advance() is on the stack
  bool waiting_ = false;    // for an answer
  bool stopping_ = false;
};

}  // namespace flock
