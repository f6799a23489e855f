#include "internal/value_maker.hpp"
#include <flock/node_core.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace flock {

namespace {

using internal::map_of;

// Often enough for suspicion (3 s) and expiry (minutes to days), rare enough to cost nothing.
constexpr milliseconds tick_every{1000};

// Remote watchers of one node's actors; each costs a few hundred bytes here for as long as it watches.
constexpr std::size_t max_watchers = 10'000;

error stopping() { return {error_code::shutting_down, "this node is stopping"}; }

/// What a blocking caller waits on.
template <class T> class answer_box {
 public:
  void put(result<T> r) {
    {
      std::lock_guard lock(mutex_);
      if (answer_) return;
      answer_.emplace(std::move(r));
    }
    there_.notify_one();
  }
  result<T> take() {
    std::unique_lock lock(mutex_);
    there_.wait(lock, [this] { return answer_.has_value(); });
    return std::move(*answer_);
  }

 private:
  std::mutex mutex_;  // guards answer_
  std::condition_variable there_;
  std::optional<result<T>> answer_;
};

value describe_actor(const node_id& node, const actor_host::published_actor& a) {
  value::list methods;
  for (const auto& m : a.methods) {
    methods.emplace_back(
        value::map{{"name", m.name}, {"doc", m.doc}, {"parameters", to_value(m.parameters)}, {"returns", m.returns}});
  }
  return value::map{{"node", node.str()},   {"name", a.name.str()},  {"type", a.type}, {"methods", std::move(methods)},
                    {"waiting", a.waiting}, {"restarts", a.restarts}};
}

}  // namespace

std::shared_ptr<node_core> node_core::make(seams s, options o) {
  return std::shared_ptr<node_core>(new node_core(s, std::move(o)));
}

node_core::node_core(seams s, options o)
    : seams_(s),
      options_(std::move(o)),
      started_(s.time.wall()),
      home_(s.threads.make_mailbox("node")),
      callbacks_(s.threads.make_mailbox("callbacks")),
      policy_(std::make_shared<const policy>(options_.about.environment)),
      calls_(options_.self.life.low),
      host_(s.threads, s.time, {},
            {.published =
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
                     auto [first, last] = until_gone_.equal_range(name);
                     std::vector<responder> watchers;
                     for (auto it = first; it != last; ++it) watchers.push_back(std::move(it->second));
                     until_gone_.erase(first, last);
                     for (auto& answer : watchers) answer(error{error_code::down, "no longer published"});
                   });
                 },
             .restarted =
                 [this](const actor_name& name, const error& why) {
                   post([this, name, why] {
                     add_event("restarted", {{"actor", name.str()}, {"error", why.what}});
                     log("warning", "actor " + name.str() + " was made anew: " + why.what);
                   });
                 }}),
      directory_(options_.self.id, {}),
      membership_(s.tree, home_, s.time, *this),
      links_(options_.self.id, s.network, directory_, membership_, calls_),
      finder_(options_.self.id, s.time, directory_, membership_,
              {.await =
                   [this](const node_id& node, const actor_name& name, time_point until,
                          std::function<void(result<bool>)> done) {
                     ask_node(node, "await", {name.str()}, until, [this, done](result<value> answer) {
                       post([done, answer = std::move(answer)] {
                         done(answer ? from_value<bool>(*answer) : result<bool>(answer.error()));
                       });
                     });
                   },
               .at = [this](time_point when, std::function<void()> f) { home_->post_at(when, std::move(f)); },
               .is_here = [this](const actor_name& name) { return host_.has(name); }}),
      notifier_(
          options_.self.id, options_.self.life.str().substr(0, 16), s.time, options_.notification_ttl, directory_,
          {.look_up =
               [this](const location& where, time_point until, std::function<void(result<void>)> done) {
                 look_up(where, std::min(until, now() + options_.call_timeout), std::move(done));
               },
           .submit = [this](
                         notification n,
                         std::function<void(result<void>)> taken) { courier_.submit(std::move(n), std::move(taken)); },
           .tell_wishes =
               [this](const node_id& publisher, std::vector<wish> wishes, std::function<void(result<void>)> told) {
                 ask_node(publisher, "wishes", {to_value(wishes)}, now() + options_.call_timeout,
                          [this, told](result<value> answer) {
                            post([told, answer] { told(answer ? result<void>() : answer.error()); });
                          });
               },
           .want_connection = [this](const node_id& id) { links_.want(id); },
           .is_connected = [this](const node_id& id) { return links_.peer(id) != nullptr; },
           .watch =
               [this](const location& where) {
                 if (!where.only_names()) membership_.want_all();
                 for (const auto& id : where.nodes) membership_.want_node(id);
               },
           .retry_soon = [this](std::function<void()> f) { home_->post_at(now() + tick_every, std::move(f)); },
           .at = [this](time_point when, std::function<void()> f) { home_->post_at(when, std::move(f)); }}),
      courier_(options_.self.id, options_.self.life, home_, s.time, s.network, s.disk, *this, options_.delivery),
      events_(home_, s.disk, [this] { courier_.flush(); }, {}) {}

