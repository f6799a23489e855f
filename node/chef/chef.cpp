#include "node/chef/chef.hpp"

#include "node/chef/chef_words.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace flock {
namespace {

// Each has an actor and an entry in the registry. The largest recipes have some thousands.
constexpr std::size_t most_resources = 20'000;
constexpr std::string_view api_actor = "flock_api";

chef_runs::options options_of(const config& with) { return {.can_start = !with.chef_command.empty()}; }

void append_new(std::vector<std::string>& to, const std::vector<std::string>& more) {
  for (const auto& one : more)
    if (std::find(to.begin(), to.end(), one) == to.end()) to.push_back(one);
}

}  // namespace

chef::chef(surroundings around, config with, host of)
    : core_(around.node),
      machine_(around.on),
      config_(std::move(with)),
      log_(std::move(around.write)),
      host_(std::move(of)),
      runs_(core_.life().str().substr(0, 16), around.time, *this, options_of(config_)),
      memory_(core_.disk(), core_.records(), log_),
      resources_(core_, log_,
                 {.is_declared = host_.is_declared,
                  .perform = [this](chef_runs::errand what, beginning begin, responder done) {
                    runs_.perform(std::move(what), std::move(begin), std::move(done));
                  }}) {}

chef::~chef() = default;

void chef::start() {
  publish_api();
  restore();
}

void chef::stop() {
  stopping_ = true;
  runs_.stop();
}

void chef::reload(const config& with) {
  config_ = with;
  runs_.allow_start(options_of(config_).can_start);
  describe();
}

std::vector<joint_action> chef::yield(const resource_name& name) {
  resources_.yield(name);
  return runs_.release(name);
}

bool chef::take_over(const resource_name& name, resource_work& from) {
  if (!resources_.knows(name)) return false;
  for (auto& w : from.release()) {
    if (!resources_.knows(name, w.name())) {
      w.tell(
          error{error_code::no_such_method, name.str() + " has no action " + w.name() + ", now that Chef declares it"});
      continue;
    }
    for (auto& a : std::move(w).release()) runs_.perform({0, name, w.name(), std::move(a.why)}, a.begin, a.answer);
  }
  return true;
}

// A run and what it says.

std::shared_ptr<void> chef::begin(value about, answer first, std::function<void(const value&)> next) {
  auto run = std::make_shared<std::string>();  // only touched in home
  auto gone = std::make_shared<std::atomic<bool>>(false);
  post([this, about = std::move(about), first = std::move(first), next = std::move(next), run, gone] {
    if (*gone) return;
    auto told = node_attributes::from_value(value::map{{"environment", about["environment"]},
                                                       {"roles", about["roles"]},
                                                       {"recipes", about["recipes"]},
                                                       {"tags", about["tags"]},
                                                       {"attributes", about["attributes"]}});
    if (!told) return first(told.error().within("the body"));
    auto why_run = member_or<bool>(about, "why_run", false);
    if (!why_run) return first(why_run.error());
    auto id = runs_.begin(*why_run);
    if (!id) return first(id.error());
    *run = *id;
    run_.emplace(*id, core_.wall(), *why_run, core_.debts());
    next_ = next;
    core_.add_event("run_started", {{"run", *id}, {"why_run", *why_run}});
    if (!*why_run) {
      about_ = *std::move(told);
      describe();
    }
    first(value(value::map{{"run", *id}}));
  });
  auto forget = [this, run, gone](void*) {
    *gone = true;
    post([this, run] {
      if (!run_ || *run != run_->id()) return;
      if (stopping_) return leave();
      end(false, "its connection ended");
    });
  };
  return {static_cast<void*>(run.get()), forget};
}

void chef::tell(const std::string& run, run_word word, value body, answer done) {
  post([this, run, word, body = std::move(body), done = std::move(done)] {
    if (!run_ || run != run_->id()) return done(error{error_code::not_found, "no Chef run " + run + " is under way"});
    if (word == run_word::notify) return notify(body, done);
    auto how = heard(word, body);
    if (!how) return done(std::move(how));
    // What the run owes because of this, or declares, is durable when the library hears that it was told. While the
    // disk takes nothing the run goes on with what it has declared: the next one says it again.
    if (word == run_word::resources && !run_->why_run())
      return core_.debts().when_durable([done](const result<void>& kept) {
        done(value(value::map{{"durable", kept.has_value()}}));
      });
    if (word != run_word::updated || core_.debts().are_durable()) return done(std::move(how));
    core_.debts().when_durable(
        [done, how = *std::move(how)](const result<void>& kept) { done(kept ? result<value>(how) : kept.error()); });
  });
}

