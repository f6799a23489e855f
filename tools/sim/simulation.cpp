#include "tools/sim/simulation.hpp"

#include "tools/sim/resources.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace flock::simulator {

using namespace std::chrono_literals;

namespace {

// Far more than any seed takes: nodes that keep each other busy for ever.
constexpr std::size_t most_turns = 2'000'000;

// Bounds of what must be so after the faults. They are made of those that docs/failure_model.md names: an attempt to
// connect every 5 s, a registry session of 10 s, suspicion of 3 s.
constexpr milliseconds views_equal_within = 40s;
// Grace of 60 s after the longest of the short times to live, 20 s; sent once more after 10 s without a word.
constexpr milliseconds settled_within = 150s;
constexpr milliseconds monitors_fire_within = 30s;
constexpr milliseconds chef_runs_every = 15s;

// Of what waits somewhere. No workload here comes near; what grows without end does.
constexpr std::size_t most_waiting = 5'000;

/// What others do when they hear of an update. Users only ask for `own`, and do not say that it was updated: so whoever
/// is notified of it is owed that.
std::string heard_of(const resource_name& updated) { return updated.name == "own" ? "hear" : "run"; }

// A resource that comes and goes, and one that nobody asks for anything, which says what its node subscribes to.
const resource_name passing = simulated("passing");
const resource_name wishes = simulated("wishes");

// What subscribes to resources of others.
const std::vector<resource_name> of_files{simulated("a"), simulated("now")};
const std::vector<resource_name> of_chefs{of_chef("a"), of_chef("b")};

/// What a node's files and Chef may declare.
const std::vector<resource_name>& all_resources() {
  static const std::vector<resource_name> all = [] {
    auto some = chef_process::resources();
    for (const char* name : {"a", "b", "now", "own"}) some.push_back(simulated(name));
    some.push_back(passing);
    some.push_back(wishes);
    return some;
  }();
  return all;
}

node_id name_of(std::size_t i) { return node_id::parse("n" + std::to_string(i)).value(); }

}  // namespace

simulation::simulation(const plan& p, std::ostream* lines)
    : in_(p, lines), director_(in_.threads.make_mailbox("director")) {
  for (std::size_t i = 0; i < p.nodes; ++i) {
    const bool elsewhere = p.one_is_elsewhere && i + 1 == p.nodes;
    node_description what{.id = name_of(i), .environment = elsewhere ? "elsewhere" : "here"};
    for (const char* name : {"a", "b", "now", "own"}) {
      auto d = declare(simulated(name));
      // A chain ends: whatever would cause itself again is refused.
      if (in_.random.chance(0.3))
        d.notifies.push_back({.resource = simulated(in_.random.pick({"a", "b", "now"})),
                              .action = heard_of(d.name),
                              .where = only(name_of(in_.random.below(p.nodes))),
                              .when = in_.random.pick({timing::immediately, timing::delayed})});
      what.resources.push_back(std::move(d));
    }
    what.resources.push_back(declare(wishes));
    what.resources.back().subscribes = some_subscriptions(what.id, of_files);
    what.chef_subscribes = some_subscriptions(what.id, of_chefs);
    for (auto& d : what.resources) write_down(d, 0);
    what.has_chef_command = in_.random.chance(0.7);
    machines_.push_back(
        std::make_unique<machine>(in_, std::move(what), [this](const notification& n) { return meaning_of(n); }));
  }
}

simulation::~simulation() {
  for (auto& m : machines_) m->crash(false);
  machines_.clear();
}

outcome_of_seed simulation::run() {
  const auto began = in_.time.now();
  for (auto& m : machines_) {
    at(in_.random.between(0ms, 500ms), [this, &m = *m] { start(m); });
    if (in_.random.chance(0.5))
      at(in_.random.between(0ms, 5s), [this, &m = *m] { m.start_chef(chef_script::some(in_)); });
  }
  at(0ms, [this] { something_happens(); });
  at(1s, [this] { look(); });
  pass(in_.what.faults_last);
  if (in_.what.mode == mode::liveness) check_liveness();
  const auto lasted = std::chrono::duration_cast<milliseconds>(in_.time.now() - began);
  return {in_.past.broken(), in_.past.count(), turns_, lasted};
}

