#include "libflock/core/node_core.hpp"

#include <algorithm>

// What the parts of a node ask of it, and tell it.

namespace flock {

actor_host::listener node_core::listener_to_actors() {
  return {.published =
              [this](const actor_name& name) {
                post([this, name] {
                  membership_.publish(name);
                  add_event("published", {{"actor", name.str()}});
                });
              },
          .unpublished =
              [this](const actor_name& name) {
                post([this, name] {
                  membership_.unpublish(name);
                  add_event("unpublished", {{"actor", name.str()}});
                  watches_.unpublished(name);
                });
              },
          .restarted =
              [this](const actor_name& name, const error& why) {
                post([this, name, why] {
                  add_event("restarted", {{"actor", name.str()}, {"error", why.what}});
                  log("warning", "actor " + name.str() + " was made anew: " + why.what);
                });
              }};
}

finder::host node_core::host_of_finder() {
  return {.await =
              [this](const node_id& node, const actor_name& name, time_point until,
                     std::function<void(result<bool>)> done) {
                ask_node(node, "await", {name.str()}, until, at_home([done](const result<value>& answer) {
                           done(answer ? from_value<bool>(*answer) : result<bool>(answer.error()));
                         }));
              },
          .at = [this](time_point when, std::function<void()> f) { home_->post_at(when, std::move(f)); },
          .is_here = [this](const actor_name& name) { return actors_.has(name); }};
}

watches::host node_core::host_of_watches() {
  return {.ask_until_gone =
              [this](const node_id& node, const actor_name& name, responder gone) {
                ask_node(node, "until_gone", {name.str()}, actor_host::no_deadline, at_home(std::move(gone)));
              },
          .is_here = [this](const actor_name& name) { return actors_.has(name); }};
}

notifier::host node_core::host_of_notifier() {
  return {
      .look_up =
          [this](const location& where, time_point until, std::function<void(result<void>)> done) {
            look_ups_.look_up(where, std::min(until, now() + options_.call_timeout), std::move(done));
          },
      .submit = [this](notification n,
                       std::function<void(result<void>)> taken) { courier_.submit(std::move(n), std::move(taken)); },
      .tell_wishes =
          [this](const node_id& publisher, std::vector<wish> wishes, std::function<void(result<void>)> told) {
            ask_node(publisher, "wishes", {to_value(wishes)}, now() + options_.call_timeout,
                     at_home([told](const result<value>& answer) { told(answer ? result<void>() : answer.error()); }));
          },
      .want_connection = [this](const node_id& id) { links_.want(id); },
      .is_connected = [this](const node_id& id) { return links_.peer(id) != nullptr; },
      .watch =
          [this](const location& where) {
            if (!where.only_names()) membership_.want_all();
            for (const auto& id : where.nodes) membership_.want_node(id);
          },
      .retry_soon = [this](std::function<void()> f) { home_->post_at(now() + tick_every, std::move(f)); },
      .at = [this](time_point when, std::function<void()> f) { home_->post_at(when, std::move(f)); }};
}

wish_keeper::host node_core::host_of_wishes() {
  return {.ask_wishes =
              [this](const node_id& subscriber, std::function<void(result<std::vector<wish>>)> told) {
                ask_node(subscriber, "wished", {}, now() + options_.call_timeout,
                         at_home([told](const result<value>& answer) {
                           told(answer ? from_value<std::vector<wish>>(*answer) : answer.error());
                         }));
              },
          .is_connected = [this](const node_id& id) { return links_.peer(id) != nullptr; },
          .retry_soon = [this](std::function<void()> f) { home_->post_at(now() + tick_every, std::move(f)); },
          .warn = [this](const std::string& what) { log("warning", what); }};
}

}  // namespace flock
