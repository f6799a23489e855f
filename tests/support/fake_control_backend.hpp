#pragma once

#include "libflock/delivery/event_log.hpp"
#include "node/control/control_backend.hpp"
#include <flock/value_cast.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace flock::testing {

/// Answers every question with the same value, and tells what was asked. Events are real. Safe for threads if `reply`
/// is set before the first question.
class fake_control_backend final : public control_backend {
 public:
  result<value> reply = value(value::map{});
  std::function<void(answer)> on_question;  ///< if set, does something else than to answer with `reply`

  /// What was asked last, in words.
  std::string asked() const {
    std::lock_guard lock(mutex_);
    return asked_;
  }
  time_point until() const {
    std::lock_guard lock(mutex_);
    return until_;
  }

  void add_event(std::string type, value::map members = {}) {
    std::lock_guard lock(mutex_);
    events_.show(events_.make(std::move(type), wall_time{}, std::move(members)));
  }
  int followers() const {
    std::lock_guard lock(mutex_);
    return followers_;
  }

  run_handle begin_run(value about, answer first, std::function<void(const value&)> next) override {
    {
      std::lock_guard lock(mutex_);
      asked_ = "begin_run " + to_json(about);
      to_run_ = std::move(next);
    }
    first(reply);
    return {static_cast<void*>(&runs_ended_), [this](void*) { ++runs_ended_; }};
  }
  void tell_run(const std::string& run, run_word word, value body, answer done) override {
    ask("tell_run " + run + " " + std::to_string(static_cast<int>(word)) + " " + to_json(body), {}, std::move(done));
  }
  /// Tells the run that was begun last.
  void tell(const value& what) const {
    std::lock_guard lock(mutex_);
    to_run_(what);
  }
  int runs_ended() const { return runs_ended_; }

  void status(answer done) override { ask("status", {}, std::move(done)); }
  void nodes(std::optional<location> where, time_point until, answer done) override {
    ask("nodes " + (where ? to_json(where->to_value()) : "all"), until, std::move(done));
  }
  void node(const node_id& id, time_point until, answer done) override {
    ask("node " + id.str(), until, std::move(done));
  }
  void ping(const node_id& id, time_point until, answer done) override {
    ask("ping " + id.str(), until, std::move(done));
  }
  void actors(std::optional<node_id> of, time_point until, answer done) override {
    ask("actors " + name(of), until, std::move(done));
  }
  void resources(std::optional<node_id> of, time_point until, answer done) override {
    ask("resources " + name(of), until, std::move(done));
  }
  void subscriptions(std::optional<node_id> of, time_point until, answer done) override {
    ask("subscriptions " + name(of), until, std::move(done));
  }
  void call(const address& to, std::string method, value::list arguments, time_point until, answer done) override {
    ask("call " + to.str() + " " + method + " " + to_json(arguments), until, std::move(done));
  }
  void notify(wanted_action what, wait_for state, time_point until, answer done) override {
    const auto* how = state == wait_for::queued     ? "notify and go "
                      : state == wait_for::accepted ? "notify "
                                                    : "notify and wait ";
    ask(how + to_json(what.to_value()), until, std::move(done));
  }
  void delay(wanted_action what, std::optional<std::string> run, answer done) override {
    ask("at the end of " + run.value_or("the run") + " notify " + to_json(what.to_value()), {}, std::move(done));
  }
  void updated(const resource_name& resource, std::string action, time_point until, answer done) override {
    ask("updated " + resource.str() + " " + action, until, std::move(done));
  }
  void converge(bool why_run, answer done) override { ask(why_run ? "why-run" : "converge", {}, std::move(done)); }
  void notifications(std::optional<receipt_state> state, std::optional<node_id> node, answer done) override {
    ask("notifications " + std::string(state ? to_string(*state) : "any") + " " + name(node), {}, std::move(done));
  }
  void notification(const std::string& id, answer done) override { ask("notification " + id, {}, std::move(done)); }
  void await(std::vector<std::string> ids, time_point until, answer done) override {
    ask("await " + to_json(to_value(ids)), until, std::move(done));
  }
  void cancel(const std::string& id, time_point until, answer done) override {
    ask("cancel " + id, until, std::move(done));
  }
  void retry(const std::string& id, time_point until, answer done) override {
    ask("retry " + id, until, std::move(done));
  }
  void reload(answer done) override { ask("reload", {}, std::move(done)); }
  void metrics(std::function<void(std::string)> done) override { done("flock_peers 2\n"); }

  subscription_handle follow_events(std::optional<std::string> since,
                                    std::function<void(result<event_log::page>)> first,
                                    std::function<void(const event&)> next) override {
    std::lock_guard lock(mutex_);
    first(events_.since(since));
    const auto follower = events_.follow(std::move(next));
    ++followers_;
    return {static_cast<void*>(this), [this, follower](void*) {
              std::lock_guard unfollowing(mutex_);
              events_.unfollow(follower);
              --followers_;
            }};
  }

 private:
  void ask(std::string question, time_point until, answer done) {
    {
      std::lock_guard lock(mutex_);
      asked_ = std::move(question);
      until_ = until;
    }
    if (on_question)
      on_question(std::move(done));
    else
      done(reply);
  }

  static std::string name(const std::optional<node_id>& id) { return id ? id->str() : "here"; }

  mutable std::mutex mutex_;  // guards all below
  std::string asked_;
  time_point until_{};
  event_log events_{"life", {.keep = 100}};
  int followers_ = 0;
  std::function<void(const value&)> to_run_;
  std::atomic<int> runs_ended_{0};
};

}  // namespace flock::testing