result<value> chef::heard(run_word word, const value& body) {
  switch (word) {
    case run_word::resources:
      return declare(body);
    case run_word::updated:
      return updated(body);
    case run_word::performed:
      return performed(body);
    case run_word::end: {
      const auto success = member<bool>(body, "success");
      if (!success) return success.error();
      const auto why = member_or<std::string>(body, "error", {});
      if (!why) return why.error();
      end(*success, *why);
      return value(value::map{});
    }
    case run_word::notify:
      break;
  }
  return error{error_code::bad_argument, "no word of a run"};
}

result<value> chef::declare(const value& body) {
  const auto add = member_or<bool>(body, "add", false);
  if (!add) return add.error();
  if (!body["resources"].as_list()) return error{error_code::bad_argument, "the body: resources is no list"};
  auto next = *add ? resources_.all() : chef_resources::declared();
  for (const auto& one : *body["resources"].as_list()) {
    auto name = member<resource_name>(one, "resource");
    if (!name) return name.error();
    auto actions = member<std::vector<std::string>>(one, "actions");
    if (!actions) return actions.error();
    next[*name] = *std::move(actions);
  }
  if (next.size() > most_resources)
    return error{error_code::refused, "a Chef run declares more than " + std::to_string(most_resources) + " resources"};
  auto wishes = subscriptions_from(body["subscribes"]);
  if (!wishes) return wishes.error();
  if (run_->why_run()) return value(value::map{});

  resources_.declare(next);
  if (!*add) subscriptions_.clear();
  subscriptions_.insert(subscriptions_.end(), wishes->begin(), wishes->end());
  runs_.refuse_unless([this](const resource_name& name) { return resources_.knows(name) || host_.is_declared(name); });
  host_.subscriptions_changed();
  save();
  runs_.ready();
  return value(value::map{});
}

result<value> chef::updated(const value& body) {
  const auto names = member<std::vector<resource_name>>(body, "resources");
  if (!names) return names.error();
  const auto action = member<std::string>(body, "action");
  if (!action) return action.error();
  const auto outcome = member<std::string>(body, "outcome");
  if (!outcome) return outcome.error();
  if (run_->why_run()) return value(value::map{});

  auto why = reason_of(body);
  why.run = run_->id();
  for (const auto& name : *names) {
    resources_.remember(name, *action, *outcome, body["error"], run_->id());
    if (*outcome != to_string(outcome::updated)) continue;
    for (auto& w : run_->updated(host_.was_updated(name, *action, why))) host_.send(std::move(w));
  }
  return value(value::map{});
}

result<value> chef::performed(const value& body) {
  const auto number = member<std::int64_t>(body, "notification");
  if (!number) return number.error();
  const auto outcome = member<std::string>(body, "outcome");
  if (!outcome) return outcome.error();
  const auto why = member_or<std::string>(body, "error", {});
  if (!why) return why.error();
  value::map how{{"outcome", *outcome}, {"exit_status", 0}, {"output", ""}};
  if (*outcome == to_string(outcome::failed)) {
    how["exit_status"] = value();
    how["error"] = value::map{{"code", to_string(error_code::io)}, {"message", *why}};
  }
  if (auto known = runs_.performed(static_cast<std::uint64_t>(*number), value(std::move(how))); !known)
    return known.error();
  return value(value::map{});
}

void chef::notify(const value& body, answer done) {
  auto members = *body.as_map();
  members.erase("by");
  members.erase("notification");
  auto what = wanted_action::from_value(value(std::move(members)));
  if (!what) return done(what.error().within("the body"));
  const auto why = reason_of(body);
  what->causes = why.causes;
  what->other_causes = why.other_causes;
  const auto& by = body["by"];
  if (!by.is_null()) {
    const auto resource = member<std::string>(by, "resource");
    if (!resource) return done(resource.error());
    const auto action = member<std::string>(by, "action");
    if (!action) return done(action.error());
    why.leads_to(*what, {core_.id(), *resource, *action});
  }
  host_.notify(*std::move(what), [done](result<value> targets) {
    if (!targets) return done(targets.error());
    done(value(value::map{{"notifications", *std::move(targets)}}));
  });
}

/// The notification that Chef says it acts for; nothing if it does not.
action_context chef::reason_of(const value& body) const {
  const auto* number = body["notification"].as_int();
  const auto* why = number ? runs_.why(static_cast<std::uint64_t>(*number)) : nullptr;
  return why ? *why : action_context();
}

result<std::string> chef::delay(wanted_action what, const std::optional<std::string>& id) {
  if (!run_ || (id && *id != run_->id()))
    return error{error_code::conflict, id ? "run " + *id + " has ended" : "no run is under way on this node"};
  if (run_->why_run()) return error{error_code::conflict, "run " + run_->id() + " only says what would be done"};
  what.when = timing::delayed;
  run_->updated({std::move(what)});
  return run_->id();
}

void chef::end(bool success, const std::string& why) {
  for (auto& w : run_->finish(success)) host_.send(std::move(w));
  core_.add_event("run_ended", {{"run", run_->id()}, {"success", success}, {"error", why}});
  run_.reset();
  next_ = {};
  runs_.end(success, why);
}

