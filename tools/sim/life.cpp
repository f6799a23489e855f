#include "tools/sim/life.hpp"

#include "tools/sim/resources.hpp"
#include <flock/actor_type.hpp>
#include <flock/value.hpp>

#include <set>
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

namespace {

hello introduction(const node_description& what, const life_id& who, const disk& storage) {
  // The first half begins the ids of notifications; the second one, those of calls.
  const auto number = static_cast<std::uint64_t>(who.number);
  std::uint64_t name = 0;
  for (char c : who.node) name = name * 256 + static_cast<unsigned char>(c);
  return {"/flock", what.id, {name << 32 | number, number << 32}, "1", what.address, what.environment, storage.id()};
}

}  // namespace

std::vector<subscription> node_description::subscriptions() const {
  auto all = chef_subscribes;
  for (const auto& d : resources) all.insert(all.end(), d.subscribes.begin(), d.subscribes.end());
  return all;
}

life::life(surroundings around, life_id who)
    : around_(std::move(around)),
      id_(around_.files.id),
      who_(std::move(who)),
      threads_(around_.in.threads, around_.time, around_.in.random, around_.in.what.longest_job),
      network_(around_.in.network.attach(introduction(around_.files, who_, around_.storage))),
      registry_(std::make_unique<memory_registry>(around_.in.registry, threads_.make_mailbox("registry"))),
      users_(threads_.make_mailbox("users")) {}

life::~life() {
  threads_.kill();
  watching_.reset();
  // As a process that was killed: nothing of the one may find that the other is gone.
  socket_.reset();
  core_.reset();
  daemon_.reset();
}

result<void> life::start(milliseconds ttl, milliseconds until_resumed) {
  auto files = read();
  node_core::options o{.self = introduction(around_.files, who_, around_.storage),
                       .notification_ttl = ttl,
                       .log =
                           [this](std::string_view level, const std::string& text) {
                             if (!crashed_) around_.in.say(who_.node, level, ": ", text);
                           },
                       .delivery = around_.in.what.delivery};
  o.about = files.with.about;
  const auto log = o.log;
  core_ = node_core::make({threads_, *network_, around_.time, *registry_, around_.storage}, std::move(o));
  auto started = core_->start();
  if (!started) return started.error();
  around_.in.past.life_began(who_);
  daemon_.emplace(daemon::surroundings{*core_, around_.time, *this, log}, files.with);
  core_->home().post([this] {
    watching_ = core_->on_progress([this](const notification_record& r) { progressed(r); });
    if (around_.in.say.is_wanted()) core_->events().follow([this](const event& e) { happened(e); });
    auto make = [this] { return std::make_unique<described_actor<counter>>(std::make_unique<counter>(*this)); };
    (void)core_->publish(counter_name(), "counter", make);
    // As any `flockctl nodes --query` does: from now on it keeps knowing all others.
    location everybody;
    everybody.query = "*:*";
    core_->nodes(everybody, core_->now() + 1s, [](auto) {});
  });
  core_->home().post_at(core_->now() + until_resumed, [this] { serve(); });
  return {};
}

/// What main() does when the node is there.
void life::serve() {
  if (crashed_) return;
  daemon_->start(read().what);
  socket_.emplace(around_.time, *daemon_);
}

void life::crash(bool last_words_arrive) {
  if (std::exchange(crashed_, true)) return;
  around_.in.network.kill(id_, last_words_arrive);
  around_.storage.crash();
  registry_->suspend();
  registry_->abandon();
  around_.hang_up();
}

void life::stop(std::function<void()> done) {
  daemon_->stop([this, done = std::move(done)] {
    if (crashed_) return;
    around_.hang_up();
    socket_.reset();
    core_->stop([this, done] {
      if (!crashed_) done();
    });
  });
}

void life::end() {
  network_->stop();
  registry_->stop();
}

broken life::check(const mailbox& turn) const {
  return process::is_turn_of(core_->home(), turn) ? check() : core_->check_shared();
}

broken life::check() const {
  auto why = core_->check();
  return why || !daemon_ ? why : daemon_->check();
}

void life::stall(milliseconds by) {
  stalled_until_ = std::max(stalled_until_, around_.in.time.now() + by);
  threads_.stall(stalled_until_);
}

// The machine.

flock::machine::reading life::read() {
  reading now{{}, {{}, policy(around_.files.environment)}};
  now.with.id = id_;
  now.with.about.environment = around_.files.environment;
  if (around_.files.has_chef_command) now.with.chef_command = "chef-client";
  std::set<std::string> names;
  for (const auto& d : around_.files.resources) {
    now.what.resources.push_back(read_by(d, *this));
    names.insert(d.name.str());
  }
  declared_ = around_.files.resources;
  around_.in.past.files_declare(who_.node, std::move(names));
  return now;
}

result<flock::machine::reading> life::read_again() { return read(); }

performer life::itself() const { return {who_.node, "life " + std::to_string(who_.number)}; }

void life::begins(const resource_name& what, std::string_view action, const attempt& how) {
  if (crashed_) return;
  auto& in = around_.in;
  for (const auto& id : how.notifications) {
    in.say(who_.node, what.str(), " begins for ", id);
    in.past.begins(itself(), what.str(), id, around_.time.wall());
  }
  // On a full disk a run goes on, and nothing that it owes can be kept.
  if (!how.run.empty() && !how.why_run && action == "run" && !around_.storage.is_full()) {
    in.say(who_.node, what.str(), " is updated in run ", how.run);
    owes_all(what, how.run);
  }
  around_.acts();
}