node_core::~node_core() = default;

result<std::string> node_core::start() {
  auto restored = courier_.restore();
  if (restored) restored = restore_wishes();
  if (!restored) return restored.error().within("state");
  if (auto events = events_.restore(); !events) return events.error().within("state");
  for (const auto& repair : courier_.repairs()) {
    log("error", repair);
    add_event("repaired", {{"what", repair}});
  }
  auto bound = seams_.network.start(*this);
  if (!bound) return bound.error();
  options_.self.address = options_.advertise.empty() ? *bound : options_.advertise;
  seams_.network.introduce(options_.self);
  post([this] {
    const node_life life{options_.self.life, address(), version(), started_};
    directory_.connected(id(), life, now(), wall());
    directory_.described(id(), options_.about);
    membership_.join(id(), life, options_.about);
    tick();
  });
  return address();
}

void node_core::resume() {
  post([this] {
    resumed_ = true;
    courier_.resume();
    for (const auto& [publisher, answer] : std::exchange(wished_early_, {}))
      answer(to_value(notifier_.wishes_for(publisher)));
  });
}

void node_core::post(task job) const {
  if (!stopped_) home_->post(std::move(job));
}

void node_core::log(std::string_view level, const std::string& text) const {
  troubles().add(level, wall(), text);
  if (options_.log) options_.log(level, text);
}

void node_core::tick() {
  directory_changed(directory_.tick(now(), wall()));
  courier_.tick();
  events_.flush();
  // What waits for a node that was given up is tried again: it may be back while the registry cannot tell.
  for (const auto& id : courier_.receivers()) links_.want(id);
  home_->post_at(now() + tick_every, [this] { tick(); });
}

void node_core::stop(std::function<void()> done) {
  home_->post([this, done = std::move(done)] {
    if (!stopped_.exchange(true)) {
      courier_.flush();
      events_.flush();
      host_.stop();
      calls_.close(stopping());
      finder_.close();
      for (auto& [id, l] : std::exchange(looking_up_, {})) l.done(stopping());
      settle(stopping());
      // They may hold refs, and with them this node.
      monitors_.clear();
      progress_.clear();
      until_gone_.clear();
      // The last job: what was posted before has run, what comes later is destroyed unrun.
      home_->close();
      callbacks_->close();
    }
    done();
  });
}

// Whether this node could register.

void node_core::when_settled(time_point until, std::function<void(result<void>)> f) {
  post([this, until, f = std::move(f)] {
    if (joined_) return f({});
    settling_.push_back(f);
    home_->post_at(until, [this] { settle({}); });
  });
}

void node_core::settle(const result<void>& how) {
  for (const auto& f : std::exchange(settling_, {})) f(how);
}

void node_core::joined() {
  joined_ = true;
  taken_by_.reset();
  add_event("registered", {{"address", address()}});
  settle({});
}

