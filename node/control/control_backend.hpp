#pragma once

#include "libflock/delivery/event_log.hpp"
#include "libflock/words/location.hpp"
#include "libflock/words/notification.hpp"
#include "libflock/words/run.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/name.hpp>
#include <flock/value.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flock {

/// What the control API asks of the daemon. Every call answers exactly once, by its deadline where it has one, on any
/// thread, at once or later. Answers are values in the shapes of docs/control_api.md.
class control_backend {
 public:
  using answer = std::function<void(result<value>)>;

  virtual ~control_backend() = default;

  virtual void status(answer done) = 0;
  /// All nodes, or those of a location. Errors: not_found (none matches)
  virtual void nodes(std::optional<location> where, time_point until, answer done) = 0;
  virtual void node(const node_id& id, time_point until, answer done) = 0;
  virtual void ping(const node_id& id, time_point until, answer done) = 0;
  /// Without a node: of this one.
  virtual void actors(std::optional<node_id> of, time_point until, answer done) = 0;
  virtual void resources(std::optional<node_id> of, time_point until, answer done) = 0;
  virtual void subscriptions(std::optional<node_id> of, time_point until, answer done) = 0;
  virtual void call(const address& to, std::string method, value::list arguments, time_point until, answer done) = 0;

  enum class wait_for : std::uint8_t { queued, accepted, completed };
  /// Asks for an action on each node of its location: a list with one element for each target, in the shape of
  /// `flockctl notify`. At the deadline each target is answered as it stands.
  /// Errors: not_found (no such node, or nobody matches), unreachable, refused, bad_argument
  virtual void notify(wanted_action what, wait_for state, time_point until, answer done) = 0;
  /// The same when the run under way has ended, if it ends as `on` says: {"notifications":[],"run"}.
  /// \param run  its id, if whoever asks knows it
  /// Errors: conflict (no run, or another one, is under way)
  virtual void delay(wanted_action what, std::optional<std::string> run, answer done) = 0;
  /// A resource of this node was updated by an action. Answers with what it fired, as notify does when all is queued.
  virtual void updated(const resource_name& resource, std::string action, time_point until, answer done) = 0;
  /// One run over this node's resources; answers when it has ended. Errors: conflict (one is under way)
  virtual void converge(bool why_run, answer done) = 0;
  virtual void notifications(std::optional<receipt_state> state, std::optional<node_id> node, answer done) = 0;
  virtual void notification(const std::string& id, answer done) = 0;
  /// Those of these notifications that have ended, as soon as there is one; at the deadline none.
  /// Errors: not_found (one is not known)
  virtual void await(std::vector<std::string> ids, time_point until, answer done) = 0;
  /// Takes back a notification of this node that was not sent yet; answers with it.
  /// Errors: not_found, conflict (it may be on its way, has ended, or another node's), io (the disk takes nothing),
  /// maybe_done (nobody can tell by the deadline whether that is durable)
  virtual void cancel(const std::string& id, time_point until, answer done) = 0;
  /// Sends the same as a notification of this node once more, which has ended without success; answers with the new
  /// one. Errors: not_found, conflict (it succeeded, has not ended, is being tried again, or is another node's), those
  /// of courier::submit, maybe_done (nobody can tell by the deadline whether it is kept)
  virtual void retry(const std::string& id, time_point until, answer done) = 0;
  /// A Chef run begins, with {"why_run","pid","environment","roles","recipes","tags","attributes"}. `first` is called
  /// once, with {"run"}; then `next` with each notification for it: {"notification","id","resource","action","causes"}.
  /// The end of the handle is the end of the run. Errors: conflict (one is under way), bad_argument
  using run_handle = std::shared_ptr<void>;
  virtual run_handle begin_run(value about, answer first, std::function<void(const value&)> next) = 0;
  /// What the run under way says next. Errors: not_found (another run, or none, is under way), bad_argument
  enum class run_word : std::uint8_t { resources, updated, notify, performed, end };
  virtual void tell_run(const std::string& run, run_word word, value body, answer done) = 0;
  /// Reads the files again, as SIGHUP does.
  virtual void reload(answer done) = 0;
  /// Prometheus text.
  virtual void metrics(std::function<void(std::string)> done) = 0;

  /// The events after a cursor, then every later one, until the handle is destroyed. `first` is called once, before any
  /// `next`; none is lost or repeated between the two. Both on a thread of the backend; neither may block.
  using subscription_handle = std::shared_ptr<void>;
  virtual subscription_handle follow_events(std::optional<std::string> since,
                                            std::function<void(result<event_log::page>)> first,
                                            std::function<void(const event&)> next) = 0;
};

}  // namespace flock
