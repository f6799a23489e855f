#include "libflock/core/node_core.hpp"

#include <algorithm>

namespace flock {

using internal::sentence;

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
      actors_(s.threads, s.time, {.node = options_.self.id.str()}, listener_to_actors()),
      directory_(options_.self.id, {}),
      membership_(s.tree, home_, s.time, *this),
      look_ups_(home_, s.time, directory_, membership_),
      links_(options_.self.id, s.network, directory_, membership_, calls_),
      revisits_(options_.self.life.low, {}),
      finder_(options_.self.id, s.time, directory_, membership_, host_of_finder()),
      watches_(options_.self.id, host_of_watches()),
      notifier_(options_.self.id, options_.self.life.str().substr(0, 16), s.time, options_.notification_ttl, directory_,
                host_of_notifier()),
      wishes_(home_, s.disk, notifier_, host_of_wishes()),
      scribe_(home_, s.disk, options_.writing),
      courier_(options_.self.id, options_.self.life, home_, s.time, s.network, s.disk, scribe_, *this,
               options_.delivery),
      debts_(s.disk, scribe_),
      events_(s.disk, scribe_, {}),
      service_(options_.self.id, actors_, watches_, notifier_, wishes_) {}

// What is dropped together with the parts is answered to nobody: the seams may be gone.
node_core::~node_core() { stopped_ = true; }

result<std::string> node_core::start() {
  auto restored = courier_.restore();
  if (restored) restored = wishes_.restore();
  if (!restored) return restored.error().within("state");
  if (auto debts = debts_.restore(); !debts) return debts.error().within("state");
  if (auto events = events_.restore(); !events) return events.error().within("state");
  std::vector<std::string> repairs;
  for (const auto* some : {&courier_.repairs(), &debts_.repairs(), &events_.repairs()})
    repairs.insert(repairs.end(), some->begin(), some->end());
  for (const auto& repair : repairs) log("error", repair);
  auto bound = seams_.network.start(*this);
  if (!bound) return bound.error();
  options_.self.address = options_.advertise.empty() ? *bound : options_.advertise;
  seams_.network.introduce(options_.self);
  post([this, repairs] {
    for (const auto& repair : repairs) add_event("repaired", {{"what", repair}});
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
    courier_.resume();
    service_.resume();
  });
}

broken node_core::check() const {
  for (const auto& part : {check_shared(), directory_.check(), membership_.check(), links_.check(), finder_.check(),
                           notifier_.check(), scribe_.check(), courier_.check(), debts_.check(), events_.log().check()})
    if (part) return part;
  for (const auto& [id, peer] : links_.peers())
    if (!courier_.is_connected(id)) return sentence(id, " is connected, and nothing is delivered to it");
  return {};
}

broken node_core::check_shared() const {
  auto why = calls_.check();
  return why ? why : courier_.check_shared();
}

void node_core::post(task job) const {
  if (!stopped_) home_->post(std::move(job));
}

responder node_core::at_home(responder answer) const {
  return [this, answer = std::move(answer)](result<value> r) {
    post([answer, r = std::move(r)]() mutable { answer(std::move(r)); });
  };
}

std::shared_ptr<mailbox> node_core::turn_of_asker() const {
  auto* asker = current_mailbox();
  return asker ? asker->shared_from_this() : callbacks_;
}

void node_core::log(std::string_view level, const std::string& text) const {
  troubles().add(level, wall(), text);
  if (options_.log) options_.log(level, text);
}

void node_core::tick() {
  directory_changed(directory_.tick(now(), wall()));
  courier_.tick();
  debts_.tick();
  // What waits for a node that was given up is tried again: it may be back while the registry cannot tell.
  for (const auto& id : courier_.receivers()) links_.want(id);
  for (const auto& id : revisits_.due(directory_.listed_dead(), now())) links_.want(id);
  home_->post_at(now() + tick_every, [this] { tick(); });
}

void node_core::stop(std::function<void()> done) {
  home_->post([this, done = std::move(done)] {
    if (!stopped_.exchange(true)) {
      courier_.acknowledge_all();
      scribe_.close();
      actors_.stop();
      calls_.close(stopping());
      finder_.close();
      look_ups_.close(stopping());
      settle(stopping());
      // They may hold refs, and with them this node.
      watches_.clear();
      progress_.clear();
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

}  // namespace flock