void node_core::id_taken(const node_life& by) {
  joined_ = false;
  taken_by_ = by;
  // After a crash the entry of our former life stands until its session expires. If nobody listens at its address, or
  // we do so ourselves, its process is gone, and waiting for the expiry would help nobody.
  if (by.address == address()) return membership_.take_over(by.life);
  seams_.network.dial(id(), by.address);
}

void node_core::incompatible(const error& why) {
  log("error", why.what);
  settle(why);
}

// Actors of this node and of others.

result<address> node_core::publish(const actor_name& name, std::string type, actor_host::factory make) {
  if (name == node_actor) return error{error_code::conflict, "the name flock stands for the node itself"};
  auto published = host_.publish(name, std::move(type), std::move(make));
  if (!published) return published.error();
  return flock::address{id(), name};
}

void node_core::unpublish(const actor_name& name) { host_.unpublish(name); }

void node_core::find(const flock::address& what, time_point until, finder::found done) {
  if (stopped_) return done(stopping());
  post([this, what, until, done = std::move(done)] { finder_.find(what, until, done); });
}

void node_core::find_all(const actor_name& name, time_point until, finder::found_all done) {
  if (stopped_) return done(stopping());
  post([this, name, until, done = std::move(done)] { finder_.find_all(name, until, done); });
}

void node_core::ask(const flock::address& to, std::string method, value::list arguments, time_point until,
                    responder answer) {
  auto* asker = current_mailbox();
  auto turn = asker ? asker->shared_from_this() : callbacks_;
  invoke(to, std::move(method), std::move(arguments), until, [turn, answer = std::move(answer)](result<value> r) {
    turn->post([answer, r = std::move(r)]() mutable { answer(std::move(r)); });
  });
}

result<value> node_core::call(const flock::address& to, std::string method, value::list arguments, time_point until) {
  if (current_mailbox()) return error{error_code::refused, "an actor asks; call() would block its turn"};
  auto box = std::make_shared<answer_box<value>>();
  invoke(to, std::move(method), std::move(arguments), until, [box](result<value> r) { box->put(std::move(r)); });
  return box->take();
}

void node_core::invoke(const flock::address& to, std::string method, value::list arguments, time_point until,
                       responder answer) {
  if (stopped_) return answer(stopping());
  if (!to.node) {
    return find(to, until,
                [this, method = std::move(method), arguments = std::move(arguments), until,
                 answer = std::move(answer)](result<flock::address> found) mutable {
                  if (!found) return answer(found.error());
                  invoke(*found, std::move(method), std::move(arguments), until, std::move(answer));
                });
  }
  if (to.actor == node_actor) return ask_node(*to.node, std::move(method), std::move(arguments), until, answer);
  if (*to.node == id()) {
    auto told = [name = to.actor, answer = std::move(answer)](result<value> r) {
      // As the actor itself would say, if its turn came before the timer.
      const bool too_late = !r && r.error().code == error_code::timeout;
      answer(too_late ? error{error_code::timeout, "the turn of " + name.str() + " came too late"} : std::move(r));
    };
    const auto call = calls_.add(id(), until, std::move(told));
    arm_call_timer();
    host_.invoke(
        to.actor, std::move(method), std::move(arguments), until, [this, call] { calls_.sent(call); },
        [this, call](result<value> r) { calls_.settle(id(), call, std::move(r)); });
    return;
  }
  message m{message_kind::call, 0, {}, to.actor.str(), std::move(method), std::move(arguments)};
  send_call(*to.node, std::move(m), until, std::move(answer));
}

void node_core::ask_node(const node_id& to, std::string method, value::list arguments, time_point until,
                         responder answer) {
  if (stopped_) return answer(stopping());
  if (to == id()) {
    post([this, method = std::move(method), arguments = std::move(arguments), until, answer = std::move(answer)] {
      answer_for_node(id(), method, arguments, until, answer);
    });
    return;
  }
  message m{message_kind::call, 0, {}, std::string(node_actor), std::move(method), std::move(arguments)};
  send_call(to, std::move(m), until, std::move(answer));
}

