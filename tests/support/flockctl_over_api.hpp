#pragma once

#include "tests/support/flockctl_shell.hpp"
#include "tests/support/scripted_api.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flock::testing {

/// flockctl on top of the control API itself, without a socket between them.
class flockctl_over_api : public flockctl_shell {
 public:
  /// What the API was asked by a command that went well.
  std::string asked_by(const std::vector<std::string>& words) {
    CHECK((run(words) == ctl::exit_code::ok));
    CHECK(err.empty());
    return backend.asked();
  }

  std::string refusal_of(const std::vector<std::string>& words) {
    CHECK((run(words) == ctl::exit_code::usage));
    CHECK(out.empty());
    CHECK(has(err, "\nflockctl help tells more.\n"));
    return err.substr(0, err.find('\n'));
  }

  scripted_api backend{clock};
  std::optional<error> out_of_reach;
  std::deque<error> ends;  ///< of streams of events, one after the other
  std::vector<std::string> cursors;
  std::string socket;
  time_point deadline{};

 private:
  ctl::local_flockd::reply ask(const control_request& request, time_point until) {
    deadline = until;
    if (out_of_reach) return *out_of_reach;
    std::optional<control_reply> reply;
    backend.api.handle(request, [&](auto r) { reply = control_reply{r.status, std::move(r.body)}; });
    REQUIRE(reply);
    return *reply;
  }

  ctl::local_flockd::reply follow(std::string_view target, std::string_view after, time_point until,
                                  const ctl::local_flockd::follower& next) {
    cursors.emplace_back(after);
    const auto reply = ask({"GET", std::string(target) + "?follow=false", std::string(after), {}}, until);
    if (!reply || reply->status != 200) return reply;
    for (const auto& e : server_sent_events().feed(reply->body)) next(e);
    REQUIRE(!ends.empty());
    const auto end = ends.front();
    ends.pop_front();
    return end;
  }

  ctl::local_flockd connect(const std::string& path) override {
    socket = path;
    return ctl::local_flockd({.get =
                                  [this](auto target, auto until) {
                                    return ask({"GET", std::string(target), {}, {}}, until);
                                  },
                              .post =
                                  [this](auto target, auto body, auto until) {
                                    return ask({"POST", std::string(target), {}, std::string(body)}, until);
                                  },
                              .follow = [this](auto target, auto after, auto until,
                                               const auto& next) { return follow(target, after, until, next); }},
                             path);
  }
};

/// A command line and some more words.
inline std::vector<std::string> operator+(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline const std::vector<std::string> notify = {"notify", "execute[kill all humans]", "run", "--node", "bender1"};

}  // namespace flock::testing
