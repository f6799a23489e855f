#include "tools/flockctl/actor_command.hpp"
#include "tools/flockctl/command.hpp"

#include <algorithm>

namespace flock::ctl {

namespace {

constexpr operand a_node{"NODE", kind::node};
constexpr operand maybe_node{"NODE", kind::node, count::at_most_one};
constexpr operand a_notification{"ID", kind::notification};

const std::vector<std::string_view>& location_options() {
  static const std::vector<std::string_view> all = {"node", "role", "recipe", "environment", "query", "any", "all-of"};
  return all;
}

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

// An entry is all that usage, help, completion and the manual page know of a command.
const std::vector<command>& commands() {
  static const std::vector<command> all = {
      {.name = "status",
       .does = "shows this node",
       .more = "Its id, incarnation, version and address, the state of its registry session, its run, how many "
               "notifications are in each state, what waits for which node and since when, its peers, and the last "
               "warnings and errors of its log.",
       .run = show_status},
      {.name = "nodes",
       .where = "[LOCATION]",
       .does = "lists the nodes of a location, all without one",
       .more = "The state of a node is alive, suspect, dead or left.",
       .examples = {"flockctl nodes --role web"},
       .run = list_nodes},
      {.name = "node show",
       .operands = {{"ID", kind::node}},
       .does = "shows all that is known of a node",
       .more = "Its attributes included.",
       .run = show_node},
      {.name = "info",
       .operands = {maybe_node},
       .where = "[LOCATION]",
       .does = "shows what a node is and what it runs on",
       .more = "Its addresses and attributes, operating system, processors, load, memory, disk of the state folder, "
               "uptimes, and versions of Flock and of its libraries; by default of this node. For a location, a line "
               "for each node.",
       .examples = {"flockctl info bender1", "flockctl info --role web --format json"},
       .run = ask_actor({.actor = "info",
                         .method = "summary",
                         .columns = {{"DISTRIBUTION", "distribution"},
                                     {"KERNEL", "kernel"},
                                     {"CPUS", "cpus"},
                                     {"LOAD", "load"},
                                     {"FREE MEMORY", "memory.available", unit::bytes},
                                     {"FREE DISK", "disk.available", unit::bytes},
                                     {"UP", "uptime", unit::seconds},
                                     {"FLOCKD UP", "flockd_uptime", unit::seconds},
                                     {"FLOCK", "versions.Flock"}},
                         .leading = {"id", "addresses", "environment", "roles", "recipes", "tags"}})},
      {.name = "actors",
       .operands = {maybe_node},
       .does = "lists the actors of a node, by default of this one",
       .more = "With their methods.",
       .run = list_actors},
      {.name = "ping",
       .operands = {a_node},
       .does = "measures round trips through the actor system of a node",
       .more = "In microseconds.",
       .options = {"count"},
       .examples = {"flockctl ping bender1 --count 5"},
       .run = ping_node},
      {.name = "call",
       .operands = {{"NODE/ACTOR", kind::actor}, {"METHOD", kind::method}, {"JSON", kind::text, count::any}},
       .does = "calls a method of an actor, prints its result",
       .more = "Each argument is JSON; a text therefore has quotes of its own: '\"like this\"'.\n"
               "An action of a resource that was performed and failed is a result too, and the exit status is 1.",
       .examples = {"flockctl call springfield/itchy fight 1"},
       .run = call_method},
      {.name = "resources",
       .operands = {maybe_node},
       .does = "lists the resources of a node with their last state",
       .more = "With their actions; by default those of this node.",
       .run = list_resources},
      {.name = "converge",
       .does = "runs over this node's own resources once",
       .more = "In the order of their files. It may take an hour, or --timeout.\n"
               "With --why-run nothing is done or sent, and what would be done is told.",
       .options = {"why-run"},
       .run = converge_resources},
      {.name = "updated",
       .operands = {{"RESOURCE", kind::resource}, {"ACTION", kind::action}},
       .does = "says that a resource of this node was updated by an action",
       .more = "On behalf of a shell script or another tool. Its notifications are sent, as if flockd had updated it.",
       .run = tell_updated},
      {.name = "notify",
       .operands = {{"RESOURCE", kind::resource_there}, {"ACTION", kind::action}},
       .where = "LOCATION",
       .does = "asks nodes for an action of a resource",
       .more = "Prints a line for each node, and waits until each has accepted it, or until the action has ended; the "
               "latter for up to five minutes, unless --timeout says otherwise, and each line is printed when it "
               "has. A restart of flockd meanwhile is waited out; an interrupt (Ctrl-C) ends the wait, not the "
               "action. A notification that is still queued then stays so, and is sent when its node can be reached.\n"
               "With --on it is sent when the run that is under way on this node has ended, if it ends so: the run "
               "that FLOCK_RUN names if that is set, as it is for commands that flockd executes in a run. Without "
               "such a run nothing is sent, and the exit status is 1.",
       .options = {"wait", "on"},
       .examples = {"flockctl notify 'execute[kill all humans]' run --node bender1 --wait completed",
                    "flockctl notify 'service[nginx]' reload --role web --environment production"},
       .run = notify_resource},
      {.name = "notifications",
       .does = "lists notifications, the newest first",
       .more = "Those that this node sent or received, and their states: queued, accepted, started, then one of "
               "succeeded, failed, expired, cancelled, unknown. --node selects those with this target.",
       .options = {"state", "node"},
       .run = list_notifications},
      {.name = "notification show",
       .operands = {a_notification},
       .does = "shows all that is known of a notification",
       .more = "Its causes, the time of each state, attempts, whether it was delivered again after a crash, exit "
               "status and the end of the output.",
       .run = show_notification},
      {.name = "notification cancel",
       .operands = {{"ID", kind::waiting_notification}},
       .does = "takes back a notification that was not sent yet",
       .more = "Once more does no harm. One that may be on its way, or that has ended, cannot be cancelled; the exit "
               "status is then 1.",
       .run = cancel_notification},
      {.name = "notification retry",
       .operands = {a_notification},
       .does = "sends a notification that failed once more, under a new id",
       .more = "It must be one of this node that has failed, expired, was cancelled, or is unknown, which may have "
               "been done and is then done twice. The new one has a fresh time to live, and is printed. One that "
               "succeeded, has not ended, or is being tried again is refused with status 1.",
       .run = retry_notification},
      {.name = "subscriptions",
       .operands = {maybe_node},
       .does = "lists the subscriptions of a node, by default of this one",
       .run = list_subscriptions},
      {.name = "events",
       .does = "shows what happened on and to this node",
       .more = "With --follow also what happens from now on, over restarts of flockd, until --timeout if it is given.",
       .options = {"follow", "since"},
       .examples = {"flockctl events --follow --format json"},
       .run = show_events},
      {.name = "run-chef",
       .where = "LOCATION",
       .does = "asks nodes for a Chef run",
       .more = "One for all who ask while another is under way. Prints a line for each node as its run ends, and on a "
               "terminal shows meanwhile how each of them goes. With --wait until they have ended, for an hour or "
               "--timeout. With --splay each starts at a random time within D; with --batch so many nodes, or such a "
               "part of them, run at once: the next ones begin when these have ended well, and are not asked "
               "otherwise. An interrupt (Ctrl-C) ends the wait, not the runs.",
       .options = {"wait", "splay", "batch"},
       .examples = {"flockctl run-chef --role web --batch 25%"},
       .run = run_chef},
      {.name = "wait",
       .operands = {{"CONDITION", kind::condition, count::at_least_one}},
       .does = "waits until all conditions hold, for five minutes or --timeout",
       .more = "A CONDITION is NODE=alive (or suspect, dead, left), NODE/run=idle (or active, for its Chef runs), or "
               "NODE/RESOURCE=updated (or up_to_date, skipped, failed: how the last action of the resource ended; "
               "idle, running). What is not there, or out of reach, is waited for.",
       .examples = {"flockctl wait db1=alive 'db1/service[postgresql]=up_to_date'"},
       .run = wait_for},
      {.name = "reload",
       .does = "reads resource files, policy, attributes and certificates again",
       .more = "Work in hand goes on.",
       .run = reload_files},
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
      {.name = "wait",
       .value = "accepted|completed",
       .does = "until the nodes have it, the default, or until it has ended: --wait alone",
       .alone = "completed"},
      {"splay", "D", "within which they start, each at a random time"},
      {"batch", "N", "so many nodes at once, or such a part of them: 25%"},
      {"on", "always|success|failure", "when the run under way has ended, if it ends so; without it, at once"},
      {.name = "state",
       .value = "queued|accepted|started|succeeded|failed|expired|cancelled|unknown",
       .does = "only those in this state",
       .shown = "STATE"},
      {"follow", "", "goes on with later events"},
      {"since", "CURSOR", "only events after this one"},
  };
  return all;
}

const std::vector<std::string_view>& common_options() {
  static const std::vector<std::string_view> common = {"socket", "format", "timeout", "help"};
  return common;
}

const option* find_option(std::string_view name) {
  const auto at = std::find_if(options().begin(), options().end(), [&](const option& o) { return o.name == name; });
  return at == options().end() ? nullptr : &*at;
}

const command* find_command(std::string_view name) {
  const auto at = std::find_if(commands().begin(), commands().end(), [&](const command& c) { return c.name == name; });
  return at == commands().end() ? nullptr : &*at;
}

// What follows from an entry.

std::string command::usage() const {
  std::string text(name);
  for (const auto& o : operands) {
    const auto shown = std::string(o.name) + (o.times == count::at_least_one || o.times == count::any ? "..." : "");
    const bool may_be_missing = o.times == count::at_most_one || o.times == count::any;
    text.append(" ").append(may_be_missing ? "[" + shown + "]" : shown);
  }
  return where.empty() ? text : text + " " + std::string(where);
}

std::size_t command::least() const {
  return static_cast<std::size_t>(std::count_if(operands.begin(), operands.end(), [](const operand& o) {
    return o.times == count::one || o.times == count::at_least_one;
  }));
}

std::size_t command::most() const {
  const bool repeats = !operands.empty() && operands.back().times >= count::at_least_one;
  return repeats ? any_number : operands.size();
}

bool command::takes(std::string_view option) const {
  return contains(options, option) || contains(common_options(), option) ||
         (!where.empty() && contains(location_options(), option));
}

std::vector<const option*> command::own_options() const {
  std::vector<const option*> own;
  for (const auto& o : ctl::options())
    if (takes(o.name) && !contains(common_options(), o.name)) own.push_back(&o);
  return own;
}

}  // namespace flock::ctl
