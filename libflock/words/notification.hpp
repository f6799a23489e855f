#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock {

/// Where a notification is. Sent and JSON form: the enumerator's name.
enum class receipt_state : std::uint8_t {
  queued = 1,  ///< taken by the sender's outbox
  accepted,    ///< safe at the receiver
  started,     ///< its action has begun
  succeeded,   ///< from here on nothing changes any more
  failed,
  expired,
  cancelled,
  unknown,  ///< it may have been done; nobody can tell
};

inline constexpr receipt_state last_receipt_state = receipt_state::unknown;

std::string_view to_string(receipt_state s);
std::optional<receipt_state> receipt_state_from(std::string_view name);
bool is_terminal(receipt_state s);

/// When a notification is sent: straight after the update, once at the end of the run, or before the change is made.
enum class timing : std::uint8_t { immediately = 1, delayed, before };

inline constexpr timing last_timing = timing::before;

std::string_view to_string(timing t);
/// Takes "immediate" too.
std::optional<timing> timing_from(std::string_view name);

/// Which ends of a run send what was delayed.
enum class on_outcome : std::uint8_t { always = 1, success, failure };

inline constexpr on_outcome last_on_outcome = on_outcome::failure;

std::string_view to_string(on_outcome o);
std::optional<on_outcome> on_outcome_from(std::string_view name);

/// One step of the way that led to a notification: a resource on a node did an action.
struct cause {
  node_id node;
  std::string resource;
  std::string action;

  friend bool operator==(const cause&, const cause&) = default;
};

/// A list of {"node","resource","action"}, in JSON and where they are stored.
value to_value(const std::vector<cause>& chain);
/// Errors: bad_argument
result<std::vector<cause>> causes_from_value(const value& v);

/// One request that an actor on a node performs a method; for a resource, that it performs an action.
struct notification {
  std::string id;  ///< unique for all time: sender, its incarnation, a count
  node_id sender;
  node_id target;
  actor_name actor;           ///< "execute[kill all humans]"
  std::string action;         ///< the method
  value::list arguments;      ///< none for a resource's action
  std::vector<cause> causes;  ///< the oldest first
  wall_time created{};
  wall_time expires{};
  std::string retry_of{};  ///< the id of the notification that this one repeats; empty if it repeats none

  /// Longest chain of causes: beyond it something goes round in circles.
  static constexpr std::size_t max_causes = 32;
  /// Of an id, in bytes: it is in every receipt, and in keys of the journal.
  static constexpr std::size_t max_id = 1024;
  /// Of an action, and of the resource and action of a cause: as of an actor's name.
  static constexpr std::size_t max_name = actor_name::max_size;

  /// Sent and stored form. Its times are milliseconds since 1970 UTC; "retry_of" is there if it repeats one.
  value to_value() const;
  /// Errors: bad_argument
  static result<notification> from_value(const value& v);
  /// What encode(to_value(), out) writes, and from_value(decode(packed)) reads, without the value.
  void write(std::string& out) const;
  static result<notification> read(std::string_view packed);

  friend bool operator==(const notification&, const notification&) = default;
};

/// For people: "bender1/execute[toast] run".
std::string to_string(const notification& n);

/// A notification reached a state.
struct receipt {
  std::string id;  ///< of the notification
  receipt_state state = receipt_state::queued;
  wall_time at{};
  std::optional<error> why;  ///< with failed, expired, cancelled, unknown
  value outcome;  ///< with succeeded and failed: what the method returned, or {"outcome","exit_status","output"} of an
                  ///< action
  bool redelivered = false;  ///< the action was started again after a crash

  /// Sent and stored form, as of a notification.
  value to_value() const;
  /// Errors: bad_argument
  static result<receipt> from_value(const value& v);
  /// What encode(to_value(), out) writes, and from_value(decode(packed)) reads, without the value.
  void write(std::string& out) const;
  static result<receipt> read(std::string_view packed);

  friend bool operator==(const receipt&, const receipt&) = default;
};

/// How the last action of a resource ended.
enum class outcome : std::uint8_t { updated = 1, up_to_date, skipped, failed };

inline constexpr outcome last_outcome = outcome::failed;

std::string_view to_string(outcome o);
std::optional<outcome> outcome_from(std::string_view name);

}  // namespace flock
