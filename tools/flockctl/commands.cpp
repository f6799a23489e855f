#include "tools/flockctl/command.hpp"

namespace flock::ctl {

const std::vector<command>& commands() {
  static const std::vector<std::string_view> location = {"node",  "role", "recipe", "environment",
                                                         "query", "any",  "all-of"};
  static const std::vector<command> all = {
      {"status", "", 0, 0, "shows this node", "", {}, show_status},
      {"nodes", "[LOCATION]", 0, 0, "lists the nodes of a location, all without one", "", location, list_nodes},
      {"node show", "ID", 1, 1, "shows all that is known of a node", "", {}, show_node},
      {"actors", "[NODE]", 0, 1, "lists the actors of a node, by default of this one", "", {}, list_actors},
      {"ping", "NODE", 1, 1, "measures round trips through the actor system of a node", "", {"count"}, ping_node},
      {"call",
       "NODE/ACTOR METHOD [JSON...]",
       2,
       any_number,
       "calls a method of an actor, prints its result",
       "Each argument is JSON; a text therefore has quotes of its own: '\"like this\"'.",
       {},
       call_method},
      {"resources", "[NODE]", 0, 1, "lists the resources of a node with their last state", "", {}, list_resources},
      {"converge",
       "",
       0,
       0,
       "runs over this node's own resources once",
       "It may take an hour, or --timeout.",
       {"why-run"},
       converge_resources},
      {"updated",
       "RESOURCE ACTION",
       2,
       2,
       "says that a resource of this node was updated by an action",
       "Its notifications are sent, as if flockd had updated it.",
       {},
       tell_updated},
      {"notify",
       "RESOURCE ACTION LOCATION",
       2,
       2,
       "asks nodes for an action of a resource",
       "Prints a line for each node. With --wait completed as each of them ends, for five minutes or --timeout.\n"
       "With --on it is sent when the run that is under way on this node has ended, if it ends so.",
       {"node", "role", "recipe", "environment", "query", "any", "all-of", "wait", "on"},
       notify_resource},
      {"notifications", "", 0, 0, "lists notifications, the newest first", "", {"state", "node"}, list_notifications},
      {"notification show", "ID", 1, 1, "shows all that is known of a notification", "", {}, show_notification},
      {"notification cancel",
       "ID",
       1,
       1,
       "takes back a notification that was not sent yet",
       "One that may be on its way, or that has ended, cannot be cancelled.",
       {},
       cancel_notification},
      {"notification retry",
       "ID",
       1,
       1,
       "sends a notification that failed once more, under a new id",
       "It must be one of this node that has failed, expired, was cancelled, or is unknown, which may have been done.",
       {},
       retry_notification},
      {"subscriptions",
       "[NODE]",
       0,
       1,
       "lists the subscriptions of a node, by default of this one",
       "",
       {},
       list_subscriptions},
      {"events",
       "",
       0,
       0,
       "shows what happened on and to this node",
       "With --follow also what happens from now on, until --timeout if it is given.",
       {"follow", "since"},
       show_events},
      {"reload", "", 0, 0, "reads resource files, policy, attributes and certificates again", "", {}, reload_files},
  };
  return all;
}

const std::vector<option>& options() {
  static const std::vector<option> all = {
      {"socket", "PATH", "the control socket (FLOCK_SOCKET; /run/flock/flockd.sock)"},
      {"format", "table|json", "tables, or a line of JSON for each thing; default: table on a terminal"},
      {"timeout", "D", "how long to wait, as 250ms, 5s or 2m; default: 5s"},
      {"help", "", "shows help"},
      {"version", "", "shows the version"},
      {"node", "ID", "the node with this id; may repeat, for one of several", true},
      {"role", "R", "nodes with this role; may repeat, for all of several", true},
      {"recipe", "R", "nodes with this recipe; may repeat, for all of several", true},
      {"environment", "E", "nodes of this environment"},
      {"query", "Q", "nodes that match, in Chef search syntax"},
      {"any", "", "one of the nodes that match"},
      {"all-of", "", "all nodes that match: the default"},
      {"count", "N", "how often; default: 1"},
      {"why-run", "", "says what would be done, and does nothing"},
      {"wait", "accepted|completed", "until the nodes have it, the default, or until the action has ended"},
      {"on", "always|success|failure", "when the run under way has ended, if it ends so; without it, at once"},
      {"state", "queued|accepted|started|succeeded|failed|expired|cancelled|unknown", "only those in this state"},
      {"follow", "", "goes on with later events"},
      {"since", "CURSOR", "only events after this one"},
  };
  return all;
}

const std::vector<std::string_view>& common_options() {
  static const std::vector<std::string_view> common = {"socket", "format", "timeout", "help"};
  return common;
}

}  // namespace flock::ctl
