#pragma once

#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/location.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flock {

/// What is believed of a node. Sent and JSON form: the enumerator's name.
enum class node_state : std::uint8_t {
  alive = 1,  ///< in the registry, or connected
  suspect,    ///< its connection broke or it fell silent; one witness still vouches for it
  dead,       ///< no witness is left
  left,       ///< it said goodbye
};

inline constexpr node_state last_node_state = node_state::left;

std::string_view to_string(node_state s);
std::optional<node_state> node_state_from(std::string_view name);

/// What a node publishes of itself in the registry, apart from its life. Stored: JSON, see docs/registry_tree.md.
struct node_attributes {
  std::string environment;
  std::vector<std::string> roles;
  std::vector<std::string> recipes;
  std::vector<std::string> tags;
  value attributes = value::map{};

  value to_value() const;
  /// Errors: bad_argument
  static result<node_attributes> from_value(const value& v);

  friend bool operator==(const node_attributes&, const node_attributes&) = default;
};

/// One life of a node, as its ephemeral entry in the registry says.
struct node_life {
  incarnation life;
  std::string address;  ///< "host:port"
  std::string version;
  wall_time started{};

  value to_value() const;
  /// Errors: bad_argument
  static result<node_life> from_value(const value& v);

  friend bool operator==(const node_life&, const node_life&) = default;
};

struct node_info {
  node_id id;
  node_life life;
  node_state state = node_state::alive;
  wall_time since{};  ///< in this state
  node_attributes about;

  /// The shape of `flockctl nodes` in docs/contract.
  value to_value() const;
  /// What a query looks at: the attributes with name, role, recipe, chef_environment, tags merged in.
  value document() const;
};

/// What happened to a node: for events, monitors and waiting deliveries.
struct node_change {
  node_id id;
  std::optional<node_state> before;  ///< nothing: it was not known
  node_state now;
  incarnation life;
};

/// Everything this node believes about the others. Pure: it is told what the registry says (listed, gone), what the
/// transport sees (connected, silent, lost, refused, goodbye), and the time; it answers with the changes.
///
/// The two are witnesses of each other. A node is dead when its connection is gone, a new one is refused or unanswered
/// for `suspicion`, and the registry does not vouch for it; while one of them vouches, it is suspect at worst. A node
/// that this one has no connection with is judged by the registry alone. What the registry says counts only while the
/// registry is reachable: with it gone, nobody dies of it.
class directory {
 public:
  struct options {
    milliseconds suspicion{3000};      ///< from suspect to dead without a word from either witness
    milliseconds keep{24 * 3600'000};  ///< dead and left nodes are forgotten after this long
  };

  directory(node_id self, options o);

  using changes = std::vector<node_change>;

  // What the registry says.
  changes listed(const node_id& id, const node_life& life, time_point now, wall_time wall);
  changes unlisted(const node_id& id, time_point now, wall_time wall);
  /// A whole list of the nodes in one bucket or in all of them: those of `among` that are not in it are unlisted.
  void described(const node_id& id, node_attributes about);
  void registry_reachable(bool yes);

  // What the transport sees.
  changes connected(const node_id& id, const node_life& life, time_point now, wall_time wall);
  /// \param refused  nobody listens at its address any more: its process is gone
  changes disconnected(const node_id& id, const incarnation& life, bool refused, time_point now, wall_time wall);
  changes dial_failed(const node_id& id, bool refused, time_point now, wall_time wall);
  changes said_goodbye(const node_id& id, const incarnation& life, wall_time wall);

  /// Lets time pass: suspects die, the forgotten go.
  changes tick(time_point now, wall_time wall);
  /// When tick() has something to do next.
  std::optional<time_point> next_tick() const;

  const node_info* find(const node_id& id) const;
  bool is_connected(const node_id& id) const;
  std::vector<const node_info*> all() const;
  std::size_t size() const { return nodes_.size(); }

  /// The nodes that a location means, in the order of their ids: alive and suspect ones, and named ones always. With
  /// `any`, one of them: this node if it is among them, else an alive one before a suspect one.
  /// Errors: not_found (nobody matches; the text says of what), bad_argument (an empty location)
  result<std::vector<node_id>> select(const location& where) const;

 private:
  struct entry {
    node_info info;
    bool in_registry = false;
    bool connected = false;
    std::optional<time_point> suspected;  ///< since when, if suspect
    std::optional<time_point> ended;      ///< since when, if dead or left
  };

  changes move(entry& e, node_state to, wall_time wall);

  node_id self_;
  options options_;
  bool registry_reachable_ = false;
  std::map<node_id, entry> nodes_;
};

}  // namespace flock
