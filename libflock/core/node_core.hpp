#pragma once

#include "libflock/calls/actor_host.hpp"
#include "libflock/calls/call_table.hpp"
#include "libflock/calls/finder.hpp"
#include "libflock/calls/links.hpp"
#include "libflock/calls/watches.hpp"
#include "libflock/core/node_service.hpp"
#include "libflock/delivery/courier.hpp"
#include "libflock/delivery/debt_journal.hpp"
#include "libflock/delivery/event_journal.hpp"
#include "libflock/delivery/event_log.hpp"
#include "libflock/delivery/notifier.hpp"
#include "libflock/delivery/scribe.hpp"
#include "libflock/delivery/wish_keeper.hpp"
#include "libflock/logs/log_limit.hpp"
#include "libflock/logs/trouble_log.hpp"
#include "libflock/membership/directory.hpp"
#include "libflock/membership/look_ups.hpp"
#include "libflock/membership/membership.hpp"
#include "libflock/membership/revisits.hpp"
#include "libflock/seams/registry.hpp"
#include "libflock/seams/runtime.hpp"
#include "libflock/seams/storage.hpp"
#include "libflock/seams/transport.hpp"
#include "libflock/words/policy.hpp"
#include <flock/clock.hpp>
#include <flock/error.hpp>
#include <flock/ref.hpp>

#include <atomic>
#include <cassert>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flock {

