#include "libflock/core/node_core.hpp"
#include "libflock/seams/gate.hpp"

#include <algorithm>
#include <atomic>
#include <optional>

// Calls of actors: of this node's own, of others', and of the nodes themselves.

namespace flock {

namespace {

/// What a blocking caller waits on.
template <class T> struct answer_box {
  void put(result<T> r) {
    if (taken.exchange(true)) return;
    answer.emplace(std::move(r));
    there.open();
  }

  std::atomic<bool> taken = false;
  std::optional<result<T>> answer;
  gate there;
};

}  // namespace

error node_core::stopping() { return {error_code::shutting_down, "this node is stopping"}; }

// Actors of this node and of others.

result<address> node_core::publish(const actor_name& name, std::string type, actor_host::factory make,
                                   std::string does) {
  if (name == node_actor) return error{error_code::conflict, "the name flock stands for the node itself"};
  auto published = actors_.publish(name, std::move(type), std::move(make), std::move(does));
  if (!published) return published.error();
  return flock::address{id(), name};
}

result<address> node_core::replace(const actor_name& name, std::string type, actor_host::factory make) {
  if (actors_.replace(name, type, make)) return flock::address{id(), name};
  return publish(name, std::move(type), std::move(make));
}

void node_core::unpublish(const actor_name& name) { actors_.unpublish(name); }

void node_core::follow(const actor_name& actor, std::string method, value::list arguments, time_point until,
                       stream_responder answer) {
  if (stopped_) return answer(stopping());
  actors_.follow({id(), until}, actor, std::move(method), std::move(arguments), std::move(answer));
}

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
  invoke(to, std::move(method), std::move(arguments), until,
         [turn = turn_of_asker(), answer = std::move(answer)](result<value> r) {
           turn->post([answer, r = std::move(r)]() mutable { answer(std::move(r)); });
         });
}

result<value> node_core::call(const flock::address& to, std::string method, value::list arguments, time_point until) {
  if (current_mailbox()) return error{error_code::refused, "an actor asks; call() would block its turn"};
  auto box = std::make_shared<answer_box<value>>();
  invoke(to, std::move(method), std::move(arguments), until, [box](result<value> r) { box->put(std::move(r)); });
  seams_.network.await(box->there);
  return *std::move(box->answer);
}

result<void> node_core::send(const flock::address& to, std::string method, value::list arguments) {
  if (stopped_) return stopping();
  if (!to.node) return error{error_code::bad_argument, "send needs the node: " + to.str()};
  if (*to.node == id()) return actors_.deliver({id()}, to.actor, std::move(method), std::move(arguments));
  const message m{message_kind::call, nobody_waits, {}, to.actor.str(), std::move(method), std::move(arguments)};
  auto taken = seams_.network.send(*to.node, m);
  if (!taken && taken.error().code == error_code::unreachable) post([this, node = *to.node] { links_.want(node); });
  return taken;
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
    arm_call_timer(until);
    actors_.invoke(
        {id(), until}, to.actor, std::move(method), std::move(arguments), [this, call] { return calls_.sent(call); },
        [this, call](result<value> r) { calls_.settle(id(), call, std::move(r)); });
    return;
  }
  message m{message_kind::call, 0, {}, to.actor.str(), std::move(method), std::move(arguments)};
  send_call(*to.node, std::move(m), until, std::move(answer));
}

void node_core::ask_node(const node_id& to, std::string method, value::list arguments, time_point until,
                         responder answer) {
  if (stopped_) return answer(stopping());
  if (to == id()) return answer_for_node({id(), until}, std::move(method), std::move(arguments), std::move(answer));
  message m{message_kind::call, 0, {}, std::string(node_actor), std::move(method), std::move(arguments)};
  send_call(to, std::move(m), until, std::move(answer));
}