// Time.

void simulation::pass(milliseconds by) {
  const auto until = in_.time.now() + by;
  pass_until(by, [] { return false; });
  if (in_.time.now() < until && !in_.past.broken()) in_.time.advance(until - in_.time.now());
}

/// \returns whether it holds; looks once a second
bool simulation::pass_until(milliseconds within, const std::function<bool()>& holds) {
  const auto until = in_.time.now() + within;
  auto look_at = in_.time.now();
  while (!in_.past.broken()) {
    while (const auto turn = in_.threads.run_one()) {
      check_touched(*turn);
      clear_up();
      if (++turns_ > most_turns) in_.past.breaks("I10", "the nodes keep each other busy for ever");
      if (in_.past.broken()) return false;
    }
    if (in_.time.now() >= look_at) {
      if (holds()) return true;
      look_at = in_.time.now() + 1s;
    }
    const auto next = in_.threads.next_timer();
    if (!next || *next > until) return false;
    in_.time.advance(*next - in_.time.now());
  }
  return false;
}

void simulation::clear_up() {
  for (auto& m : machines_) {
    if (!m->clear_up() || m.get() == for_good_) continue;
    const auto down_for =
        faults_are_over_ ? 100ms : in_.random.pick<milliseconds>({50ms, 1s, 6s, in_.what.longest_cut});
    at(down_for, [this, &m = *m] { come_back(m); });
  }
}

void simulation::at(milliseconds from_now, std::function<void()> f) {
  director_->post_at(in_.time.now() + from_now, std::move(f));
}

/// What must hold at any time.
void simulation::look() {
  const std::set<fault> of_registry{fault::registry_outages, fault::session_expiry, fault::registry_wipes, fault::loss,
                                    fault::repetition,       fault::clock_jumps};
  const bool only_registry_fails =
      std::includes(of_registry.begin(), of_registry.end(), in_.what.faults.begin(), in_.what.faults.end());
  for (auto& m : machines_) {
    auto* l = m->running();
    if (!l) continue;
    in_.past.check_deadlines(l->who(), in_.time.now(), l->stalled_until());
    const auto waiting = std::max({l->core().deliveries().outbox_depth(), m->storage().stats().waiting,
                                   l->core().home().depth(), l->core().deliveries().records().open()});
    if (waiting > most_waiting) in_.past.breaks("I10", m->name() + " has " + std::to_string(waiting) + " waiting");
    for (auto& other : machines_) {
      const auto* known = l->core().known_nodes().find(other->id());
      if (only_registry_fails && !faults_are_over_ && known &&
          (known->state == node_state::dead || known->state == node_state::left))
        in_.past.breaks("I7", m->name() + " takes " + other->name() + " for " + std::string(to_string(known->state)) +
                                  ", and only the registry is sick");
    }
  }
  at(1s, [this] { look(); });
}

/// What the nodes' parts say of themselves.
void simulation::check_touched(const mailbox& turn) {
  if (!in_.what.parts_are_checked) return;
  for (auto& m : machines_)
    if (auto* l = m->running()) expect_whole(*m, l->check(turn));
}

void simulation::check_parts() {
  if (!in_.what.parts_are_checked) return;
  for (auto& m : machines_)
    if (auto* l = m->running()) expect_whole(*m, l->check());
}

void simulation::expect_whole(const machine& m, const broken& why) {
  if (why) in_.past.breaks("check", m.name() + ": " + *why);
}

// What users do.

machine& simulation::any() { return *machines_[in_.random.below(machines_.size())]; }

machine& simulation::other_than(const machine& m) {
  for (;;)
    if (auto& other = any(); &other != &m) return other;
}