bool life::is_done(const attempt& how) {
  return !how.notifications.empty() &&
         std::all_of(how.notifications.begin(), how.notifications.end(),
                     [this](const std::string& id) { return around_.in.past.was_completed(id); });
}

void life::ends(const resource_name& what, std::string_view action, const attempt& how) {
  if (crashed_) return;
  if (how.run.empty() && !how.notifications.empty() && action == "run" && !is_done(how))
    owes_all(what, how.notifications.front());
  for (const auto& id : how.notifications) around_.in.past.completes(itself(), id);
}

void life::owes_all(const resource_name& updated, const std::string& because) {
  for (const auto& d : declared_) {
    if (d.name != updated) continue;
    for (const auto& w : d.notifies) owes(w, because + " " + to_json(w.where.to_value()), updated.str());
  }
  owes_subscribers(updated, because, wished_after(updated));
}

void life::owes(const wanted_action& what, const std::string& wish, const std::string& updated) {
  // Others wish the same for other reasons; nobody could tell these from those that are owed.
  if (what.action == "run") return;
  around_.in.say(who_.node, "owes ", what.resource.str(), " ", what.action, ", ", wish);
  around_.in.past.owes(who_.node, what.resource.str(), what.action, wish, updated);
}

std::vector<wanted_action> life::wished_after(const resource_name& updated) const {
  return core_->notifications().wanted_by_subscribers(updated);
}

void life::owes_subscribers(const resource_name& updated, const std::string& run,
                            const std::vector<wanted_action>& wished) {
  const auto still = wished_after(updated);
  for (const auto& w : wished)
    if (std::find(still.begin(), still.end(), w) != still.end())
      owes(w, run + " " + to_json(w.where.to_value()), updated.str());
}

void life::progressed(const notification_record& r) {
  if (crashed_) return;
  auto& in = around_.in;
  in.say(who_.node, r.what.id, " to ", r.what.target.str(), "/", r.what.actor.str(), " ", r.what.action, " is ",
         to_string(r.state()), r.redelivered() ? ", redelivered" : "", r.last().why ? ": " + r.last().why->what : "");
  in.past.announced(who_, r, in.time.wall(), around_.meaning(r.what));
}

/// What it says and believes in public.
void life::happened(const event& e) {
  if (crashed_) return;
  if (e.type == "not_notified")
    around_.in.say(who_.node, "says in public that it could not ask for ", *e.members.at("resource").as_text());
  if (const auto peer = e.members.find("peer"); peer != e.members.end())
    around_.in.say(who_.node, "believes: ", *peer->second.as_text(), " ", e.type);
}

// What users do.

void life::ask(const std::string& what, const std::string& path, const value& body, std::optional<milliseconds> within,
               control_socket::told told) {
  users_->post([=, this] {
    if (!control()) return;
    const auto until = within ? std::optional(core_->now() + *within) : std::nullopt;
    const auto asked = around_.in.past.asks(who_, what, until);
    const auto limit = within ? "?timeout=" + std::to_string(within->count()) + "ms" : "";
    control()->post(path + limit, body, [this, asked, told](const control_socket::reply& r) {
      if (crashed_) return;
      around_.in.past.told(asked);
      told(r);
    });
  });
}

void life::notify(const node_id& to, const resource_name& what, const std::string& action) {
  const wanted_action w{.resource = what, .action = action, .where = only(to)};
  ask("notify", "/v1/notify", w.to_value(), 5s, [this](const auto& r) { accept(r); });
}

/// Targets that flockd has taken.
void life::accept(const control_socket::reply& about) {
  const auto* targets = about.body["notifications"].as_list();
  if (!about.is_good() || !targets) return;
  for (const auto& t : *targets)
    if (const auto* id = t["id"].as_text(); id && t["error"].is_null()) around_.in.past.accepted(*id);
}

void life::updated(const resource_name& what) {
  around_.in.say(who_.node, what.str(), " was updated by a user");
  ask("tell of an update", "/v1/updated", value::map{{"resource", what.str()}, {"action", "run"}}, 5s,
      [this](const auto& r) { accept(r); });
}

void life::converge(bool why_run) {
  ask("converge", "/v1/converge", value::map{{"why_run", why_run}}, {},
      [this](const auto& r) { around_.in.say(who_.node, "converged: ", to_json(r.body)); });
}

void life::delay(const node_id& to) {
  // No other wish is like it.
  const auto wish = "wish " + std::to_string(++delayed_) + " of life " + std::to_string(who_.number);
  const wanted_action w{.resource = simulated("now"), .action = wish, .where = only(to), .when = timing::delayed};
  ask("delay", "/v1/notify", w.to_value(), 5s, [this, w, wish](const auto& r) {
    if (r.is_good()) owes(w, wish);
  });
}

void life::reload() {
  ask("reload", "/v1/reload", {}, {}, [this](const auto& r) {
    if (!r.is_good()) around_.in.past.breaks("I12", who_.node + " could not reload: " + r.error());
  });
}

void life::run_chef(const node_id& on) {
  const auto api = "/v1/call/" + on.str() + "/flock_api/";
  ask("ask for a Chef run", api + "run_chef", {}, 5s, [this, api](const auto& r) {
    if (!r.is_good()) return;
    ask("wait for a Chef run", api + "ended", value::list{r.body["result"]}, 60s, [](const auto&) {});
  });
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
