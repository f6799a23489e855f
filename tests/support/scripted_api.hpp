#pragma once

#include "libflock/delivery/event_log.hpp"
#include "node/control/control_exchange.hpp"
#include "node/daemon_routes.hpp"
#include <flock/clock.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace flock::testing {

/// The control API of a flockd without the flockd: it takes what that takes, answers every question with the same
/// value, and tells what was asked. Events are real. Safe for threads if `reply` is set before the first question.
class scripted_api final : private event_source {
 public:
  explicit scripted_api(const clock& now) : api(now) {
    each_control_topic([this]<class Needs>(const control_topic<Needs>& topic) {
      if constexpr (std::same_as<Needs, event_source>)
        api.add(topic, static_cast<event_source&>(*this));
      else
        for (const auto& route : topic) api.add(route.is, [this](control_exchange& x) { return record(x); });
    });
  }

  control_api api;
  result<value> reply = value(value::map{});
  std::function<void(responder)> on_question;  ///< if set, does something else than to answer with `reply`

  /// What was asked last: "POST /v1/notify?wait=completed {...}", without the time-out, or a body that says nothing.
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

 private:
  result<void> record(control_exchange& x) {
    const auto until = x.deadline();
    if (!until) return until.error();
    if (x.operation.body.schema["properties"].as_map() && !x.request.body.empty())
      if (const auto body = x.body(); !body) return body.error();
    {
      std::lock_guard lock(mutex_);
      asked_ = question(x);
      until_ = *until;
    }
    if (on_question)
      on_question(answer(x));
    else
      answer(x)(reply);
    return {};
  }

  // What is scripted as a whole is answered as it is.
  static responder answer(const control_exchange& x) {
    return [wrapped = x.answer(), done = x.done, member = x.operation.answer.member](result<value> r) {
      if (!r || !r->as_map() || !r->as_map()->contains(member)) return wrapped(std::move(r));
      done({.body = to_json(*r) + "\n"});
    };
  }

  static std::string question(const control_exchange& x) {
    std::string all = x.request.method + " " + x.path;
    char before = '?';
    for (const auto& p : x.operation.parameters) {
      if (p.name == "timeout") continue;
      for (const auto& text : x.parameters.all(p.name)) {
        all.append(1, before).append(p.name).append("=").append(*text.as_text());
        before = '&';
      }
    }
    return x.operation.body.schema.is_null() || x.request.body.empty() ? all : all + " " + x.request.body;
  }

  std::shared_ptr<void> follow_events(std::optional<std::string> since,
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

  mutable std::mutex mutex_;  // guards all below
  std::string asked_;
  time_point until_{};
  event_log events_{"life", {.keep = 100}};
  int followers_ = 0;
};

}  // namespace flock::testing