void node_core::send_call(const node_id& to, message m, time_point until, responder answer) {
  // Rounded up: a deadline that is cut short would be missed by answers that are in time.
  if (until != actor_host::no_deadline)
    m.within = std::max(std::chrono::ceil<milliseconds>(until - now()), milliseconds(1));
  m.id = calls_.add(to, until, std::move(answer));
  arm_call_timer();
  calls_.sent(m.id);
  auto taken = seams_.network.send(to, m);
  if (taken) return;
  calls_.unsent(m.id);
  if (taken.error().code != error_code::unreachable) return calls_.settle(to, m.id, taken.error());
  post([this, to, m = std::move(m)] {
    // The registry said so, and tells when that changes.
    if (is_absent(to)) return calls_.settle(to, m.id, error{error_code::not_found, "no node named " + to.str()});
    links_.send_when_connected(to, m);
  });
}

void node_core::arm_call_timer() {
  const auto due = calls_.earliest();
  if (!due || *due == actor_host::no_deadline) return;
  auto armed = call_timer_.load();
  while (*due < armed) {
    if (!call_timer_.compare_exchange_weak(armed, *due)) continue;
    home_->post_at(*due, [this] {
      call_timer_ = time_point::max();
      calls_.expire(now());
      arm_call_timer();
    });
    return;
  }
}

result<std::string> node_core::tell(const flock::address& to, std::string method, value::list arguments) {
  if (stopped_) return stopping();
  if (!to.node) return error{error_code::bad_argument, "tell needs the node: " + to.str()};
  auto box = std::make_shared<answer_box<std::string>>();
  post([this, to, method = std::move(method), arguments = std::move(arguments), box]() mutable {
    auto n = notifier_.make(*to.node, to.actor, std::move(method), std::move(arguments), {});
    const auto id = n.id;
    courier_.submit(std::move(n), [box, id](result<void> taken) {
      box->put(taken ? result<std::string>(id) : result<std::string>(taken.error()));
    });
  });
  return box->take();
}

std::uint64_t node_core::monitor(const flock::address& whom, std::function<void(const error&)> down) {
  const auto handle = next_monitor_++;
  auto* asker = current_mailbox();
  auto turn = asker ? asker->shared_from_this() : callbacks_;
  post([this, whom, handle, turn, down = std::move(down)] {
    monitors_.emplace(handle, [turn, down](const error& why) { turn->post([down, why] { down(why); }); });
    auto fire = [this, handle](result<value> answer) {
      if (answer || answer.error().code == error_code::shutting_down) return;
      post([this, handle, why = answer.error()] {
        auto node = monitors_.extract(handle);
        if (!node.empty()) node.mapped()({error_code::down, why.what});
      });
    };
    if (!whom.node) return fire(error{error_code::bad_argument, "no node in " + whom.str()});
    ask_node(*whom.node, "until_gone", {whom.actor.str()}, actor_host::no_deadline, fire);
  });
  return handle;
}

void node_core::forget_monitor(std::uint64_t handle) {
  post([this, handle] { monitors_.erase(handle); });
}

// Messages from other nodes, on the transport's thread.

void node_core::received(const hello& from, message m) {
  switch (m.kind) {
    case message_kind::call:
      return receive_call(from, std::move(m));
    case message_kind::reply:
      return calls_.settle(from.id, m.id, std::move(m.body));
    case message_kind::failure:
      return calls_.settle(from.id, m.id, error_from_body(m.body));
    case message_kind::parcels:
    case message_kind::acknowledge:
      return post([this, from, m = std::move(m)] {
        if (auto taken = courier_.received(from, m); !taken) log("warning", from.id.str() + ": " + taken.error().what);
      });
    case message_kind::hello:
    case message_kind::heartbeat:
    case message_kind::goodbye:
      return;  // the transport's own
  }
}