intent simulation::meaning_of(const notification& n) const {
  const auto find = [this](const node_id& id) -> const machine& {
    return **std::find_if(machines_.begin(), machines_.end(), [&](const auto& m) { return m->id() == id; });
  };
  const auto& from = find(n.sender);
  const auto& to = find(n.target);
  const bool admitted = &from == &to || from.what().environment == to.what().environment;
  return meant(n, admitted, all_resources());
}

void simulation::something_happens() {
  if (faults_are_over_) return;
  if (in_.random.chance(0.3))
    goes_wrong();
  else
    users_do();
  // Now and then nothing happens for long, so that what is due after seconds comes to be due.
  at(in_.random.chance(0.01) ? in_.random.between(5s, 20s) : in_.random.between(0ms, in_.what.pause),
     [this] { something_happens(); });
}

void simulation::users_do() {
  auto& m = any();
  auto* l = m.running();
  if (!l) return;
  switch (in_.random.below(20)) {
    case 0:
      return l->call(any().id(), in_.random.pick({"add", "later", "throws"}), in_.random.between(1ms, 8s));
    case 1:
      return l->call(any().id(), "add", 5s);
    case 2:
      return l->monitor(other_than(m).id());
    case 3:
      return l->updated(simulated(in_.random.pick({"a", "b"})));
    case 4:
      return l->cancel_some();
    case 5:
      return edit(m);
    case 6:
      return l->converge(in_.random.chance(0.1));
    case 7:
      return l->delay(any().id());
    case 8:
    case 9:
      return m.start_chef(chef_script::some(in_));
    case 10:
      if (in_.random.chance(0.3)) l->run_chef(any().id());
      return;
    default:
      return send_some();
  }
}

void simulation::send_some() {
  auto* l = any().running();
  if (!l) return;
  const auto to = any().id();
  const auto what = in_.random.chance(0.04)  ? simulated("nowhere")
                    : in_.random.chance(0.2) ? of_chef(in_.random.pick({"a", "b"}))
                                             : simulated(in_.random.pick({"a", "b", "now", "own", "own", "passing"}));
  for (auto n = in_.random.chance(0.2) ? in_.random.below(12) : 1; n > 0; --n) {
    const auto* action = in_.random.pick({"run", "check", "check", "check", "check", "check", "check", "fail"});
    if (what == simulated("own")) action = "run";
    l->notify(to, what, in_.random.chance(0.03) ? "dance" : action);
  }
}

std::vector<subscription> simulation::some_subscriptions(const node_id& of, const std::vector<resource_name>& to) {
  std::vector<subscription> some;
  for (auto n = in_.random.below(3); n > 0; --n) {
    const auto publisher = name_of(in_.random.below(in_.what.nodes));
    const auto watched = in_.random.pick({simulated("a"), simulated("b"), simulated("own"), of_chef("own")});
    auto s = subscription::make(watched, only(publisher), in_.random.pick(to), heard_of(watched),
                                in_.random.pick({timing::immediately, timing::delayed}));
    const bool is_new = std::none_of(some.begin(), some.end(), [&](const subscription& o) { return o.id == s.id; });
    if (is_new && publisher != of) some.push_back(std::move(s));
  }
  return some;
}

/// Somebody changes the files of a machine, and has them read. A node that is down reads them when it starts.
void simulation::edit(machine& m) {
  auto& resources = m.files().resources;
  const auto find = [&](const resource_name& name) {
    return std::find_if(resources.begin(), resources.end(), [&](const declaration& d) { return d.name == name; });
  };
  switch (in_.random.below(5)) {
    case 0:
      find(wishes)->subscribes = some_subscriptions(m.id(), of_files);
      write_down(*find(wishes), ++revisions_);
      break;
    case 1:
      if (const auto there = find(passing); there != resources.end())
        resources.erase(there);
      else
        resources.push_back(declare(passing));
      break;
    case 2: {  // from now on runs fail, or work again
      auto& b = *find(simulated("b"));
      b.action = b.action == "run" ? "fail" : "run";
      write_down(b, ++revisions_);
      break;
    }
    default:
      write_down(resources[in_.random.below(resources.size())], ++revisions_);
  }
  if (auto* l = m.running()) l->reload();
}

