#include "tools/sim/life.hpp"

#include "actors/resource/resource.hpp"
#include "tools/sim/resources.hpp"
#include <flock/actor_type.hpp>

#include <deque>
#include <stdexcept>
#include <utility>

namespace flock::simulator {

using namespace std::chrono_literals;

/// The actor that users call: answers at once, later, or throws.
class life::counter {
 public:
  explicit counter(life& of) : life_(of) {}

  std::int64_t add(std::int64_t call) {
    performs(call);
    return ++count_;
  }

  deferred<std::int64_t> later(std::int64_t call) {
    performs(call);
    deferred<std::int64_t> answer;
    auto& in = life_.around_.in;
    life_.users_->post_at(in.time.now() + in.random.between(0ms, 4s), [answer, n = ++count_] { answer.settle(n); });
    return answer;
  }

  std::int64_t throws(std::int64_t call) {
    performs(call);
    throw std::runtime_error("as it was meant to");
  }

  template <class Api> static void describe(Api& api) {
    api.method("add", &counter::add).method("later", &counter::later).method("throws", &counter::throws);
  }

 private:
  void performs(std::int64_t call) {
    if (!life_.crashed_) life_.around_.in.past.performs(static_cast<std::uint64_t>(call));
  }

  life& life_;
  std::int64_t count_ = 0;
};

/// A resource of which everybody sees which notifications it acts for, and when.
class life::observed_resource final : public actor_object {
 public:
  observed_resource(life& of, const declaration& d) : life_(of), name_(d.name) {
    resource_work::surroundings around{
        life_.threads_,
        life_.around_.time,
        {},
        [&l = life_](std::string_view) {
          if (!l.crashed_) l.around_.acts();
        },
        [&l = life_](const resource_name& what, const std::string& action, const action_context& why) {
          l.core_->home().post([&l, what, action, why] {
            l.around_.in.say(l.who_.node, what.str(), " was updated by ", action);
            l.runs_.updated(what, action, why);
          });
        }};
    inner_.emplace(std::make_shared<resource_work>(std::move(around), std::make_shared<const declaration>(d)));
  }

  const std::vector<method_info>& methods() const override { return inner_->methods(); }

  void call(const asker& by, std::string_view method, value::list arguments, beginning begin,
            responder answer) override {
    const auto* id = arguments.empty() ? nullptr : arguments[0]["notification"].as_text();
    if (!id) return inner_->call(by, method, std::move(arguments), std::move(begin), std::move(answer));
    inner_->call(
        by, method, arguments,
        [this, id = *id, begin = std::move(begin)] {
          if (!begin()) return false;
          begins(id);
          return true;
        },
        [this, id = *id, answer = std::move(answer)](result<value> how) {
          completes(id);
          answer(std::move(how));
        });
  }

 private:
  void begins(const std::string& id) const {
    if (life_.crashed_) return;
    life_.around_.in.say(life_.who_.node, name_.str(), " begins for ", id);
    life_.around_.in.past.begins(life_.who_, name_.str(), id, life_.around_.time.wall());
  }

  void completes(const std::string& id) const {
    if (!life_.crashed_) life_.around_.in.past.completes(life_.who_, id);
  }