void node_core::receive_call(const hello& from, message m) {
  auto answer = [this, to = from.id, call = m.id](result<value> r) { reply(to, call, std::move(r)); };
  auto* arguments = m.body.as_list();
  if (!arguments) return answer(error{error_code::protocol, "the arguments of a call are a list"});
  const auto until = m.within == milliseconds(0) ? actor_host::no_deadline : now() + m.within;
  if (m.actor == node_actor) {
    post([this, from = from.id, method = std::move(m.method), arguments = std::move(*arguments), until, answer] {
      answer_for_node(from, method, arguments, until, answer);
    });
    return;
  }
  const auto admitted = policy_.load()->admits({from.id, from.environment, m.actor, m.method});
  if (!admitted) {
    log("warning", "refused: " + admitted.error().what);
    return answer(admitted.error());
  }
  auto name = actor_name::parse(m.actor);
  if (!name) return answer(name.error());
  host_.invoke(*name, std::move(m.method), std::move(*arguments), until, {}, answer);
}

void node_core::reply(const node_id& to, std::uint64_t call, result<value> answer) {
  if (stopped_) return;
  message m{message_kind::reply, call, {}, {}, {}, {}};
  if (answer) {
    m.body = *std::move(answer);
  } else {
    m.kind = message_kind::failure;
    m.body = to_body(answer.error());
  }
  auto taken = seams_.network.send(to, m);
  if (taken || taken.error().code == error_code::unreachable) return;
  // Too large, or its queue is full of other things: the caller deserves a word rather than its deadline.
  m.kind = message_kind::failure;
  m.body = to_body(taken.error().within("the answer could not be sent"));
  if (auto told = seams_.network.send(to, m); !told)
    log("warning", "no answer to " + to.str() + ": " + told.error().what);
}

void node_core::answer_for_node(const node_id& from, const std::string& method, const value::list& arguments,
                                time_point until, responder answer) {
  const auto name = [&]() -> result<actor_name> {
    if (arguments.size() != 1) return error{error_code::bad_argument, method + " takes the name of an actor"};
    return from_value<actor_name>(arguments[0]);
  };
  if (method == "ping") return answer(value());
  if (method == "actors") {
    value::list all;
    for (const auto& a : host_.list()) all.push_back(describe_actor(id(), a));
    return answer(value(std::move(all)));
  }
  if (method == "subscriptions") {
    value::list all;
    for (const auto& s : notifier_.subscriptions()) all.push_back(s.to_value());
    return answer(value(std::move(all)));
  }
  if (method == "await") {
    auto which = name();
    if (!which) return answer(which.error());
    return host_.when_published(*which, until, [answer](bool here) { answer(value(here)); });
  }
  if (method == "until_gone") {
    auto which = name();
    if (!which) return answer(which.error());
    if (!host_.has(*which))
      return answer(error{error_code::not_found, "no actor " + which->str() + " on " + id().str()});
    if (until_gone_.size() >= max_watchers) return answer(error{error_code::refused, "too many watchers"});
    until_gone_.emplace(*which, std::move(answer));
    return;
  }
  if (method == "wishes") {
    if (arguments.size() != 1) return answer(error{error_code::bad_argument, "wishes takes one list"});
    auto wishes = wishes_from_value(arguments[0]);
    if (!wishes) return answer(wishes.error());
    return take_wishes(from, *std::move(wishes), answer);
  }
  if (method == "wished") {
    // Too early, it would seem as if nothing were wished any more.
    if (!resumed_) return wished_early_.emplace_back(from, std::move(answer)), void();
    return answer(to_value(notifier_.wishes_for(from)));
  }
  answer(error{error_code::no_such_method, "a node has no method " + method});
}

// Wishes of subscribers.

namespace {

constexpr std::string_view wishes_prefix = "s/";

}  // namespace

