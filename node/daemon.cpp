#include "node/daemon.hpp"

#include "actors/resource/action_context.hpp"
#include "actors/resource/resource.hpp"
#include "node/daemon_routes.hpp"
#include "node/node_report.hpp"

#include <iterator>
#include <tuple>
#include <utility>

namespace flock {

namespace {

using wait_for = notification_answers::wait_for;

constexpr std::string_view daemon_actor = "flockd";

/// What other nodes ask a daemon for.
class daemon_view {
 public:
  explicit daemon_view(daemon& d) : daemon_(d) {}

  deferred<value> resources() {
    deferred<value> later;
    daemon_.resources({}, time_point::max(), [later](result<value> states) { later.settle(std::move(states)); });
    return later;
  }

  template <class Api> static void describe(Api& api) {
    api.method("resources", &daemon_view::resources, "the resources of this node and how their last action ended");
  }

 private:
  daemon& daemon_;
};

/// Collects one answer for each of several questions, in their order.
class gathering {
 public:
  gathering(std::size_t expected, responder done) : parts_(expected), missing_(expected), done_(std::move(done)) {
    if (missing_ == 0) done_(value(value::list()));
  }
  void put(std::size_t place, value v) {
    parts_[place] = std::move(v);
    if (--missing_ == 0) done_(value(std::move(parts_)));
  }