// What goes wrong.

void simulation::goes_wrong() {
  if (in_.what.faults.empty()) return;
  auto which = in_.what.faults.begin();
  std::advance(which, in_.random.below(in_.what.faults.size()));
  goes_wrong(*which);
  check_parts();
}

void simulation::goes_wrong(fault f) {
  auto& m = any();
  auto& other = other_than(m);
  switch (f) {
    case fault::loss:
    case fault::repetition:
    case fault::delay:
      return disturb();
    case fault::drops:
      in_.say(m.name(), "its connection with ", other.name(), " breaks");
      return in_.network.drop(m.id(), other.id());
    case fault::cuts:
      return cut_somebody_off();
    case fault::crashes:
      return take_down(m, false);
    case fault::crash_points:
      if (in_.random.chance(0.3)) return m.crash_in_action(in_.random.below(4));
      return m.crash_at(in_.random.pick({disk::moment::given, disk::moment::queued, disk::moment::durable}),
                        in_.random.below(8));
    case fault::stops:
      return take_down(m, true);
    case fault::moves:
    case fault::lost_disks:
    case fault::damage:
      return;  // when it comes back
    case fault::stalls:
      if (auto* l = m.running()) {
        const auto by = in_.random.pick<milliseconds>({20ms, 500ms, 4s});
        in_.say(m.name(), "gets no turns for ", by.count(), "ms");
        l->stall(by);
        // Whoever has slept does not know who was started again meanwhile.
        if (in_.what.has(fault::crashes) && in_.random.chance(0.3)) take_down(other, false);
      }
      return;
    case fault::slow_disks:
      in_.say(m.name(), "its disk becomes slow");
      m.storage().take(in_.random.pick<milliseconds>({100ms, 1s, 5s}));
      return at(in_.random.between(1s, 10s), [&m] { m.storage().take(2ms); });
    case fault::full_disks:
      in_.say(m.name(), "its disk is full");
      m.storage().fill(true);
      return at(in_.random.between(10ms, 10s), [this, &m] {
        in_.say(m.name(), "its disk has room");
        m.storage().fill(false);
      });
    case fault::clock_jumps:
      return m.set_clock(in_.random.pick<milliseconds>({0ms, 5s, -5s, 1h, -1h}));
    case fault::registry_outages:
      return fail_registry(in_.random.pick<milliseconds>({500ms, 5s, 15s, 30s}));
    case fault::session_expiry:
      if (auto* l = m.running()) {
        in_.say(m.name(), "its registry session ends");
        if (in_.random.chance(0.5)) return l->registry().expire();
        l->registry().abandon();
        return at(in_.random.between(1s, 8s), [&m, who = l->who()] {
          if (auto* now = m.running(); now && now->who() == who) now->registry().end_abandoned();
        });
      }
      return;
    case fault::registry_wipes:
      return wipe_registry();
    case fault::chef_kills:
      if (in_.random.chance(0.5)) return m.kill_chef();
      return m.kill_chef_in_action(in_.random.below(3));
    case fault::bad_recipes:
      return;  // when a run is started
  }
}

void simulation::disturb() {
  testing::memory_network::disturbance d;
  if (in_.what.has(fault::loss)) d.lost = in_.random.pick({0.0, 0.05, 0.3});
  if (in_.what.has(fault::repetition)) d.repeated = in_.random.pick({0.0, 0.1, 0.3});
  if (in_.what.has(fault::delay)) d.delay_most = in_.random.pick<milliseconds>({1ms, 30ms, 1s});
  in_.say("", "the network loses ", d.lost, ", repeats ", d.repeated, ", takes ", d.delay_most.count(), "ms");
  in_.network.disturb(d);
}

