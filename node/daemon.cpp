#include "node/daemon.hpp"

#include "actors/action_context.hpp"
#include "actors/resource.hpp"
#include "actors/resource_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <future>
#include <set>
#include <sstream>

namespace flock {

namespace {

constexpr std::string_view daemon_actor = "flockd";

/// A command has two seconds between SIGTERM and SIGKILL, and its end has to get to the disk; a flockd has five for
/// all.
constexpr milliseconds commands_end_within{2500};

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
  gathering(std::size_t expected, control_backend::answer done)
      : parts_(expected), missing_(expected), done_(std::move(done)) {
    if (missing_ == 0) done_(value(value::list()));
  }
  void put(std::size_t place, value v) {
    parts_[place] = std::move(v);
    if (--missing_ == 0) done_(value(std::move(parts_)));
  }

 private:
  value::list parts_;
  std::size_t missing_;
  control_backend::answer done_;
};

location only(const node_id& id) {
  location where;
  where.nodes = {id};
  return where;
}

result<flock::policy> read_policy(const config& with) {
  if (with.policy.empty()) return flock::policy(with.about.environment);
  std::ifstream in(with.policy, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) return error{error_code::io, "cannot read " + with.policy + ": " + std::strerror(errno)};
  auto document = from_json(text.str());
  if (!document) return document.error().within(with.policy);
  auto read = flock::policy::parse(*document);
  if (!read) return read.error().within(with.policy);
  return read;
}

/// As receipts tell of errors.
value told(const error& why) { return value::map{{"code", std::string(to_string(why.code))}, {"message", why.what}}; }

/// A target of which there is no notification here, in the shape of one.
value refused_target(const wanted_action& what, const notifier::sent& s) {
  const auto& why = s.taken.error();
  const auto state = why.code == error_code::maybe_done ? receipt_state::unknown : receipt_state::failed;
  return value::map{{"id", value()},
                    {"node", s.target.str()},
                    {"resource", what.resource.str()},
                    {"action", what.action},
                    {"state", std::string(to_string(state))},
                    {"error", told(why)}};
}

/// A target whose notification is here. As long as the disk may not have it, that is told.
value target_as_it_is(const notification_record& r, const notifier::sent& s) {
  auto shown = r.to_value();
  if (!s.taken && !r.is_surely_kept()) shown.as_map()->insert_or_assign("error", told(s.taken.error()));
  return shown;
}

bool is_enough(receipt_state reached, control_backend::wait_for wanted) {
  switch (wanted) {
    case control_backend::wait_for::queued:
      return true;
    case control_backend::wait_for::accepted:
      return reached >= receipt_state::accepted;
    case control_backend::wait_for::completed:
      return is_terminal(reached);
  }
  return true;
}

}  // namespace

daemon::daemon(flock::node& of, config with, config_sources from,
               std::function<void(std::string_view, const std::string&)> log)
    : node_(of),
      core_(of.core()),
      config_(std::move(with)),
      sources_(std::move(from)),
      log_([this, log = std::move(log)](std::string_view level, const std::string& text) {
        core_.troubles().add(level, core_.wall(), text);
        log(level, text);
      }),
      runs_(core_.id(), core_.life().str().substr(0, 16), system_clock(), *this),
      chef_(core_, config_, log_,
            {.send = [this](const wanted_action& what) { send(what); },
             .notify =
                 [this](wanted_action what, answer done) {
                   notify(std::move(what), wait_for::queued, core_.now() + core_.call_timeout(), std::move(done));
                 },
             .is_declared = [this](const resource_name& name) { return published_.contains(name); },
             .subscriptions_changed = [this] { subscribe(); }}) {}

daemon::~daemon() = default;

// What is declared.

