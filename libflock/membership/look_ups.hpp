#pragma once

#include "libflock/membership/directory.hpp"
#include "libflock/membership/membership.hpp"
#include "libflock/seams/runtime.hpp"
#include "libflock/words/location.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/node_info.hpp>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace flock {

/// Whoever asks for nodes that this one may not know yet waits here: until the registry has told of them, or has said
/// that there are none of that name. Lives in one mailbox, which is closed before this goes.
class look_ups {
 public:
  look_ups(std::shared_ptr<mailbox> home, const clock& time, const directory& nodes, membership& registry);

  /// Answers once, when every node that the location may mean is known as well as it can be by then. A node that was
  /// here once is known though it is away.
  /// Errors: not_found (a node that it names is not there), unreachable (nothing is known by then, and the registry
  /// cannot be asked)
  using known = std::function<void(result<void>)>;
  void look_up(const location& where, time_point until, known done);

  /// The nodes of a location, looked up. Or all of them: without the registry at once those that are known, this one at
  /// least.
  /// Errors: those of look_up() and of directory::select
  using nodes_known = std::function<void(result<std::vector<node_info>>)>;
  void nodes(const std::optional<location>& where, time_point until, nodes_known done);

  /// Whether the registry was asked and does not know it. Its lists tell of those that are not watched one by one.
  bool is_absent(const node_id& node) const;

  // What the registry said, and the directory has heard before.
  void listed(const node_id& node);
  void unlisted(const node_id& node);
  void described(const node_id& node);
  /// Its lists were read, or its session is another one.
  void registry_changed() { look_again(); }

  /// Answers all who wait with `why`.
  void close(const error& why);

 private:
  struct request {
    location where;
    time_point until;
    known done;
  };

  void want(const location& where);
  std::optional<result<void>> answer_to(const request& r) const;
  std::optional<result<void>> answer_from_lists(bool in_time) const;
  std::optional<result<void>> answer_for(const node_id& node, bool in_time) const;
  std::vector<node_info> all() const;
  result<std::vector<node_info>> selected(const location& where) const;
  void look_again();

  const std::shared_ptr<mailbox> home_;
  const clock& time_;
  const directory& nodes_;
  membership& registry_;
  std::list<request> waiting_;   // in the order in which they came
  std::set<node_id> absent_;     // asked for one by one, and not there
  std::set<node_id> described_;  // were here once: they may be told things though they are away
};

}  // namespace flock