  life& life_;
  resource_name name_;
  std::optional<resource> inner_;
};

namespace {

hello introduction(const node_description& what, const life_id& who, const disk& storage) {
  // The first half begins the ids of notifications; the second one, those of calls.
  const auto number = static_cast<std::uint64_t>(who.number);
  std::uint64_t name = 0;
  for (char c : who.node) name = name * 256 + static_cast<unsigned char>(c);
  return {"/flock", what.id, {name << 32 | number, number << 32}, "1", what.address, what.environment, storage.id()};
}

}  // namespace

life::life(surroundings around, node_description what, life_id who)
    : around_(std::move(around)),
      what_(std::move(what)),
      who_(std::move(who)),
      threads_(around_.in.threads, around_.time, around_.in.random, around_.in.what.longest_job),
      network_(around_.in.network.attach(introduction(what_, who_, around_.storage))),
      registry_(std::make_unique<memory_registry>(around_.in.registry, threads_.make_mailbox("registry"))),
      runs_(what_.id, std::to_string(who_.number), around_.time, *this),
      users_(threads_.make_mailbox("users")) {}

life::~life() {
  threads_.kill();
  watching_.reset();
  core_.reset();
}

result<void> life::start(milliseconds ttl, milliseconds until_resumed) {
  node_core::options o{.self = introduction(what_, who_, around_.storage),
                       .notification_ttl = ttl,
                       .log =
                           [this](std::string_view level, const std::string& text) {
                             if (!crashed_) around_.in.say(who_.node, level, ": ", text);
                           },
                       .delivery = around_.in.what.delivery};
  o.about.environment = what_.environment;
  core_ = node_core::make({threads_, *network_, around_.time, *registry_, around_.storage}, std::move(o));
  auto started = core_->start();
  if (!started) return started.error();
  around_.in.past.life_began(who_);
  core_->home().post([this] {
    watching_ = core_->on_progress([this](const notification_record& r) { progressed(r); });
    if (around_.in.say.is_wanted()) core_->events().follow([this](const event& e) { happened(e); });
    for (const auto& d : what_.resources) publish(d);
    auto make = [this] { return std::make_unique<described_actor<counter>>(std::make_unique<counter>(*this)); };
    (void)core_->publish(counter_name(), "counter", make);
    core_->subscribe(what_.subscriptions);
    // As any `flockctl nodes --query` does: from now on it keeps knowing all others.
    location everybody;
    everybody.query = "*:*";
    core_->nodes(everybody, core_->now() + 1s, [](auto) {});
  });
  core_->home().post_at(core_->now() + until_resumed, [this] { core_->resume(); });
  return {};
}

void life::publish(const declaration& d) {
  auto make = [this, d]() -> std::unique_ptr<actor_object> { return std::make_unique<observed_resource>(*this, d); };
  (void)core_->publish(d.name.actor(), d.name.type, make);
}

void life::crash(bool last_words_arrive) {
  if (std::exchange(crashed_, true)) return;
  around_.in.network.kill(what_.id, last_words_arrive);
  around_.storage.crash();
  registry_->suspend();
  registry_->abandon();
}

void life::stop(std::function<void()> done) {
  core_->stop([this, done = std::move(done)] {
    if (!crashed_) done();
  });
}

void life::end() {
  network_->stop();
  registry_->stop();
}

void life::stall(milliseconds by) {
  stalled_until_ = std::max(stalled_until_, around_.in.time.now() + by);
  threads_.stall(stalled_until_);
}

void life::progressed(const notification_record& r) {
  if (crashed_) return;
  auto& in = around_.in;
  in.say(who_.node, r.what.id, " to ", r.what.target.str(), "/", r.what.actor.str(), " ", r.what.action, " is ",
         to_string(r.state()), r.redelivered() ? ", redelivered" : "", r.last().why ? ": " + r.last().why->what : "");
  in.past.announced(who_, r, in.time.wall(), around_.meaning(r.what));
}

/// What it believes of others, for the trace.
void life::happened(const event& e) {
  if (const auto peer = e.members.find("peer"); peer != e.members.end())
    around_.in.say(who_.node, "believes: ", *peer->second.as_text(), " ", e.type);
}

// What users do.

void life::notify(const node_id& to, const resource_name& what, const std::string& action) {
  core_->home().post([this, to, what, action] {
    wanted_action w{.resource = what, .action = action, .where = only(to)};
    send(w);
  });
}

void life::send(const wanted_action& what) {
  core_->notify(what, [this](result<std::vector<notifier::sent>> sent) {
    if (crashed_ || !sent) return;
    for (const auto& s : *sent)
      if (s.taken) around_.in.past.accepted(s.id);
  });
}

std::vector<wanted_action> life::wanted_after(const resource_name& updated) {
  std::vector<wanted_action> out;
  for (const auto& d : what_.resources)
    if (d.name == updated) out = d.notifies;
  auto others = core_->notifications().wanted_by_subscribers(updated);
  out.insert(out.end(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
  return out;
}

void life::updated(const resource_name& what) {
  core_->home().post([this, what] {
    around_.in.say(who_.node, what.str(), " was updated by a user");
    runs_.updated(what, "run", {});
  });
}

void life::subscribe(std::vector<subscription> all) {
  what_.subscriptions = all;
  core_->home().post([this, all = std::move(all)] { core_->subscribe(all); });
}

void life::cancel_some() {
  core_->home().post([this] {
    const auto open = core_->deliveries().records().list(receipt_state::queued, std::nullopt);
    if (open.empty()) return;
    core_->cancel(around_.in.random.pick(open)->what.id, [](const result<void>&) {});
  });
}

void life::call(const node_id& to, const std::string& method, milliseconds within) {
  users_->post([this, to, method, within] {
    if (crashed_) return;
    const auto until = core_->now() + within;
    const auto id = around_.in.past.calls(who_, until);
    around_.in.say(who_.node, "call ", id, ": ", to.str(), " ", method, " within ", within.count(), "ms");
    core_->ask({to, counter_name()}, method, {value(static_cast<std::int64_t>(id))}, until,
               [this, id](result<value> r) {
                 if (crashed_) return;
                 around_.in.say(who_.node, "call ", id, " is answered: ", r ? "done" : to_string(r.error()));
                 around_.in.past.answers(id, r);
               });
  });
}

void life::monitor(const node_id& to) {
  users_->post([this, to] {
    if (crashed_) return;
    const auto id = around_.in.past.watches(who_, to.str());
    core_->monitor({to, counter_name()}, [this, id, to](const error& why) {
      if (crashed_) return;
      around_.in.say(who_.node, "monitor ", id, " of ", to.str(), " fires: ", why.what);
      // It may have been taken for dead, and be back by the time this is told.
      const auto says = [&why](std::string_view part) { return why.what.find(part) != std::string::npos; };
      const bool over =
          says(" died ") || says(" left ") || says("cannot reach") || says("no node named") || says("is not connected");
      around_.in.past.fires(id, over);
    });
  });
}

const actor_name& life::counter_name() {
  static const actor_name name = actor_name::parse("counter").value();
  return name;
}

}  // namespace flock::simulator