/// Another life of it may wish nothing any more, and would not think of saying so.
void node_core::confirm_wishes(const node_id& subscriber) {
  if (!notifier_.subscribers().knows(subscriber)) return;
  // When it connects again it is asked again anyway.
  const auto ask_again_soon = [this, subscriber](const result<value>& kept) {
    if (kept || !links_.peer(subscriber)) return;
    home_->post_at(now() + tick_every, [this, subscriber] { confirm_wishes(subscriber); });
  };
  ask_node(subscriber, "wished", {}, now() + options_.call_timeout,
           [this, subscriber, ask_again_soon](result<value> list) {
             post([this, subscriber, ask_again_soon, list = std::move(list)] {
               auto wishes = list ? wishes_from_value(*list) : result<std::vector<wish>>(list.error());
               if (!wishes) return ask_again_soon(wishes.error());
               take_wishes(subscriber, *std::move(wishes), ask_again_soon);
             });
           });
}

void node_core::take_wishes(const node_id& from, std::vector<wish> wishes, const responder& answer) {
  if (auto why = seams_.disk.trouble()) return answer(why->within("the subscriptions cannot be kept"));
  record_change change{std::string(wishes_prefix) + from.str(), std::nullopt};
  if (!wishes.empty()) change.data = encode(to_value(wishes));
  auto news = notifier_.wishes_of(from, std::move(wishes));
  if (!news) return answer(news.error());
  if (!*news) return answer(value());
  seams_.disk.write({std::move(change)}, [this, answer](const result<void>& kept) {
    post([answer, kept] { answer(kept ? result<value>(value()) : kept.error()); });
  });
}

result<void> node_core::restore_wishes() {
  return seams_.disk.read(wishes_prefix, [this](std::string_view key, std::string_view data) {
    const auto from = node_id::parse(key.substr(wishes_prefix.size()));
    const auto list = decode(data);
    auto wishes = list ? wishes_from_value(*list) : result<std::vector<wish>>(list.error());
    // A subscriber tells them again when it connects.
    if (!from || !wishes || !notifier_.wishes_of(*from, *std::move(wishes)))
      log("warning", std::string(key) + ": the subscriptions kept under this key cannot be read");
  });
}

// Connections, as the transport sees them.

void node_core::connected(const hello& peer) {
  post([this, peer] {
    directory_changed(directory_.connected(peer.id, {peer.life, peer.address, peer.version, {}}, now(), wall()));
    links_.connected(peer);
    courier_.connected(peer);
    notifier_.connected(peer.id);
    confirm_wishes(peer.id);
    finder_.node_changed(peer.id);
  });
}

void node_core::disconnected(const hello& peer, const error& why) {
  calls_.orphan(peer.id);
  post([this, peer, why] {
    links_.disconnected(peer.id);
    courier_.disconnected(peer);
    if (why.code == error_code::shutting_down) {
      directory_changed(directory_.said_goodbye(peer.id, peer.life, now(), wall()));
    } else {
      directory_changed(directory_.disconnected(peer.id, peer.life, now(), wall()));
      // Whoever dialled: to know within milliseconds whether its process is gone, somebody has to knock.
      links_.want(peer.id);
    }
  });
}

void node_core::dial_failed(const node_id& peer, dial_failure how, const error& why) {
  post([this, peer, why, how] {
    if (peer == id()) return rival_answered(why, how);
    links_.dial_failed(peer, why);
    directory_changed(directory_.dial_failed(peer, how == dial_failure::nobody_listens, now(), wall()));
    const auto* known = directory_.find(peer);
    if (known && known->state == node_state::dead) links_.ended(peer);
  });
}

void node_core::rival_answered(const error& why, dial_failure how) {
  seams_.network.hang_up(id());
  if (!taken_by_) return;
  if (how == dial_failure::nobody_listens) return membership_.take_over(taken_by_->life);
  if (how != dial_failure::rejected) return;  // no answer: its session will end, or it will answer
  log("error", "another node is called " + id().str() + ", at " + taken_by_->address + ": " + why.what);
  settle(error{error_code::conflict, "another node at " + taken_by_->address + " is called " + id().str()});
}

// Nodes, as the registry sees them.

