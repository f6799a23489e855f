#pragma once

#include "libflock/values/invariant.hpp"
#include "libflock/words/location.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/node_info.hpp>

#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace flock {

/// What happened to a node: for events, monitors and waiting deliveries. From alive to alive: in a new life.
struct node_change {
  node_id id;
  std::optional<node_state> before;  ///< nothing: it was not known
  node_state now;
  incarnation life;

  friend bool operator==(const node_change&, const node_change&) = default;
};

/// Everything this node believes about the others. Pure: it is told what the registry says, what the transport sees,
/// and the time; it answers with the changes, each of them once.
///
/// The registry and the transport are witnesses of each other:
/// - A connected node is alive, whatever the registry says.
/// - A life that was connected, lost its connection, and at whose address nobody listens any more, is dead at once: its
///   process is gone, and the registry, which may still list it, learns it a session time-out later.
/// - A node whose connection broke, or that does not answer or refuses when it is dialled for the first time, is
///   suspect. It is dead after `suspicion`, unless the registry vouches for it: then it stays suspect.
/// - A node that was never connected is judged by the registry alone: listed is alive; no longer listed is suspect, as
///   its session may come back, and dead after `suspicion`.
/// - While the registry is unreachable nobody dies of its silence: what it lists stays listed, and whom it vouched for
///   when it fell silent stays suspect. It does not vouch for those who become suspect afterwards. Who is suspect only
///   because it is no longer listed has its whole suspicion before it when the registry is back.
/// - A goodbye means left, whatever the registry still lists.
/// - Dead and left ones come back when they connect. A dead one also does when the registry lists it anew, after it did
///   not; that it goes on listing it says nothing.
///
/// A node has one life at a time. Another one takes over when it connects, or when the registry lists it and it started
/// later or was listed after the present one; that is a change too. Late words about a life that was replaced change
/// nothing. When the present life ends, another one that is connected or listed follows.
///
/// This node itself is alive from the first word about it on; only another life of it counts.
///
/// Of each entry holds, at the end of each call:
/// - it is dead or left just when `ended` says since when; suspect if `suspected` does, or, with no bad word of the
///   transport's, until the next tick(), when its suspicion begins
/// - connected, its present life is alive, has been met, and its last word is no bad one; no connection stands twice
/// - only what is listed is vouched for
/// And nothing waits in described_ for a node that is known.
class directory {
 public:
  struct options {
    milliseconds suspicion{3000};      ///< from suspect to dead without a word from either witness
    milliseconds keep{24 * 3600'000};  ///< dead and left nodes are forgotten after this long
  };

  directory(node_id self, options o) : self_(std::move(self)), options_(o) {}

  using changes = std::vector<node_change>;

  // What the registry says. It is taken for unreachable until registry_reachable(true).
  changes listed(const node_id& id, const node_life& life, time_point now, wall_time wall);
  changes unlisted(const node_id& id, time_point now, wall_time wall);
  /// Also before the node is known; forgotten with it.
  void described(const node_id& id, node_attributes about);
  void registry_reachable(bool yes);

  // What the transport sees.
  /// \param life  its start may be left out: then the registry's word decides whether another life is older
  changes connected(const node_id& id, const node_life& life, time_point now, wall_time wall);
  changes disconnected(const node_id& id, const incarnation& life, time_point now, wall_time wall);
  /// \param refused  nobody listens there: its process is gone. Not that it rejected this node
  changes dial_failed(const node_id& id, bool refused, time_point now, wall_time wall);
  changes said_goodbye(const node_id& id, const incarnation& life, time_point now, wall_time wall);

  /// Lets time pass: suspects die, the forgotten go.
  changes tick(time_point now, wall_time wall);
  /// When tick() has something to do next.
  std::optional<time_point> next_tick() const;

  const node_info* find(const node_id& id) const;
  bool is_connected(const node_id& id) const;
  /// Dead ones whose life the registry still lists: they may live, if the registry could not vouch for them when they
  /// became suspect, or if somebody between here and there refused a connection in their name.
  std::vector<node_id> listed_dead() const;
  std::vector<const node_info*> all() const;
  std::size_t size() const { return nodes_.size(); }

  /// The nodes that a location means, in the order of their ids: alive and suspect ones that match all of it. A
  /// location of names alone means those, whatever is known of them. With `any`, one of them: this node if it is among
  /// them, else an alive one before a suspect one.
  ///
  /// Errors: not_found (nobody matches; the text says what), bad_argument (an empty location, or its query)
  result<std::vector<node_id>> select(const location& where) const;

  broken check() const;

 private:
  struct entry {
    node_info info;
    std::optional<node_life> listed;     // what the registry lists, which may be another life than info's
    std::vector<node_life> connections;  // lives with an open connection: hardly ever two
    std::vector<incarnation> replaced;   // lives that are over for sure, the latest last
    bool met = false;                    // this life has been connected
    bool broken = false;                 // the last word of the transport about this life was a bad one
    bool vouched = false;                // the registry's word while suspect, see above
    std::optional<time_point> suspected;
    std::optional<time_point> ended;

    bool is_listed() const { return listed && listed->life == info.life.life; }
    bool is_connected() const;
    bool was_replaced(const node_life& other) const;
    bool is_followed_by(const node_life& other, const std::optional<node_life>& before) const;
    void forget_connection(const incarnation& life);
    void replace(const incarnation& life);
    void follow(const node_life& other);
    void live(const node_life& other);
    void take_over();
    void end(node_state how, time_point now);
    flock::broken check() const;
  };

  template <class Event> changes change(entry& e, time_point now, wall_time wall, Event happens);
  template <class Event>
  changes meet(const node_id& id, const node_life& life, time_point now, wall_time wall, Event happens);
  entry* find_other(const node_id& id);
  void judge(entry& e, bool refused, time_point now) const;
  std::optional<time_point> due(const entry& e) const;

  node_id self_;
  options options_;
  bool registry_reachable_ = false;
  std::map<node_id, entry> nodes_;
  std::map<node_id, node_attributes> described_;  // of nodes that are not known yet
};

}  // namespace flock