void node_core::send_call(const node_id& to, message m, time_point until, responder answer) {
  // Rounded up: a deadline that is cut short would be missed by answers that are in time.
  if (until != actor_host::no_deadline)
    m.within = std::max(std::chrono::ceil<milliseconds>(until - now()), milliseconds(1));
  m.id = calls_.add(to, until, std::move(answer), true);
  arm_call_timer(until);
  auto taken = seams_.network.send(to, m);
  if (taken) return;
  calls_.unsent(m.id);
  if (taken.error().code != error_code::unreachable) return calls_.settle(to, m.id, taken.error());
  post([this, to, m = std::move(m)] {
    // The registry said so, and tells when that changes.
    if (look_ups_.is_absent(to))
      return calls_.settle(to, m.id, error{error_code::not_found, "no node named " + to.str()});
    links_.send_when_connected(to, m);
  });
}

// The timer looks at all calls that are due, and is set for the earliest one.
void node_core::arm_call_timer(time_point due) {
  if (due == actor_host::no_deadline) return;
  auto armed = call_timer_.load();
  while (due < armed) {
    if (!call_timer_.compare_exchange_weak(armed, due)) continue;
    home_->post_at(due, [this] {
      call_timer_ = time_point::max();
      calls_.expire(now());
      if (const auto next = calls_.earliest()) arm_call_timer(*next);
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
  box->there.wait();
  return *std::move(box->answer);
}

std::uint64_t node_core::monitor(const flock::address& whom, std::function<void(const error&)> down) {
  const auto handle = watches_.new_handle();
  post([this, whom, handle, turn = turn_of_asker(), down = std::move(down)] {
    watches_.watch(handle, whom, [turn, down](const error& why) { turn->post([down, why] { down(why); }); });
  });
  return handle;
}

void node_core::forget_monitor(std::uint64_t handle) {
  post([this, handle] { watches_.forget(handle); });
}

// Messages from other nodes, on the thread that reads.

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

void node_core::receive_call(const hello& from, message&& m) {
  if (m.id == nobody_waits) return receive_sent(from, std::move(m));
  auto answer = [this, to = from.id, call = m.id](result<value> r) { reply(to, call, std::move(r)); };
  auto* arguments = m.body.as_list();
  if (!arguments) return answer(error{error_code::protocol, "the arguments of a call are a list"});
  const auto until = m.within == milliseconds(0) ? actor_host::no_deadline : now() + m.within;
  if (m.actor == node_actor)
    return answer_for_node({from.id, until}, std::move(m.method), std::move(*arguments), answer);
  const auto name = addressee(from, m);
  if (!name) {
    if (name.error().code == error_code::refused) log("warning", "refused: " + name.error().what);
    return answer(name.error());
  }
  actors_.invoke({from.id, until}, *name, std::move(m.method), std::move(*arguments), {}, answer);
}

// Errors: refused (by the policy), bad_argument (no name of an actor)
result<actor_name> node_core::addressee(const hello& from, const message& m) const {
  const auto admitted = policy_.load()->admits({from.id.str(), from.environment, m.actor, m.method});
  return admitted ? actor_name::parse(m.actor) : admitted.error();
}

// A call that nobody waits for: what is wrong with it is told to the operator of this node.
void node_core::receive_sent(const hello& from, message&& m) {
  const auto drop = [&](const error& why) {
    if (const auto line = dropped_.pass(now(), "dropped a message of " + from.id.str() + ": " + why.what))
      log("warning", *line);
  };
  auto* arguments = m.body.as_list();
  if (!arguments) return drop({error_code::protocol, "the arguments of a message are a list"});
  if (m.actor == node_actor) return drop({error_code::refused, "a node takes calls only"});
  const auto name = addressee(from, m);
  if (!name) return drop(name.error());
  if (auto taken = actors_.deliver({from.id}, *name, std::move(m.method), std::move(*arguments)); !taken)
    drop(taken.error());
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

void node_core::answer_for_node(asker by, std::string method, value::list arguments, responder answer) {
  post([this, by = std::move(by), method = std::move(method), arguments = std::move(arguments),
        answer = std::move(answer)]() mutable {
    method_table<node_service>::of().call(service_, by, method, std::move(arguments), std::move(answer));
  });
}

}  // namespace flock