void simulation::cut_somebody_off() {
  auto& m = any();
  auto& other = other_than(m);
  const auto lasts = in_.random.pick<milliseconds>({100ms, 2s, 5s, in_.what.longest_cut});
  std::vector<machine*> from;
  if (in_.random.chance(0.3)) {
    for (auto& each : machines_)
      if (each.get() != &m) from.push_back(each.get());
  } else {
    from.push_back(&other);
  }
  const bool one_way = in_.random.chance(0.5);
  for (auto* each : from) {
    in_.say(m.name(), one_way ? "does not get through to " : "is cut off from ", each->name(), " for ", lasts.count(),
            "ms");
    if (one_way)
      in_.network.cut(m.id(), each->id());
    else
      in_.network.cut_both(m.id(), each->id());
    at(lasts, [this, &m, each] { in_.network.heal(m.id(), each->id()); });
  }
}

void simulation::take_down(machine& m, bool orderly) {
  if (orderly)
    m.stop();
  else
    m.crash(in_.random.chance(0.5));
  // It was the machine.
  if (!orderly && in_.random.chance(0.3)) m.kill_chef();
}

void simulation::come_back(machine& m) {
  if (in_.what.has(fault::lost_disks) && in_.random.chance(0.15)) m.lose_disk();
  if (in_.what.has(fault::damage) && in_.random.chance(0.15)) m.damage(1);
  if (in_.what.has(fault::moves) && in_.random.chance(0.5)) m.move();
  start(m);
}

void simulation::start(machine& m) {
  m.start();
  auto* l = m.running();
  if (!l) return;
  if (registry_is_down_) l->registry().suspend();
  // Before anything is sent again.
  if (in_.random.chance(0.25)) l->cancel_some();
}

void simulation::fail_registry(milliseconds how_long) {
  if (std::exchange(registry_is_down_, true)) return;
  in_.say("", "the registry is down for ", how_long.count(), "ms");
  for (auto& m : machines_)
    if (auto* l = m->running()) l->registry().suspend();
  // Each client then gives its session up by its own clock.
  if (how_long > 10s) {
    at(10s, [this] {
      for (auto& m : machines_)
        if (auto* l = m->running()) l->registry().expire();
    });
  }
  at(how_long, [this] {
    in_.say("", "the registry is back");
    registry_is_down_ = false;
    for (auto& m : machines_)
      if (auto* l = m->running()) l->registry().resume();
  });
}

void simulation::wipe_registry() {
  if (registry_is_down_) return;
  in_.say("", "the registry loses all its data");
  for (auto& m : machines_) {
    if (auto* l = m->running()) {
      l->registry().suspend();
      l->registry().expire();
    }
  }
  wipe(*in_.registry);
  for (auto& m : machines_)
    if (auto* l = m->running()) l->registry().resume();
}

// After the faults.

void simulation::end_faults() {
  in_.say("", "all faults are over");
  faults_are_over_ = true;
  in_.network.heal();
  in_.network.disturb({});
  in_.what.longest_job = 5ms;
  in_.what.most_chef_steps = 0;  // or runs would go on to cause each other
  in_.what.faults.clear();
  registry_is_down_ = false;
  for (auto& m : machines_) {
    m->disarm();
    m->storage().take(2ms);
    m->storage().fill(false);
    if (auto* l = m->running()) l->registry().resume();
    start(*m);
    if (auto* l = m->running()) l->reload();
  }
  run_chefs();
}

/// As a timer does it. What waits for Chef where flockd may not start it waits for that.
void simulation::run_chefs() {
  for (auto& m : machines_) m->start_chef(chef_script::some(in_));
  at(chef_runs_every, [this] { run_chefs(); });
}