/// This flockd cut the connection, and the run goes on. What depends on its end cannot be decided here.
void chef::leave() {
  host_.leave(*run_);
  core_.add_event("run_left", {{"run", run_->id()}});
  run_.reset();
  next_ = {};
}

// What waits for it.

void chef::give(const chef_runs::errand& what) {
  if (!next_) return;
  next_(value(value::map{{"notification", what.number},
                         {"id", what.why.notification},
                         {"resource", what.resource.str()},
                         {"action", what.action},
                         {"causes", what.why.to_value()["causes"]}}));
}

bool chef::is_locked() { return machine_.is_chef_locked(config_); }

void chef::start_command(chef_runs::reason why) {
  log_("info", "starts a Chef run, which is " + std::string(to_string(why)));
  // Nobody is left to hear of its end if the node has stopped: that goes with the mailbox.
  machine_.start_chef(
      config_, why, [this, home = core_.home().shared_from_this()](const result<int>& how, const std::string& output) {
        home->post([this, how, output] { command_ended(how, output); });
      });
}

void chef::command_ended(const result<int>& how, const std::string& output) {
  if (!how || *how != 0)
    log_("warning",
         "the Chef run failed: " + (how ? "exit status " + std::to_string(*how) + "\n" + output : how.error().what));
  runs_.command_ended(how, output);
}

void chef::wake_at(time_point when) {
  core_.home().post_at(when, [this] { runs_.wake(); });
}

// This node, as others see it.

void chef::publish_api() {
  flock_api::surroundings around;
  around.active = [this](deferred<bool> later) { post([this, later] { later.settle(runs_.is_active()); }); };
  around.run_chef = [this](deferred<std::int64_t> later) {
    post([this, later] {
      auto number = runs_.request();
      later.settle(number ? result<std::int64_t>(static_cast<std::int64_t>(*number))
                          : result<std::int64_t>(number.error()));
    });
  };
  around.ended = [this](std::int64_t number, deferred<value> later) {
    post([this, number, later] {
      runs_.when_ended(static_cast<std::uint64_t>(number),
                       [later](result<value> how) { later.settle(std::move(how)); });
    });
  };
  around.last = [this](deferred<value> later) { post([this, later] { later.settle(runs_.last()); }); };
  around.attribute = [this](const std::string& path, deferred<value> later) {
    post([this, path, later] {
      node_info self{.id = core_.id(), .life = {}, .about = core_.about()};
      later.settle(self.document().at_path(path));
    });
  };
  auto make = [around]() -> std::unique_ptr<actor_object> {
    return std::make_unique<described_actor<flock_api>>(std::make_unique<flock_api>(around));
  };
  auto published = core_.publish(*actor_name::parse(api_actor), std::string(api_actor), make,
                                 "Chef runs of this node, for other nodes");
  if (!published) log_("error", published.error().what);
}

/// What the configuration says of this node, and what Chef adds to it.
void chef::describe() {
  auto about = config_.about;
  if (about_) {
    append_new(about.roles, about_->roles);
    append_new(about.recipes, about_->recipes);
    append_new(about.tags, about_->tags);
    if (auto* into = about.attributes.as_map())
      if (const auto* more = about_->attributes.as_map())
        for (const auto& [name, attribute] : *more) into->insert_or_assign(name, attribute);
  }
  core_.describe(about);
}

broken chef::check() const {
  auto why = runs_.check();
  return why || !run_ ? why : run_->check();
}

value chef::status() const {
  return value::map{{"run", runs_.current().empty() ? value() : value(runs_.current())},
                    {"resources", resources_.size()},
                    {"waiting", runs_.waiting()},
                    {"last", runs_.last()}};
}

// What survives a restart.

void chef::save() { memory_.keep({resources_.all(), subscriptions_, about_}); }

/// A flockd of before kept it in a file: which is newer than any record, as it is gone once there are records of it.
std::optional<chef_memory::content> chef::take_over_file() {
  const auto text = machine_.chef_file(config_);
  if (!text) return std::nullopt;
  auto all = chef_memory::from_file(*text);
  if (!all) {
    log_("error", "chef.json: " + all.error().what + "; Chef's next run says again what was in it");
    return std::nullopt;
  }
  memory_.keep(*all);
  core_.records().then([this] { machine_.forget_chef_file(config_); });
  core_.records().soon();
  return *std::move(all);
}

void chef::restore() {
  auto all = memory_.recall();
  if (auto of_file = take_over_file()) all = std::move(of_file);
  if (!all) return;  // Chef has not declared anything yet
  resources_.declare(all->resources);
  subscriptions_ = std::move(all->subscribes);
  about_ = std::move(all->about);
  describe();
  host_.subscriptions_changed();
}

}  // namespace flock