/// A node over its five seams: puts the parts together and passes on what happens from one to the others. What a
/// program sees of it is node.hpp; a daemon and the simulator use it directly.
///
/// Its state lives in one mailbox, home(): whatever is marked so below is called there. Calls of actors take a shorter
/// way, from the thread that reads straight to the actor's mailbox and back.
class node_core final : public caller,
                        public std::enable_shared_from_this<node_core>,
                        private transport::listener,
                        private membership::listener,
                        private courier::host {
 public:
  struct seams {
    runtime& threads;
    transport& network;
    const clock& time;
    registry& tree;
    storage& disk;
  };

  struct options {
    hello self;  ///< its address is filled in by start()
    std::string advertise;
    node_attributes about;
    milliseconds call_timeout{5000};
    milliseconds notification_ttl{24 * 3600'000};
    /// One line for the log: level and text.
    std::function<void(std::string_view level, const std::string& text)> log;
    /// Where the last warnings and errors are kept; those of the seams may be there, too.
    std::shared_ptr<trouble_log> troubles = std::make_shared<trouble_log>();
    courier::options delivery{};
    scribe::options writing{};
  };

  static std::shared_ptr<node_core> make(seams s, options o);
  ~node_core() override;

  /// Listens, reads back what storage kept, and starts to register. \returns the address under which others reach this
  /// node Errors: io, bad_argument
  result<std::string> start();

  /// From now on notifications are performed: call it when the actors are published and what this node subscribes to is
  /// said. Until then what arrives waits.
  void resume();

  /// Calls f once: when this node is registered, when another living node turns out to have its id (conflict), or at
  /// `until`, whatever the registry does.
  void when_settled(time_point until, std::function<void(result<void>)> f);

  /// Unpublishes everything and answers whoever waits; nothing runs in home() afterwards. Then calls `done`, in home().
  /// Transport, registry and storage are stopped by who made them.
  void stop(std::function<void()> done);

  const node_id& id() const { return options_.self.id; }
  const incarnation& life() const { return options_.self.life; }
  const std::string& address() const { return options_.self.address; }
  const std::string& version() const { return options_.self.version; }
  wall_time started() const { return started_; }

  // Actors. From any thread.
  result<flock::address> publish(const actor_name& name, std::string type, actor_host::factory make,
                                 std::string does = {});
  /// See actor_host::replace.
  result<flock::address> replace(const actor_name& name, std::string type, actor_host::factory make);
  void unpublish(const actor_name& name);
  void find(const flock::address& what, time_point until, finder::found done);
  void find_all(const actor_name& name, time_point until, finder::found_all done);
  const actor_host& actors() const { return actors_; }
  /// Follows a method of an actor of this node that yields many values; see actor_host::follow.
  void follow(const actor_name& actor, std::string method, value::list arguments, time_point until,
              stream_responder answer);

  // caller. From any thread.
  void ask(const flock::address& to, std::string method, value::list arguments, time_point until,
           responder answer) override;
  result<value> call(const flock::address& to, std::string method, value::list arguments, time_point until) override;
  result<void> send(const flock::address& to, std::string method, value::list arguments) override;
  result<std::string> tell(const flock::address& to, std::string method, value::list arguments) override;
  std::uint64_t monitor(const flock::address& whom, std::function<void(const error&)> down) override;
  void forget_monitor(std::uint64_t handle) override;
  time_point now() const override { return seams_.time.now(); }
  wall_time wall() const { return seams_.time.wall(); }
  milliseconds call_timeout() const override { return options_.call_timeout; }

  /// Asks a node itself, this one included, not one of its actors: one of the methods of node_service.
  void ask_node(const node_id& to, std::string method, value::list arguments, time_point until, responder answer);

  /// Replaces what decides who may ask for what.
  void admit_by(policy p);

  mailbox& home() const { return *home_; }
  runtime& threads() const { return seams_.threads; }
  registry& tree() const { return seams_.tree; }

  // In home() only.

  /// See look_ups::nodes.
  void nodes(const std::optional<location>& where, time_point until, look_ups::nodes_known done) {
    assert_home();
    look_ups_.nodes(where, until, std::move(done));
  }

  const directory& known_nodes() const { return directory_; }
  const std::map<node_id, hello>& peers() const { return links_.peers(); }
  std::size_t queued(const node_id& peer) const { return seams_.network.queued(peer); }
  session_state registry_state() const { return membership_.state(); }
  registry::statistics registry_statistics() const { return seams_.tree.stats(); }
  const storage& journal() const { return seams_.disk; }
  /// Where parts of a program keep records beside the node's own, under prefixes that those do not have.
  storage& disk() { return seams_.disk; }
  scribe& records() { return scribe_; }
  bool is_joined() const { return joined_; }
  std::optional<node_life> id_taken_by() const { return taken_by_; }
  void describe(const node_attributes& about);
  const node_attributes& about() const { return options_.about; }

  /// Answers by then; see notifier::send. What is owed is settled, whatever comes of it.
  void notify(wanted_action what, time_point until, notifier::all_sent done);
  void notify(wanted_action what, notifier::all_sent done) {
    notify(std::move(what), time_point::max(), std::move(done));
  }
  debt_journal& debts() { return debts_; }
  /// One that is sent as it is; see courier::submit.
  void submit(notification n, std::function<void(result<void>)> taken) {
    courier_.submit(std::move(n), std::move(taken));
  }
  /// See courier::cancel.
  void cancel(std::string_view id, std::function<void(result<void>)> done) { courier_.cancel(id, std::move(done)); }
  /// The same once more, under a new id: to be submitted.
  notification again(const notification& of) {
    assert_home();
    return notifier_.again(of);
  }
  void subscribe(std::vector<subscription> all) {
    assert_home();
    notifier_.subscribe(std::move(all));
  }
  const notifier& notifications() const { return notifier_; }
  const courier& deliveries() const { return courier_; }

  /// Calls f with each notification that moves to another state, until the handle is destroyed.
  using progress = std::function<void(const notification_record&)>;
  std::shared_ptr<void> on_progress(progress f);
  /// Calls f whenever one is about to: events that it adds are durable with the move. For the start of a node.
  void on_move(std::function<void(const notification&, const receipt& to)> f) { moving_ = std::move(f); }

  /// From any thread.
  trouble_log& troubles() const { return *options_.troubles; }

  /// What is in it is durable.
  event_log& events() {
    assert_home();
    return events_.log();
  }
  void add_event(std::string type, value::map members);

  /// Of all parts, and that they agree on who is connected.
  broken check() const;
  /// From any thread: of the parts that are safe for threads.
  broken check_shared() const;

 private:
  node_core(seams s, options o);

  // transport::listener: on the thread that reads.
  void connected(const hello& peer) override;
  void received(const hello& from, message m) override;
  void disconnected(const hello& peer, const error& why) override;
  void dial_failed(const node_id& id, dial_failure how, const error& why) override;

  // membership::listener: in home.
  void registry_changed(session_state now) override;
  void joined() override;
  void id_taken(const node_life& by) override;
  void incompatible(const error& why) override;
  void listed(const node_id& id, const node_life& life) override;
  void unlisted(const node_id& id) override;
  void described(const node_id& id, const node_attributes& about) override;
  void publishers(const actor_name& name, const std::set<node_id>& nodes) override;
  void lists_read() override;

  // courier::host: in home.
  result<void> admit(const notification& n) override;
  void perform(const notification& n, std::function<bool()> starts, std::function<void(result<value>)> done) override;
  void want_connection(const node_id& to) override { links_.want(to); }
  void moves(const notification& n, const receipt& to) override;
  void progressed(const notification_record& r) override;

  // What the other parts ask of this node, and tell it.
  actor_host::listener listener_to_actors();
  finder::host host_of_finder();
  watches::host host_of_watches();
  notifier::host host_of_notifier();
  wish_keeper::host host_of_wishes();

  /// Often enough for suspicion (3 s) and expiry (minutes to days), rare enough to cost nothing.
  static constexpr milliseconds tick_every{1000};

  void assert_home() const { assert(home_->has_turn() && "in home() only"); }
  static error stopping();
  void post(task job) const;
  /// Answers in home, while this node runs.
  responder at_home(responder answer) const;
  std::shared_ptr<mailbox> turn_of_asker() const;
  void receive_call(const hello& from, message&& m);
  void receive_sent(const hello& from, message&& m);
  result<actor_name> addressee(const hello& from, const message& m) const;
  void answer_for_node(asker by, std::string method, value::list arguments, responder answer);
  void reply(const node_id& to, std::uint64_t call, result<value> answer);
  void send_call(const node_id& to, message m, time_point until, responder answer);
  void arm_call_timer(time_point due);
  void invoke(const flock::address& to, std::string method, value::list arguments, time_point until, responder answer);
  void rival_answered(const error& why, dial_failure how);
  void directory_changed(const directory::changes& changes);
  void settle(const result<void>& how);
  void tick();
  void log(std::string_view level, const std::string& text) const;

  seams seams_;
  options options_;
  wall_time started_{};
  std::atomic<bool> stopped_{false};
  std::shared_ptr<mailbox> home_;
  std::shared_ptr<mailbox> callbacks_;  // where programs that are no actors get their answers
  std::atomic<std::shared_ptr<const policy>> policy_;

  // Safe for threads.
  call_table calls_;
  actor_host actors_;
  std::atomic<time_point> call_timer_{time_point::max()};

  // On the thread that reads.
  log_limit dropped_;  // messages that nobody waits for

  // In home.
  directory directory_;
  membership membership_;
  look_ups look_ups_;
  links links_;
  revisits revisits_;
  finder finder_;
  watches watches_;
  notifier notifier_;
  wish_keeper wishes_;
  scribe scribe_;
  courier courier_;
  debt_journal debts_;
  event_journal events_;
  node_service service_;
  bool joined_ = false;
  std::optional<node_life> taken_by_;
  std::vector<std::function<void(result<void>)>> settling_;
  std::map<node_id, incarnation> lives_;  // of the nodes that the directory spoke of
  std::map<std::uint64_t, progress> progress_;
  std::uint64_t next_progress_ = 1;
  std::function<void(const notification&, const receipt&)> moving_;
};
}  // namespace flock