 private:
  value::list parts_;
  std::size_t missing_;
  responder done_;
};

}  // namespace

daemon::daemon(surroundings around, config with)
    : core_(around.node),
      time_(around.time),
      machine_(around.on),
      system_(around.system),
      config_(std::move(with)),
      log_([this, log = std::move(around.log)](std::string_view level, const std::string& text) {
        core_.troubles().add(level, core_.wall(), text);
        log(level, text);
      }),
      notifications_(core_),
      runs_(core_.life().str().substr(0, 16), time_, core_.debts(), *this),
      chef_({core_, time_, machine_, log_}, config_,
            {.send = [this](const wanted_action& what) { send(what); },
             .notify =
                 [this](const wanted_action& what, responder done) {
                   notifications_.notify(what, wait_for::queued, core_.now() + core_.call_timeout(), std::move(done));
                 },
             .leave = [this](run& cut_off) { leave(cut_off); },
             .was_updated = [this](const resource_name& what, const std::string& action,
                                   const action_context& why) { return was_updated(what, action, why); },
             .is_declared = [this](const resource_name& name) { return published_.contains(name); },
             .subscriptions_changed = [this] { subscribe(); }}),
      events_(core_),
      desk_{core_.home(), notifications_,
            [this](const wanted_action& what, const std::optional<std::string>& run, responder done) {
              delay(what, run, std::move(done));
            }},
      document_{core_} {}

daemon::~daemon() = default;

// What is declared.

void daemon::start(machine::declared what) {
  core_.admit_by(std::move(what.policy));
  auto view = [this]() -> std::unique_ptr<actor_object> {
    return std::make_unique<described_actor<daemon_view>>(std::make_unique<daemon_view>(*this));
  };
  publish(daemon_actor, "What is this daemon's, for other nodes", view);
  const auto around = surroundings_on(core_, time_, system_);
  for (const auto& c : capabilities()) publish(c.name, c.does, [around, make = c.make] { return make(around); });
  post([this, all = std::move(what.resources)] {
    core_.on_move([this](const notification& n, const receipt& to) { moves(n, to); });
    declare(all);
    chef_.start();
    core_.resume();
    for (const auto& left : core_.debts().take_left_over()) pay(left);
  });
}

/// This life does not see how that run ends, and no other will.
void daemon::leave(run& cut_off) {
  for (auto& w : cut_off.leave()) {
    const auto entry = w.debt;
    pay({.entry = entry, .run = cut_off.id(), .what = std::move(w), .resource = {}, .action = {}});
  }
}

/// A run that was cut off owed it, in this life of flockd or an earlier one.
void daemon::pay(const debt_journal::left_over& left) {
  if (!left.what) {
    const error why{error_code::maybe_done, "flockd ended during " + left.action + " in run " + left.run +
                                                ", and nobody knows whether that updated it"};
    not_told(left.resource, left.action, why);
  } else if (left.now || left.what->on == on_outcome::always) {
    return send(*left.what);
  } else {
    not_notified(*left.what, {error_code::shutting_down, "flockd ended before run " + left.run +
                                                             " did, and it was wanted if that ends with " +
                                                             std::string(to_string(left.what->on))});
  }
  core_.debts().settle(left.entry);
}

void daemon::publish(std::string_view name, std::string_view does, actor_host::factory make) {
  auto published = core_.publish(*actor_name::parse(name), std::string(name), std::move(make), std::string(does));
  if (!published) log_("error", published.error().what);
}

void daemon::stop(std::function<void()> done) {
  stopping_.request_stop();
  post([this, done = std::move(done)] {
    chef_.stop();
    runs_.stop();
    when_performed(core_.now() + stops_within, done);
  });
}

/// Looks again and again: what is given back, as it had not begun, is no progress that anybody is told of.
void daemon::when_performed(time_point until, std::function<void()> f) {
  const bool is_performing = core_.deliveries().is_performing() || runs_.is_performing();
  if (!is_performing || until <= core_.now()) return f();
  core_.home().post_at(core_.now() + milliseconds(5), [this, until, f = std::move(f)] { when_performed(until, f); });
}

/// To all that files and Chef wish.
void daemon::subscribe() {
  auto all = chef_.subscriptions();
  for (const auto& d : declared_) all.insert(all.end(), d.subscribes.begin(), d.subscribes.end());
  core_.subscribe(std::move(all));
}

/// What is declared still goes on, under its new declaration: its actor, what waits for it, and how its last action
/// ended; also if it is Chef's that declares it now, or before.
void daemon::declare(std::vector<declaration> all) {
  auto before = std::exchange(published_, {});
  for (const auto& d : all) {
    auto known = before.extract(d.name);
    if (!known)
      published_.emplace(d.name, publish(d));
    else {
      if (known.mapped()->declared()->members != d.members)
        known.mapped()->declare(std::make_shared<const declaration>(d));
      published_.insert(std::move(known));
    }
  }
  for (const auto& [name, gone] : before) {
    if (chef_.take_over(name, *gone)) continue;
    core_.unpublish(name.actor());
    gone->withdraw();
  }
  declared_ = std::move(all);
  chef_.files_changed();
  subscribe();
}

std::shared_ptr<resource_work> daemon::publish(const declaration& d) {
  resource_work::surroundings around{
      core_.threads(),
      time_,
      stopping_.get_token(),
      [this](std::string_view text) { log_("info", std::string(text)); },
      [this](const resource_name& what, const std::string& action, const action_context& why) {
        post([this, what, action, why] { runs_.updated(was_updated(what, action, why), why); });
      },
      core_.id().str()};
  auto work = std::make_shared<resource_work>(std::move(around), std::make_shared<const declaration>(d));
  auto make = [work]() -> std::unique_ptr<actor_object> { return std::make_unique<resource>(work); };
  if (auto published = core_.replace(d.name.actor(), d.name.type, make); !published)
    log_("error", d.place() + ": " + published.error().what);
  for (auto& w : chef_.yield(d.name)) work->take(std::move(w));
  return work;
}

void daemon::reload(responder done) {
  post([this, done = std::move(done)] {
    auto read = machine_.read_again();
    if (!read) return done(read.error());
    config_ = std::move(read->with);
    core_.admit_by(std::move(read->what.policy));
    chef_.reload(config_);
    declare(std::move(read->what.resources));
    core_.add_event("reloaded", {});
    log_("info", "configuration read again: " + std::to_string(declared_.size()) + " resources");
    done(value(value::map{{"resources", declared_.size()}}));
  });
}

// Runs.

void daemon::perform(const resource_name& what, const std::string& action, const action_context& why, responder reply) {
  core_.ask({core_.id(), what.actor()}, action, {why.to_value()}, actor_host::no_deadline, std::move(reply));
}

std::vector<wanted_action> daemon::was_updated(const resource_name& what, const std::string& action,
                                               const action_context& why) {
  value::map said{{"resource", what.str()}, {"action", action}};
  if (!why.run.empty()) said.emplace("run", why.run);
  core_.add_event("updated", std::move(said));
  auto wanted = wanted_after(what);
  for (auto& w : wanted) why.leads_to(w, {core_.id(), what.str(), action});
  return wanted;
}

/// An action that was begun before, by an earlier life of this node or of Chef: if it was not updated now, it may have
/// been then, and nobody told those who wait for that. What was begun outside of runs is in no debts.
void daemon::moves(const notification& n, const receipt& to) {
  if (n.target != core_.id() || !is_terminal(to.state)) return;
  const bool in_doubt = to.state == receipt_state::unknown ||
                        (to.redelivered && to.outcome["outcome"] != value(to_string(outcome::updated)));
  const auto resource = resource_name::parse(n.actor.str());
  if (!in_doubt || !resource || !is_awaited(*resource)) return;
  not_told(resource->str(), n.action,
           {error_code::maybe_done,
            "notification " + n.id + " was interrupted, and nobody knows whether what was done of it updated it"});
}

bool daemon::is_awaited(const resource_name& what) { return !wanted_after(what).empty(); }

std::vector<wanted_action> daemon::wanted_after(const resource_name& updated) {
  std::vector<wanted_action> out;
  if (auto d = published_.find(updated); d != published_.end()) out = d->second->declared()->notifies;
  auto others = core_.notifications().wanted_by_subscribers(updated);
  out.insert(out.end(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
  return out;
}

void daemon::send(const wanted_action& what) {
  core_.notify(what, [this, what](result<std::vector<notifier::sent>> sent) {
    if (!sent) return not_notified(what, sent.error());
    for (const auto& s : *sent)
      if (!s.taken) not_notified(what, s.taken.error());
  });
}

void daemon::not_notified(const wanted_action& what, const error& why) {
  log_("error", "not notified: " + what.resource.str() + " " + what.action + ": " + why.what);
  core_.add_event("not_notified", {{"resource", what.resource.str()}, {"action", what.action}, {"error", why.what}});
}

/// Whoever wants to hear of updates of this resource may have missed one.
void daemon::not_told(const std::string& resource, const std::string& action, const error& why) {
  log_("error", "nobody was told of " + resource + ": " + why.what);
  core_.add_event("not_told", {{"resource", resource}, {"action", action}, {"error", why.what}});
}

broken daemon::check() const {
  auto why = runs_.check();
  return why ? why : chef_.check();
}

void daemon::converge(bool why_run, responder done) {
  post([this, why_run, done = std::move(done)] { runs_.start(declared_, why_run, done); });
}

void daemon::updated(const resource_name& resource, std::string action, time_point until, responder done) {
  post([this, resource, action = std::move(action), until, done = std::move(done)] {
    auto wanted = was_updated(resource, action, {});
    auto flat = [done](result<value> lists) {
      value::list all;
      for (auto& one : *lists->as_list())
        if (const auto* targets = one.as_list()) all.insert(all.end(), targets->begin(), targets->end());
      done(value(std::move(all)));
    };
    auto all = std::make_shared<gathering>(wanted.size(), flat);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      auto& w = wanted[i];
      notifications_.notify(w, wait_for::queued, until, [this, all, i, w](result<value> targets) {
        if (targets) return all->put(i, *std::move(targets));
        all->put(i, value::list{target_without_notification(w, to_string(w.where), targets.error())});
      });
    }
  });
}

void daemon::delay(const wanted_action& what, const std::optional<std::string>& run, responder done) {
  auto id = runs_.delay(what, run);
  if (!id)
    if (auto of_chef = chef_.delay(what, run)) id = of_chef;
  if (!id) return done(id.error());
  core_.debts().when_durable(
      [id = *id, done = std::move(done)](const result<void>& kept) { done(kept ? result<value>(id) : kept.error()); });
}

void daemon::resources(std::optional<node_id> of, time_point until, responder done) {
  if (!of || *of == core_.id()) return post([this, done = std::move(done)] { resource_states(done); });
  core_.ask({*of, *actor_name::parse(daemon_actor)}, "resources", {}, until, std::move(done));
}

void daemon::resource_states(responder done) {
  auto names = chef_.resources();
  for (const auto& d : declared_) names.push_back(d.name);
  auto all = std::make_shared<gathering>(names.size(), std::move(done));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& name = names[i];
    core_.ask({core_.id(), name.actor()}, "state", {}, core_.now() + core_.call_timeout(),
              [this, all, i, name](result<value> state) {
                auto out = state ? *std::move(state)
                                 : value(value::map{{"resource", name.str()}, {"error", state.error().what}});
                out.as_map()->insert_or_assign("node", core_.id().str());
                all->put(i, std::move(out));
              });
  }
}

// This node.

void daemon::status(responder done) {
  post([this, done = std::move(done)] { done(status_now()); });
}

value daemon::status_now() const {
  auto all = status_of(core_, config_);
  const auto* run = runs_.under_way();
  all["resources"] = declared_.size();
  all["chef"] = chef_.status();
  all["run"] = run ? value(value::map{{"id", run->id()}, {"started", format_time(run->started())}}) : value();
  return value(std::move(all));
}

void daemon::metrics(std::function<void(std::string)> done) {
  post([this, done = std::move(done)] { done(metrics_of(core_, declared_.size())); });
}

void daemon::answer_on(control_api& api) {
  document_.api = &api;
  const std::tuple<node_core&, event_source&, notification_desk&, chef&, daemon&, control_document&> parts{
      core_, events_, desk_, chef_, *this, document_};
  each_control_topic([&]<class Needs>(const control_topic<Needs>& topic) { api.add(topic, std::get<Needs&>(parts)); });
}

}  // namespace flock