void node_core::registry_changed(session_state now_is) {
  directory_.registry_reachable(now_is == session_state::ready);
  if (now_is == session_state::lost) joined_ = false;
  log(now_is == session_state::ready ? "info" : "warning", "registry: " + std::string(to_string(now_is)));
  add_event("registry", {{"state", std::string(to_string(now_is))}});
  if (now_is == session_state::ready)
    for (const auto& dead : directory_.listed_dead()) links_.want(dead);
  look_again();
}

void node_core::listed(const node_id& id, const node_life& life) {
  absent_.erase(id);
  directory_changed(directory_.listed(id, life, now(), wall()));
  links_.address_changed(id);
  finder_.node_changed(id);
  look_again();
}

void node_core::unlisted(const node_id& id) {
  if (!directory_.find(id)) absent_.insert(id);
  directory_changed(directory_.unlisted(id, now(), wall()));
  if (!directory_.find(id)) links_.unknown(id);
  look_again();
}

void node_core::described(const node_id& id, const node_attributes& about) {
  described_.insert(id);
  directory_.described(id, about);
  notifier_.nodes_changed();
  look_again();
}

void node_core::publishers(const actor_name& name, const std::set<node_id>& nodes) { finder_.publishers(name, nodes); }

void node_core::lists_read() {
  notifier_.nodes_changed();
  look_again();
}

void node_core::directory_changed(const directory::changes& changes) {
  for (const auto& c : changes) {
    const bool over = c.now == node_state::dead || c.now == node_state::left;
    const auto former = std::exchange(lives_[c.id], c.life);
    if (over || (c.before && former != c.life))
      calls_.lose(c.id, {error_code::down, c.id.str() + (c.now == node_state::left ? " left"
                                                         : over                    ? " died"
                                                                                   : " was restarted")});
    // Another life may follow without a word of the registry's, and at another address.
    over ? links_.ended(c.id) : links_.address_changed(c.id);
    const auto type = c.now == node_state::alive     ? "joined"
                      : c.now == node_state::suspect ? "suspect"
                      : c.now == node_state::dead    ? "failed"
                                                     : "left";
    add_event(type, {{"peer", c.id.str()}, {"incarnation", c.life.str()}});
    finder_.node_changed(c.id);
  }
  if (!changes.empty()) notifier_.nodes_changed();
}

void node_core::describe(const node_attributes& about) {
  options_.about = about;
  options_.self.environment = about.environment;
  seams_.network.introduce(options_.self);
  directory_.described(id(), about);
  membership_.describe(about);
}

void node_core::nodes(std::optional<location> where, time_point until, nodes_known done) {
  auto all = [this] {
    std::vector<node_info> out;
    for (const auto* n : directory_.all()) out.push_back(*n);
    return out;
  };
  // Whoever asks for no one in particular wants to see what is known now, rather than wait for more.
  if (!where && registry_state() != session_state::ready) return done(all());
  // A condition that no name satisfies makes look_up read the lists of all nodes.
  location everything;
  everything.query = "*:*";
  look_up(where.value_or(everything), until, [this, all, where, done = std::move(done)](result<void> known) {
    if (!known) return done(known.error());
    if (!where) return done(all());
    std::vector<node_info> out;
    auto selected = directory_.select(*where);
    if (!selected) return done(selected.error());
    for (const auto& one : *selected)
      if (const auto* n = directory_.find(one)) out.push_back(*n);
    done(std::move(out));
  });
}

/// Whether the registry was asked and does not know it. Its lists tell of those that are not watched one by one.
bool node_core::is_absent(const node_id& node) const {
  if (directory_.find(node)) return false;
  return absent_.contains(node) || (membership_.lists_known() && !membership_.watches_node(node));
}

void node_core::look_up(const location& where, time_point until, std::function<void(result<void>)> done) {
  if (where.only_names())
    for (const auto& id : where.nodes)
      if (!directory_.find(id)) membership_.want_node(id);
  if (!where.only_names()) membership_.want_all();
  const auto request = next_look_up_++;
  looking_up_.emplace(request, look_up_request{where, until, std::move(done)});
  look_again();
  if (looking_up_.contains(request)) home_->post_at(until, [this] { look_again(); });
}

