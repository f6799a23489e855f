#pragma once

#include "libflock/values/invariant.hpp"
#include "libflock/words/location.hpp"
#include "libflock/words/notification.hpp"
#include <flock/clock.hpp>
#include <flock/name.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flock {

/// An action that is wanted of a resource elsewhere.
struct wanted_action {
  resource_name resource;
  std::string action;
  location where;
  timing when = timing::immediately;
  on_outcome on = on_outcome::always;
  std::vector<cause> causes;
  /// The same may have been wanted for other causes: it goes round only if it is among all of them.
  std::vector<std::vector<cause>> other_causes{};
  /// Where debts has it, while a run owes it; 0 if none does. In no form.
  std::uint64_t debt = 0;

  /// The causes of the notification to this node.
  const std::vector<cause>& causes_for(const node_id& target) const;

  /// Errors: bad_argument (a member is missing, unknown or of the wrong kind)
  /// JSON form, as in remote_notifies:
  /// {"action","resource","node"|"roles"|"recipes"|"environment"|"query","timing","on"}.
  static result<wanted_action> from_value(const value& v);
  value to_value() const;

  friend bool operator==(const wanted_action&, const wanted_action&) = default;
};

class debts;

/// One convergence of a node: decides what is sent when. Pure. As in Chef: immediate ones go out straight after the
/// update, delayed ones once at the end and once for each (where, resource, action), though the run failed, unless `on`
/// says otherwise. A run in why-run mode sends nothing. What is to be sent is owed until it is: see debts.
///
/// Holds: what is kept is delayed, and no two of it are the same wish; in why-run mode nothing is.
class run {
 public:
  run(std::string id, wall_time started, bool why_run, debts& owed);

  const std::string& id() const { return id_; }
  bool why_run() const { return why_run_; }
  wall_time started() const { return started_; }

  /// Something was updated and wants these: \returns the ones to send now, which those for `before` are too; delayed
  /// ones are kept.
  std::vector<wanted_action> updated(std::vector<wanted_action> wants);

  /// The run has ended: \returns what was delayed and is to be sent, in the order of the first wish for each.
  std::vector<wanted_action> finish(bool success);

  /// Nobody here will hear how it ends: \returns what was delayed, also for one outcome only.
  std::vector<wanted_action> leave();

  std::size_t delayed() const { return delayed_.size(); }

  broken check() const;

 private:
  std::string id_;
  wall_time started_;
  bool why_run_;
  debts* debts_;
  std::vector<wanted_action> delayed_;
};

}  // namespace flock