void simulation::check_liveness() {
  if (in_.past.broken()) return;
  end_faults();
  if (!pass_until(views_equal_within, [this] { return unequal_views().empty(); }) && !in_.past.broken())
    return in_.past.breaks("I8", unequal_views());

  // Each node talks with each: two that have nothing to say to each other need not know of each other's wishes.
  for (auto& from : machines_)
    for (auto& to : machines_)
      if (auto* l = from->running()) l->notify(to->id(), simulated("now"), "check");
  if (!pass_until(views_equal_within, [this] { return unequal_subscriptions().empty(); }) && !in_.past.broken())
    return in_.past.breaks("I8", unequal_subscriptions());
  pass_until(settled_within, [this] { return is_settled(); });
  if (!in_.past.broken()) check_settled();
  if (!in_.past.broken()) check_monitors();
}

/// \returns what is not as it should be; empty if nothing
std::string simulation::unequal_views() {
  for (auto& m : machines_) {
    auto* l = m->running();
    if (!l || !l->control()) return m->name() + " does not run";
    for (auto& other : machines_) {
      auto* o = other->running();
      const auto* known = l->core().known_nodes().find(other->id());
      if (!known || !o) return m->name() + " does not know " + other->name();
      if (known->state != node_state::alive)
        return m->name() + " takes " + other->name() + " for " + std::string(to_string(known->state));
      if (known->life.life != o->core().life() || known->life.address != o->core().address())
        return m->name() + " knows another life of " + other->name() + ", at " + known->life.address;
    }
  }
  return {};
}

std::string simulation::unequal_subscriptions() {
  for (auto& publisher : machines_) {
    auto* l = publisher->running();
    if (!l) return publisher->name() + " does not run";
    std::vector<subscription_table::match> wanted;
    for (auto& m : machines_)
      for (const auto& s : m->what().subscriptions())
        if (s.publishers.nodes.front() == publisher->id())
          wanted.push_back({m->id(), {s.id, s.watched, s.resource, s.action, s.when}});
    const auto known = l->core().notifications().subscribers().all();
    if (known != wanted)
      return publisher->name() + " knows " + std::to_string(known.size()) + " subscriptions, and there are " +
             std::to_string(wanted.size());
  }
  return {};
}

bool simulation::is_settled() {
  return std::all_of(machines_.begin(), machines_.end(), [this](auto& m) {
    auto* l = m->running();
    return l && l->core().deliveries().records().open() == 0 && l->core().deliveries().outbox_depth() == 0 &&
           m->storage().stats().waiting == 0 && !m->is_running_chef() && !in_.past.waiting(l->who()) && !leftover(*m);
  });
}

/// A record of what is under way, though nothing is. \returns its key
std::optional<std::string> simulation::leftover(machine& m) {
  for (const char* prefix : {"o/", "w/"})
    if (auto left = m.storage().keys(prefix); !left.empty()) return left.front();
  return std::nullopt;
}

void simulation::check_settled() {
  for (auto& m : machines_) {
    auto* l = m->running();
    if (!l) continue;
    in_.past.check_settled(m->name(), l->core().deliveries().records());
    in_.past.check_owed(m->name(), l->core().deliveries().records(), l->core().events());
    in_.past.check_told(l->who());
    if (const auto left = leftover(*m); left && !in_.past.broken())
      in_.past.breaks("I10", m->name() + " still keeps " + *left);
  }
}

void simulation::check_monitors() {
  auto& gone = any();
  for_good_ = &gone;
  take_down(gone, in_.random.chance(0.5));
  pass(monitors_fire_within);
  for (auto& m : machines_)
    if (auto* l = m->running()) in_.past.check_monitors(l->who(), gone.name());
}

outcome_of_seed simulate(std::uint64_t seed, mode m, std::ostream* lines, const std::set<fault>& without, bool checks) {
  auto p = plan::of(seed, m);
  p.parts_are_checked = checks;
  for (auto f : without) p.faults.erase(f);
  return simulation(p, lines).run();
}

}  // namespace flock::simulator