std::optional<result<void>> node_core::looked_up(const look_up_request& l) const {
  const bool in_time = now() < l.until;
  if (!l.where.only_names()) {
    if (membership_.lists_known()) return result<void>();
    if (in_time) return {};
    if (directory_.size() > 1) return result<void>();  // what is known without the registry
    return error{error_code::unreachable, "the registry cannot be asked who is there"};
  }
  for (const auto& id : l.where.nodes) {
    if (directory_.find(id) || described_.contains(id)) continue;
    if (is_absent(id)) return error{error_code::not_found, "no node named " + id.str()};
    if (in_time) return {};
    return error{error_code::unreachable, "nothing is known of " + id.str() + ", and the registry cannot be asked"};
  }
  return result<void>();
}

void node_core::look_again() {
  std::vector<std::pair<std::function<void(result<void>)>, result<void>>> answered;
  for (auto it = looking_up_.begin(); it != looking_up_.end();) {
    auto known = looked_up(it->second);
    if (!known) {
      ++it;
      continue;
    }
    answered.emplace_back(std::move(it->second.done), *known);
    it = looking_up_.erase(it);
  }
  for (auto& [done, known] : answered) done(known);
}

// Notifications.

void node_core::admit_by(policy p) { policy_ = std::make_shared<const policy>(std::move(p)); }

result<void> node_core::admit(const notification& n) {
  const auto* from = links_.peer(n.sender);
  if (n.sender != id()) {
    if (!from) return error{error_code::refused, n.sender.str() + " is not connected"};
    auto admitted = policy_.load()->admits({from->id, from->environment, n.actor.str(), n.action});
    if (!admitted) return admitted;
  }
  const auto actor = host_.find(n.actor);
  if (!actor) return error{error_code::not_found, "no " + n.actor.str() + " on " + id().str()};
  const bool has_action = std::any_of(actor->methods.begin(), actor->methods.end(),
                                      [&](const method_info& m) { return m.name == n.action; });
  // Without methods it is still being made, and says for itself what it has not.
  if (!has_action && !actor->methods.empty())
    return error{error_code::no_such_method, n.actor.str() + " has no action " + n.action};
  return {};
}

void node_core::perform(const notification& n, std::function<void()> started, std::function<void(result<value>)> done) {
  auto arguments = n.arguments;
  if (resource_name::parse(n.actor.str())) {
    // Names of this form are resources', whose actions are told why they are performed.
    value::list causes;
    for (const auto& c : n.causes)
      causes.emplace_back(value::map{{"node", c.node.str()}, {"resource", c.resource}, {"action", c.action}});
    arguments = {value::map{{"causes", std::move(causes)}, {"notification", n.id}}};
  }
  // Behind a slow action its time may pass; then it must not begin.
  const auto until = now() + (n.expires - wall());
  host_.invoke(n.actor, n.action, std::move(arguments), until, std::move(started), std::move(done));
}

void node_core::progressed(const notification_record& r) {
  auto members = map_of({{"id", r.what.id},
                         {"target", r.what.target.str()},
                         {"resource", r.what.actor.str()},
                         {"action", r.what.action}});
  if (r.last().why) members.emplace("error", r.last().why->what);
  add_event(std::string(to_string(r.state())), std::move(members));
  const auto listening = progress_;  // one may end while it is told
  for (const auto& [handle, f] : listening) f(r);
}

std::shared_ptr<void> node_core::on_progress(progress f) {
  const auto handle = next_progress_++;
  progress_.emplace(handle, std::move(f));
  auto forget = [weak = weak_from_this(), handle](void*) {
    if (auto self = weak.lock()) self->post([core = self.get(), handle] { core->progress_.erase(handle); });
  };
  return {static_cast<void*>(this), forget};
}

void node_core::add_event(std::string type, value::map members) {
  members.emplace("node", id().str());
  events_.add(std::move(type), wall(), std::move(members));
}

}  // namespace flock
