#pragma once

#include <flock/error.hpp>
#include <flock/location.hpp>
#include <flock/name.hpp>
#include <flock/notification.hpp>
#include <flock/value.hpp>

#include <map>
#include <string>
#include <vector>

namespace flock {

/// A standing wish of this node: when that resource over there is updated, perform this action here.
struct subscription {
  std::string id;         ///< stable over restarts: made of the members below
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

/// The publisher's side: who wants to hear of which resource. Pure. Level-triggered: a subscriber sends all its wishes
/// for this publisher at once, and what it no longer wishes is gone.
class subscription_table {
 public:
  struct limits {
    std::size_t wishes_per_node = 10'000;
  };

  explicit subscription_table(limits l) : limits_(l) {}

  /// \returns whether anything changed. Errors: refused (too many)
  result<bool> replace(const node_id& subscriber, std::vector<wish> wishes);
  void forget(const node_id& subscriber);

  struct match {
    node_id subscriber;
    wish what;
  };
  /// Who wants to hear that this resource was updated; by subscriber, then in the order of their wishes.
  std::vector<match> matching(const resource_name& updated) const;

  std::vector<match> all() const;

 private:
  limits limits_;
  std::map<node_id, std::vector<wish>> by_node_;
  std::multimap<std::string, std::pair<node_id, std::size_t>> by_resource_;  // "type[name]" -> place in by_node_
};

}  // namespace flock
