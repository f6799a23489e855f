#pragma once

#include "tools/flockctl/arguments.hpp"
#include "tools/flockctl/console.hpp"
#include "tools/flockctl/exit_code.hpp"
#include "tools/flockctl/local_flockd.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flock::ctl {

/// What a command works with.
struct invocation {
  const arguments& words;
  console& out;
  const local_flockd& flockd;
  const clock& time;
  const std::function<void(milliseconds)>& sleep;
  std::optional<milliseconds> timeout;  ///< as given
  std::string run;                      ///< of flockd, in which flockctl was called: FLOCK_RUN; empty if in none

  const std::string& operand(std::size_t i) const { return words.operands[i]; }

  /// The first operand, if there is one, as the node that is asked about.
  parameters node_operand() const {
    return words.operands.empty() ? parameters() : parameters{{"node", words.operands.front()}};
  }

  /// How long the daemon may take, for its own deadline.
  milliseconds patience(milliseconds otherwise = milliseconds(5'000)) const { return timeout.value_or(otherwise); }
  /// When to stop waiting for the daemon: late enough for it to say what has become of things by its deadline.
  time_point deadline(milliseconds otherwise = milliseconds(5'000)) const {
    return time.now() + patience(otherwise) + milliseconds(1'000);
  }
};

/// What a word of a command line stands for: completion asks the flockd for those that there are.
enum class kind : std::uint8_t {
  text,  ///< nobody knows them
  command,
  node,
  actor,           ///< NODE/ACTOR
  method,          ///< of the actor before it
  resource,        ///< of this node
  resource_there,  ///< of the nodes of the location, or of any
  action,          ///< of the resource before it
  role,
  recipe,
  environment,
  notification,
  waiting_notification,  ///< one that was not sent yet
  condition,             ///< of `wait`
  file,
};

enum class count : std::uint8_t { one, at_most_one, at_least_one, any };

struct operand {
  std::string_view name;  ///< as in the usage: "NODE"
  kind is = kind::text;
  count times = count::one;
};

/// What a command means: all that usage, help, completion and the manual page say of it is made from this.
struct command {
  std::string_view name;  ///< one word or two: "node show"
  std::vector<operand> operands{};
  std::string_view where{};  ///< "LOCATION" or "[LOCATION]" if it takes the options of one
  std::string_view does;     ///< in one line
  std::string_view more{};   ///< for its own help and the manual page: further sentences, paragraphs apart by a newline
  std::vector<std::string_view> options{};  ///< beside those of a location
  std::vector<std::string_view> examples{};
  std::function<result<exit_code>(const invocation&)> run;

  /// "notify RESOURCE ACTION LOCATION"
  std::string usage() const;
  std::size_t least() const;  ///< operands
  std::size_t most() const;
  bool takes(std::string_view option) const;
  /// All its options, but for those that every command takes, in the order of options().
  std::vector<const option*> own_options() const;
};

/// All commands, in the order in which help lists them.
const std::vector<command>& commands();
/// All options of commands and of flockctl itself.
const std::vector<option>& options();
/// Those that every command takes.
const std::vector<std::string_view>& common_options();
const option* find_option(std::string_view name);
/// The command of these words, exactly; null if there is none.
const command* find_command(std::string_view name);

inline constexpr std::size_t any_number = static_cast<std::size_t>(-1);

result<exit_code> show_status(const invocation&);
result<exit_code> list_nodes(const invocation&);
result<exit_code> show_node(const invocation&);
result<exit_code> list_actors(const invocation&);
result<exit_code> ping_node(const invocation&);
result<exit_code> call_method(const invocation&);
result<exit_code> list_resources(const invocation&);
result<exit_code> converge_resources(const invocation&);
result<exit_code> tell_updated(const invocation&);
result<exit_code> notify_resource(const invocation&);
result<exit_code> list_notifications(const invocation&);
result<exit_code> show_notification(const invocation&);
result<exit_code> cancel_notification(const invocation&);
result<exit_code> retry_notification(const invocation&);
result<exit_code> list_subscriptions(const invocation&);
result<exit_code> show_events(const invocation&);
result<exit_code> reload_files(const invocation&);
result<exit_code> run_chef(const invocation&);
result<exit_code> wait_for(const invocation&);

}  // namespace flock::ctl
