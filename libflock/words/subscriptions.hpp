#pragma once

#include "libflock/values/invariant.hpp"
#include "libflock/words/location.hpp"
#include "libflock/words/notification.hpp"
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>
#include <flock/value_cast.hpp>

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace flock {

/// A standing wish of this node: when that resource over there is updated, perform this action here.
struct subscription {
  std::string id;         ///< stable over restarts: a hash of the members below, 16 hexadecimal digits
  resource_name watched;  ///< on the publisher
  location publishers;
  resource_name resource;  ///< ours
  std::string action;      ///< of ours
  timing when = timing::delayed;

  static subscription make(resource_name watched, location publishers, resource_name resource, std::string action,
                           timing when);
  /// JSON form: {"id","watched","publishers","resource","action","timing"}.
  value to_value() const;

  friend bool operator==(const subscription&, const subscription&) = default;
};

/// What a publisher is told: a subscription without the location, as it is one of the publishers.
/// Sent form: a map of its members. Stored by the publisher, as a list for each subscriber, under s/<subscriber>.
struct wish {
  std::string id;
  resource_name watched;
  resource_name resource;
  std::string action;
  timing when = timing::delayed;

  value to_value() const;
  /// Errors: bad_argument
  static result<wish> from_value(const value& v);

  friend bool operator==(const wish&, const wish&) = default;
};

template <> struct value_traits<wish> {
  static value to(const wish& w) { return w.to_value(); }
  static result<wish> from(const value& v) { return wish::from_value(v); }
  static std::string name() { return "map"; }
};

/// The publisher's side: who wants to hear of which resource. Pure. Level-triggered: a subscriber sends all its wishes
/// for this publisher at once, and what it no longer wishes is gone.
///
/// Holds: by_resource_ has the place of each wish, under the resource that it watches, and nothing else; nobody stands
/// here with no wish, or with more than wishes_per_node.
class subscription_table {
 public:
  struct limits {
    std::size_t wishes_per_node = 10'000;
  };

  explicit subscription_table(limits l) : limits_(l) {}

  /// \returns whether anything changed. Errors: refused (too many)
  result<bool> replace(const node_id& subscriber, std::vector<wish> wishes);
  void forget(const node_id& subscriber);
  bool knows(const node_id& subscriber) const { return by_node_.contains(subscriber); }

  struct match {
    node_id subscriber;
    wish what;

    friend bool operator==(const match&, const match&) = default;
  };
  /// Who wants to hear that this resource was updated; by subscriber, then in the order of their wishes.
  std::vector<match> matching(const resource_name& updated) const;

  std::vector<match> all() const;

  broken check() const;

 private:
  limits limits_;
  std::map<node_id, std::vector<wish>> by_node_;
  using place = std::pair<node_id, std::size_t>;  // in by_node_
  std::map<resource_name, std::set<place>> by_resource_;
};

}  // namespace flock