result<daemon::declared> daemon::read(const config& with) {
  auto rules = read_policy(with);
  if (!rules) return rules.error();
  auto resources = read_resources(with.resources);
  // A node without any resource file is a common one; a folder that was named must be there.
  if (!resources && resources.error().code == error_code::not_found && with.resources == config().resources)
    return declared{{}, *std::move(rules)};
  if (!resources) return resources.error();
  return declared{*std::move(resources), *std::move(rules)};
}

void daemon::start(declared what) {
  core_.admit_by(std::move(what.policy));
  auto view = [this]() -> std::unique_ptr<actor_object> {
    return std::make_unique<described_actor<daemon_view>>(std::make_unique<daemon_view>(*this));
  };
  auto published = core_.publish(*actor_name::parse(daemon_actor), std::string(daemon_actor), view);
  if (!published) log_("error", published.error().what);
  post([this, all = std::move(what.resources)] {
    declare(all);
    chef_.start();
    core_.resume();
  });
}

void daemon::stop() {
  stopping_.request_stop();
  auto ended = std::make_shared<std::promise<void>>();
  post([this, ended] {
    chef_.stop();
    when_performed(core_.now() + commands_end_within, [ended] { ended->set_value(); });
  });
  ended->get_future().wait_for(commands_end_within);
}

/// Looks again and again: what is given back, as it had not begun, is no progress that anybody is told of.
void daemon::when_performed(time_point until, std::function<void()> f) {
  if (!core_.deliveries().is_performing() || until <= core_.now()) return f();
  core_.home().post_at(core_.now() + milliseconds(5), [this, until, f = std::move(f)] { when_performed(until, f); });
}

/// To all that files and Chef wish.
void daemon::subscribe() {
  auto all = chef_.subscriptions();
  for (const auto& d : declared_) all.insert(all.end(), d.subscribes.begin(), d.subscribes.end());
  core_.subscribe(std::move(all));
}

void daemon::declare(std::vector<declaration> all) {
  std::map<resource_name, std::shared_ptr<const declaration>> next;
  for (const auto& d : all) next.emplace(d.name, std::make_shared<const declaration>(d));
  // What stayed the same keeps its actor, and with it the actions that wait and the last state.
  for (auto& [name, before] : published_) {
    auto now = next.find(name);
    if (now != next.end() && now->second->members == before->members)
      now->second = before;
    else
      core_.unpublish(name.actor());
  }
  for (const auto& [name, d] : next) {
    auto before = published_.find(name);
    if (before == published_.end() || before->second != d) publish(d);
  }
  published_ = std::move(next);
  declared_ = std::move(all);
  subscribe();
}

void daemon::publish(const std::shared_ptr<const declaration>& d) {
  chef_.withdraw(d->name);
  resource::surroundings around{
      core_.threads(),
      system_clock(),
      stopping_.get_token(),
      [this](std::string_view text) { log_("info", std::string(text)); },
      [this](const resource_name& what, const std::string& action, const action_context& why) {
        post([this, what, action, why] {
          core_.add_event("updated", {{"resource", what.str()}, {"action", action}, {"run", why.run}});
          runs_.updated(what, action, why);
        });
      },
      core_.id().str()};
  auto make = [around, d]() -> std::unique_ptr<actor_object> { return std::make_unique<resource>(around, d); };
  if (auto published = core_.publish(d->name.actor(), d->name.type, make); !published)
    log_("error", d->place() + ": " + published.error().what);
}

void daemon::reload(answer done) {
  post([this, done = std::move(done)] {
    auto with = read_config(sources_);
    if (!with) return done(with.error());
    auto what = read(*with);
    if (!what) return done(what.error());
    if (config_.tls())
      if (auto certificates = node_.reload_certificates(); !certificates) return done(certificates.error());
    config_ = *std::move(with);
    core_.admit_by(std::move(what->policy));
    chef_.reload(config_);
    declare(std::move(what->resources));
    core_.add_event("reloaded", {});
    log_("info", "configuration read again: " + std::to_string(declared_.size()) + " resources");
    done(value(value::map{{"resources", declared_.size()}}));
  });
}

