#pragma once

#include "libflock/words/notification.hpp"
#include <flock/error.hpp>
#include <flock/value.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace flock::chaos {

/// A notification whose sender's flockd said that its journal has it.
struct accepted_notification {
  std::string id;
  std::string sender;
  std::string target;
  std::string resource;
};

/// What a node says in the end of a notification that it sent or received.
struct told_end {
  receipt_state state = receipt_state::queued;
  bool redelivered = false;
  std::string why{};

  /// \param listed  one of /v1/notifications. Errors: protocol
  static result<told_end> from_value(const value& listed);
};

/// All that is known of a flock's notifications when everything is over.
struct history {
  /// In the order of their acceptance, as far as one sender is concerned.
  std::vector<accepted_notification> accepted;
  /// By node and id.
  std::map<std::string, std::map<std::string, told_end>> told;
  /// By node and resource: the ids that its command wrote to a file, in their order there.
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> written;
};

/// What a fault excuses.
struct excuses {
  /// A receipt may be `unknown`, of an action that was ended half-way: nobody can tell whether it was done.
  bool unknown = false;
  /// A notification may be performed again if it is marked redelivered: its receiver was killed while it performed it.
  bool repeated = false;
  /// What nobody was told is accepted may have been performed, once, by a receiver that does not know it any more: it
  /// travels while the sender's journal takes it, and both were killed before their journals had it.
  bool forgotten = false;
};

/// What is wrong with a history, one line for each notification. Each accepted one has to have succeeded, and was
/// performed, once. What succeeded was performed, and what is said not to have been done was not. Nothing was performed
/// that its node does not know of. Those from one sender to one resource were first performed in the order in which
/// they were accepted.
std::vector<std::string> violations(const history& h, const excuses& e = {});

}  // namespace flock::chaos