// Runs.

void daemon::perform(const resource_name& what, const std::string& action, const action_context& why, responder reply) {
  core_.ask({core_.id(), what.actor()}, action, {why.to_value()}, actor_host::no_deadline, std::move(reply));
}

std::vector<wanted_action> daemon::wanted_after(const resource_name& updated) {
  std::vector<wanted_action> out;
  if (auto d = published_.find(updated); d != published_.end()) out = d->second->notifies;
  auto others = core_.notifications().wanted_by_subscribers(updated);
  out.insert(out.end(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
  return out;
}

void daemon::send(const wanted_action& what) {
  core_.notify(what, [this, what](result<std::vector<notifier::sent>> sent) {
    auto missed = [&](const error& why) {
      log_("error", "not notified: " + what.resource.str() + " " + what.action + ": " + why.what);
      core_.add_event("not_notified",
                      {{"resource", what.resource.str()}, {"action", what.action}, {"error", why.what}});
    };
    if (!sent) return missed(sent.error());
    for (const auto& s : *sent)
      if (!s.taken) missed(s.taken.error());
  });
}

void daemon::converge(bool why_run, answer done) {
  post([this, why_run, done = std::move(done)] { runs_.start(declared_, why_run, done); });
}

void daemon::updated(const resource_name& resource, std::string action, time_point until, answer done) {
  post([this, resource, action = std::move(action), until, done = std::move(done)] {
    core_.add_event("updated", {{"resource", resource.str()}, {"action", action}});
    auto wanted = wanted_after(resource);
    auto flat = [done](result<value> lists) {
      value::list all;
      for (auto& one : *lists->as_list())
        if (const auto* targets = one.as_list()) all.insert(all.end(), targets->begin(), targets->end());
      done(value(std::move(all)));
    };
    auto all = std::make_shared<gathering>(wanted.size(), flat);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      auto& w = wanted[i];
      w.causes = {{core_.id(), resource.str(), action}};
      notify(w, wait_for::queued, until, [this, all, i, w](result<value> targets) {
        if (targets) return all->put(i, *std::move(targets));
        all->put(i, value::list{value::map{{"id", value()},
                                           {"node", to_string(w.where)},
                                           {"resource", w.resource.str()},
                                           {"action", w.action},
                                           {"state", std::string(to_string(receipt_state::failed))},
                                           {"error", told(targets.error())}}});
      });
    }
  });
}

// Notifications.

void daemon::notify(wanted_action what, wait_for state, time_point until, answer done) {
  post([this, what = std::move(what), state, until, done = std::move(done)] {
    core_.notify(what, until, [this, what, state, until, done](result<std::vector<notifier::sent>> sent) {
      if (!sent) return done(sent.error());
      auto targets = [this, what, state, sent = *std::move(sent)](bool at_deadline) {
        return targets_as_they_are(what, sent, state, at_deadline);
      };
      answer_when(std::move(targets), until, done);
    });
  });
}

std::optional<value> daemon::targets_as_they_are(const wanted_action& what, const std::vector<notifier::sent>& targets,
                                                 wait_for state, bool at_deadline) const {
  value::list out;
  for (const auto& target : targets) {
    const bool may_be_here = target.taken || target.taken.error().code == error_code::maybe_done;
    const auto* record = may_be_here ? core_.deliveries().records().find(target.id) : nullptr;
    if (record && !is_enough(record->state(), state) && !at_deadline) return std::nullopt;
    if (record)
      out.push_back(target_as_it_is(*record, target));
    else
      out.push_back(target.taken ? value() : refused_target(what, target));
  }
  return value(std::move(out));
}

void daemon::answer_when(look told, time_point until, answer done) {
  struct waiting {
    look told;
    answer done;
    std::shared_ptr<void> watching;
  };
  auto w = std::make_shared<waiting>(waiting{std::move(told), std::move(done), {}});
  auto check = [w](bool at_deadline) {
    if (!w->done) return;
    auto now = w->told(at_deadline);
    if (!now) return;
    std::exchange(w->done, {})(*std::move(now));
    w->watching.reset();
  };
  check(until <= core_.now());
  if (!w->done) return;
  w->watching = core_.on_progress([check](const notification_record&) { check(false); });
  core_.home().post_at(until, [check] { check(true); });
}

control_backend::answer daemon::in_time(time_point until, error otherwise, answer done) {
  auto waiting = std::make_shared<answer>(std::move(done));
  answer once = [waiting](result<value> r) {
    if (auto first = std::exchange(*waiting, {})) first(std::move(r));
  };
  core_.home().post_at(until, [once, otherwise = std::move(otherwise)] { once(otherwise); });
  return once;
}

void daemon::delay(wanted_action what, std::optional<std::string> run, answer done) {
  post([this, what = std::move(what), run = std::move(run), done = std::move(done)] {
    auto id = runs_.delay(what, run);
    if (auto of_chef = id ? id : chef_.delay(what, run)) id = std::move(of_chef);
    if (!id) return done(id.error());
    done(value(value::map{{"notifications", value::list()}, {"run", *std::move(id)}}));
  });
}

void daemon::notifications(std::optional<receipt_state> state, std::optional<node_id> of, answer done) {
  post([this, state, of = std::move(of), done = std::move(done)] {
    value::list out;
    for (const auto* r : core_.deliveries().records().list(state, of)) out.push_back(r->to_value());
    done(value(std::move(out)));
  });
}

void daemon::notification(const std::string& id, answer done) {
  post([this, id, done = std::move(done)] {
    const auto* record = core_.deliveries().records().find(id);
    if (!record) return done(error{error_code::not_found, "no notification " + id});
    done(record->to_value());
  });
}

void daemon::await(std::vector<std::string> ids, time_point until, answer done) {
  post([this, ids = std::move(ids), until, done = std::move(done)] {
    const auto& records = core_.deliveries().records();
    for (const auto& id : ids)
      if (!records.find(id)) return done(error{error_code::not_found, "no notification " + id});
    auto ended = [&records, ids](bool at_deadline) -> std::optional<value> {
      value::list out;
      for (const auto& id : ids) {
        const auto* record = records.find(id);  // one that ended long ago may be forgotten meanwhile
        if (record && is_terminal(record->state())) out.push_back(record->to_value());
      }
      if (out.empty() && !at_deadline) return std::nullopt;
      return value(std::move(out));
    };
    answer_when(std::move(ended), until, done);
  });
}

/// A notification that was made here.
result<const notification_record*> daemon::ours(const std::string& id) const {
  const auto* record = core_.deliveries().records().find(id);
  if (!record) return error{error_code::not_found, "no notification " + id};
  if (record->what.sender != core_.id())
    return error{error_code::conflict,
                 id + " was sent by " + record->what.sender.str() + "; only that node can do this"};
  return record;
}

void daemon::cancel(const std::string& id, time_point until, answer done) {
  post([this, id, until, done = std::move(done)] {
    const auto record = ours(id);
    if (!record) return done(record.error());
    const auto state = (*record)->state();
    if (state == receipt_state::cancelled) return done((*record)->to_value());
    if (is_terminal(state))
      return done(error{error_code::conflict, id + " cannot be cancelled: it has " + std::string(to_string(state))});
    auto told =
        in_time(until, {error_code::maybe_done, "the disk has not confirmed yet that " + id + " is cancelled"}, done);
    core_.cancel(id, [this, id, told](result<void> cancelled) {
      if (cancelled) return told(core_.deliveries().records().find(id)->to_value());
      const auto& why = cancelled.error();
      // Not a matter of permission: it is too late.
      told(
          error{why.code == error_code::refused ? error_code::conflict : why.code, "cannot be cancelled: " + why.what});
    });
  });
}

result<void> daemon::may_be_retried(const notification_record& r) const {
  const auto& id = r.what.id;
  if (!is_terminal(r.state()))
    return error{error_code::conflict, id + " is " + std::string(to_string(r.state())) + "; it has not ended"};
  if (r.state() == receipt_state::succeeded)
    return error{error_code::conflict, id + " has succeeded; notify asks for the action once more"};
  for (const auto* other : core_.deliveries().records().list({}, r.what.target))
    if (other->what.retry_of == id && !is_terminal(other->state()))
      return error{error_code::conflict, id + " is being tried again as " + other->what.id};
  return {};
}

void daemon::retry(const std::string& id, time_point until, answer done) {
  post([this, id, until, done = std::move(done)] {
    const auto record = ours(id);
    if (!record) return done(record.error());
    if (auto may = may_be_retried(**record); !may) return done(may.error());
    auto again = core_.again((*record)->what);
    auto told =
        in_time(until, {error_code::maybe_done, "the disk has not confirmed yet that " + again.id + " is kept"}, done);
    core_.submit(again, [this, again, told](result<void> taken) {
      if (!taken) return told(taken.error());
      told(core_.deliveries().records().find(again.id)->to_value());
    });
  });
}

// Nodes and what is on them.

void daemon::nodes(std::optional<location> where, time_point until, answer done) {
  post([this, where = std::move(where), until, done = std::move(done)] {
    core_.nodes(where, until, [done](result<std::vector<node_info>> known) {
      if (!known) return done(known.error());
      value::list out;
      for (const auto& n : *known) out.push_back(n.to_value());
      done(value(std::move(out)));
    });
  });
}

void daemon::node(const node_id& id, time_point until, answer done) {
  post([this, id, until, done = std::move(done)] {
    core_.nodes(only(id), until, [this, id, done](result<std::vector<node_info>> known) {
      if (!known) return done(known.error());
      if (known->empty()) return done(error{error_code::not_found, "no node named " + id.str()});
      auto out = known->front().to_value();
      out.as_map()->insert_or_assign("attributes", known->front().about.attributes);
      out.as_map()->insert_or_assign("connected", core_.peers().contains(id));
      out.as_map()->insert_or_assign("queued", core_.deliveries().outbox_depth(id));
      done(std::move(out));
    });
  });
}

void daemon::ping(const node_id& id, time_point until, answer done) {
  const auto sent = core_.now();
  core_.ask_node(id, "ping", {}, until, [this, id, sent, done = std::move(done)](result<value> pong) {
    if (!pong) return done(pong.error());
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(core_.now() - sent);
    done(value(value::map{{"node", id.str()}, {"rtt_us", took.count()}}));
  });
}

void daemon::actors(std::optional<node_id> of, time_point until, answer done) {
  core_.ask_node(of.value_or(core_.id()), "actors", {}, until, std::move(done));
}

void daemon::subscriptions(std::optional<node_id> of, time_point until, answer done) {
  core_.ask_node(of.value_or(core_.id()), "subscriptions", {}, until, std::move(done));
}

void daemon::resources(std::optional<node_id> of, time_point until, answer done) {
  if (!of || *of == core_.id()) return post([this, done = std::move(done)] { resource_states(done); });
  core_.ask({*of, *actor_name::parse(daemon_actor)}, "resources", {}, until, std::move(done));
}

void daemon::resource_states(answer done) {
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

void daemon::call(const address& to, std::string method, value::list arguments, time_point until, answer done) {
  core_.ask(to, std::move(method), std::move(arguments), until, std::move(done));
}

// Chef.

control_backend::run_handle daemon::begin_run(value about, answer first, std::function<void(const value&)> next) {
  return chef_.begin(std::move(about), std::move(first), std::move(next));
}

void daemon::tell_run(const std::string& run, run_word word, value body, answer done) {
  chef_.tell(run, word, std::move(body), std::move(done));
}

// This node.

void daemon::status(answer done) {
  post([this, done = std::move(done)] { done(status_now()); });
}

value daemon::status_now() const {
  value::list peers;
  for (const auto& [id, peer] : core_.peers()) {
    const auto* known = core_.known_nodes().find(id);
    peers.emplace_back(value::map{{"node", id.str()},
                                  {"address", peer.address},
                                  {"version", peer.version},
                                  {"state", std::string(to_string(known ? known->state : node_state::alive))},
                                  {"queued_bytes", core_.queued(id)},
                                  {"outbox", core_.deliveries().outbox_depth(id)}});
  }
  value::list troubles;
  for (const auto& t : core_.troubles().lines())
    troubles.emplace_back(value::map{{"at", format_time(t.at)}, {"level", t.level}, {"text", t.text}});
  const auto registry = core_.registry_statistics();
  const auto taken = core_.id_taken_by();
  const auto* run = runs_.under_way();
  return value::map{
      {"id", core_.id().str()},
      {"incarnation", core_.life().str()},
      {"version", core_.version()},
      {"address", core_.address()},
      {"started", format_time(core_.started())},
      {"environment", core_.about().environment},
      {"tls", config_.tls()},
      {"registry", value::map{{"url", config_.registry.str()},
                              {"state", std::string(to_string(core_.registry_state()))},
                              {"registered", core_.is_joined()},
                              {"id_taken_by", taken ? value(taken->address) : value()},
                              {"server", registry.server},
                              {"session", static_cast<std::int64_t>(registry.session)},
                              {"operations", static_cast<std::int64_t>(registry.operations)},
                              {"last_error", registry.last_error}}},
      {"journal", journal_now()},
      {"peers", std::move(peers)},
      {"queues", queues_now()},
      {"troubles", std::move(troubles)},
      {"resources", declared_.size()},
      {"chef", chef_.status()},
      {"run", run ? value(value::map{{"id", run->id()}, {"started", format_time(run->started())}}) : value()}};
}

std::map<receipt_state, std::size_t> daemon::notifications_by_state() const {
  std::map<receipt_state, std::size_t> counts;
  for (auto s = 1; s <= static_cast<int>(last_receipt_state); ++s) counts[static_cast<receipt_state>(s)] = 0;
  for (const auto* r : core_.deliveries().records().list({}, {})) ++counts[r->state()];
  return counts;
}

value daemon::queues_now() const {
  const auto& deliveries = core_.deliveries();
  value::list receivers;
  for (const auto& id : deliveries.receivers())
    receivers.emplace_back(value::map{
        {"node", id.str()}, {"waiting", deliveries.outbox_depth(id)}, {"connected", core_.peers().contains(id)}});
  value::map by_state;
  for (const auto& [state, count] : notifications_by_state()) by_state.emplace(to_string(state), count);
  const auto oldest = deliveries.oldest_waiting();
  return value::map{{"outbox", deliveries.outbox_depth()},
                    {"receivers", std::move(receivers)},
                    {"notifications_open", deliveries.records().open()},
                    {"notifications", std::move(by_state)},
                    {"oldest", oldest ? value(format_time(*oldest)) : value()}};
}

value daemon::journal_now() const {
  const auto stats = core_.journal().stats();
  const auto trouble = core_.journal().trouble();
  return value::map{{"path", stats.path},
                    {"bytes", static_cast<std::int64_t>(stats.bytes)},
                    {"commits", static_cast<std::int64_t>(stats.commits)},
                    {"waiting", stats.waiting},
                    {"set_aside", stats.set_aside},
                    {"trouble", trouble ? value(trouble->what) : value()},
                    {"last_error", stats.last_error}};
}

void daemon::metrics(std::function<void(std::string)> done) {
  post([this, done = std::move(done)] { done(metrics_now()); });
}

std::string daemon::metrics_now() const {
  std::ostringstream out;
  auto gauge = [&](std::string_view name, std::string_view help, auto number) {
    out << "# HELP flock_" << name << ' ' << help << "\n# TYPE flock_" << name << " gauge\nflock_" << name << ' '
        << number << '\n';
  };
  std::array<std::size_t, static_cast<std::size_t>(last_node_state) + 1> states{};
  for (const auto* n : core_.known_nodes().all()) ++states[static_cast<std::size_t>(n->state)];
  out << "# HELP flock_nodes Nodes known, by state.\n# TYPE flock_nodes gauge\n";
  for (std::size_t s = 1; s < states.size(); ++s)
    out << "flock_nodes{state=\"" << to_string(static_cast<node_state>(s)) << "\"} " << states[s] << '\n';
  gauge("peers", "Nodes connected.", core_.peers().size());
  gauge("registered", "Whether this node stands in the registry.", core_.is_joined() ? 1 : 0);
  gauge("outbox_parcels", "Parcels not acknowledged by their receivers.", core_.deliveries().outbox_depth());
  gauge("notifications_open", "Notifications without a terminal receipt.", core_.deliveries().records().open());
  out << "# HELP flock_notifications Notifications that are kept, by state.\n# TYPE flock_notifications gauge\n";
  for (const auto& [state, count] : notifications_by_state())
    out << "flock_notifications{state=\"" << to_string(state) << "\"} " << count << '\n';
  gauge("resources", "Declared resources.", declared_.size());
  const auto oldest = core_.deliveries().oldest_waiting();
  const auto age = oldest ? std::chrono::duration<double>(core_.wall() - *oldest).count() : 0.0;
  gauge("oldest_waiting_seconds", "Age of the oldest notification that is not acknowledged.", age);
  const auto journal = core_.journal().stats();
  gauge("journal_bytes", "Size of the journal on the disk.", journal.bytes);
  gauge("journal_waiting", "Writes that are not durable yet.", journal.waiting);
  gauge("journal_set_aside", "Damaged records that are kept for people to look at.", journal.set_aside);
  gauge("journal_trouble", "Whether the disk is full or broken.", core_.journal().trouble() ? 1 : 0);
  out << "# HELP flock_journal_commits_total Commits of the journal.\n# TYPE flock_journal_commits_total counter\n"
      << "flock_journal_commits_total " << journal.commits << '\n';
  const auto registry = core_.registry_statistics();
  out << "# HELP flock_registry_operations_total Requests to the registry.\n# TYPE flock_registry_operations_total "
         "counter\n"
      << "flock_registry_operations_total " << registry.operations << '\n'
      << "# HELP flock_registry_watches_fired_total Watches of the registry that fired.\n"
      << "# TYPE flock_registry_watches_fired_total counter\nflock_registry_watches_fired_total "
      << registry.watches_fired << '\n';
  return out.str();
}

control_backend::subscription_handle daemon::follow_events(std::optional<std::string> since,
                                                           std::function<void(result<event_log::page>)> first,
                                                           std::function<void(const event&)> next) {
  auto place = std::make_shared<std::uint64_t>(0);  // of the follower in the log; only touched in the home mailbox
  auto gone = std::make_shared<std::atomic<bool>>(false);
  post([this, since = std::move(since), first = std::move(first), next = std::move(next), place, gone] {
    if (*gone) return;
    first(core_.events().since(since ? std::optional<std::string_view>(*since) : std::nullopt));
    *place = core_.events().follow([next, gone](const event& e) {
      if (!*gone) next(e);
    });
  });
  auto forget = [this, place, gone](void*) {
    *gone = true;
    post([this, place] { core_.events().unfollow(*place); });
  };
  return {static_cast<void*>(place.get()), forget};
}

}  // namespace flock
