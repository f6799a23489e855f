#include "libflock/tls/dialler.hpp"

#include <functional>
#include <utility>

namespace flock::internal {

namespace asio = boost::asio;

namespace {

using clock = std::chrono::steady_clock;

// Enough to keep two ends busy on a loopback, where a handshake is two milliseconds of one CPU or so. Where it lasts
// longer, as peers are far away or do not answer, this is 256 in a second.
constexpr std::size_t dials_at_once = 64;
constexpr milliseconds dial_patience{250};

}  // namespace

dialler::dialler(asio::io_context& io, const transport_limits& limits, std::uint64_t seed, host& of)
    : io_(io),
      limits_(limits),
      seed_(seed),
      host_(of),
      lookup_(io),
      turns_(dials_at_once, dial_patience),
      next_turn_(io) {}

void dialler::want(const node_id& id, const std::string& address) {
  if (stopped_) return;
  const auto seed = seed_ ^ std::hash<node_id>()(id);
  auto [at, fresh] = targets_.try_emplace(id, target{address, dial_pauses(limits_, seed), asio::steady_timer(io_)});
  auto& t = at->second;
  if (!fresh && t.address != address) {
    abandon(id, t);
    t.address = address;
  }
  t.pauses.reset();
  attempt(id);
}

void dialler::forget(const node_id& id) {
  auto node = targets_.extract(id);
  if (node) abandon(id, node.mapped());
}

void dialler::reached(const node_id& id, const connection& by) {
  const auto at = targets_.find(id);
  if (at == targets_.end()) return;
  auto& t = at->second;
  if (t.attempt.get() == &by) t.attempt.reset();
  abandon(id, t);
  t.rejected.clear();
}

void dialler::attempt_ended(const connection& attempt, const error& why) {
  const auto& id = *attempt.wanted;
  const auto at = targets_.find(id);
  if (at == targets_.end() || at->second.attempt.get() != &attempt) return;
  at->second.attempt.reset();
  if (host_.is_connected(id)) return end_turn(id);  // it was not needed in the end
  const auto how = attempt.nobody_listens()          ? dial_failure::nobody_listens
                   : why.code == error_code::refused ? dial_failure::rejected
                                                     : dial_failure::no_answer;
  failed(id, how, why.what);
}

void dialler::lost(const node_id& id, const connection& used, const error& why) {
  const auto at = targets_.find(id);
  if (at == targets_.end() || stopped_) return;
  const bool said_goodbye = why.code == error_code::shutting_down;
  redial(id, at->second.pauses.after_loss(clock::now(), used.kept_since(), said_goodbye));
}

std::vector<std::shared_ptr<connection>> dialler::stop() {
  stopped_ = true;
  next_turn_.cancel();
  std::vector<std::shared_ptr<connection>> attempts;
  for (auto& [id, t] : std::exchange(targets_, {})) {
    if (t.attempt) attempts.push_back(std::exchange(t.attempt, nullptr));
    abandon(id, t);
  }
  return attempts;
}

// -- attempts

// Forgets what is under way to reach it; nothing is reported.
void dialler::abandon(const node_id& id, target& t) {
  end_turn(id);
  ++t.tries;
  t.looking_up = false;
  t.timer.cancel();
  if (auto c = std::exchange(t.attempt, nullptr)) c->close({error_code::down, "not wanted any more"});
}

void dialler::attempt(const node_id& id) {
  const auto at = targets_.find(id);
  if (at == targets_.end() || host_.is_connected(id)) return;
  auto& t = at->second;
  if (t.attempt || t.looking_up) return;
  if (!turns_.request(id, clock::now())) return schedule_turns();
  t.looking_up = true;
  const auto current = [this, id, number = ++t.tries] {
    const auto now = targets_.find(id);
    return now != targets_.end() && now->second.tries == number;
  };
  t.timer.expires_after(limits_.handshake);
  t.timer.async_wait([this, id, current](const boost::system::error_code& stopped) {
    if (stopped || !current()) return;
    ++targets_.at(id).tries;
    found(id, error{error_code::unreachable, "the name servers do not answer"});
  });
  lookup_.start(t.address, [this, id, current](const result<endpoints>& where) {
    if (current()) found(id, where);
  });
}

void dialler::found(const node_id& id, const result<endpoints>& where) {
  auto& t = targets_.at(id);
  t.looking_up = false;
  t.timer.cancel();
  if (host_.is_connected(id)) return;
  if (!where) return failed(id, dial_failure::no_answer, t.address + ": " + where.error().what);
  t.attempt = host_.make_attempt(id);
  const auto c = t.attempt;
  c->dial(*where);
}

void dialler::failed(const node_id& id, dial_failure how, const std::string& why) {
  end_turn(id);
  auto& t = targets_.at(id);
  const bool rejected = how == dial_failure::rejected;
  const auto text = rejected ? id.str() + " at " + t.address + ": " + why : why;
  if (rejected && t.rejected != why) host_.rejected("no connection with " + text);
  if (rejected) t.rejected = why;
  redial(id, t.pauses.after_failure());
  host_.dial_failed(id, how, {rejected ? error_code::refused : error_code::unreachable, text});
}

void dialler::redial(const node_id& id, milliseconds pause) {
  auto& t = targets_.at(id);
  t.timer.expires_after(pause);
  t.timer.async_wait([this, id, number = ++t.tries](const boost::system::error_code& stopped) {
    const auto at = targets_.find(id);
    if (!stopped && at != targets_.end() && at->second.tries == number) attempt(id);
  });
}

// -- turns

// Its attempt is over, one way or the other.
void dialler::end_turn(const node_id& id) {
  turns_.end(id);
  schedule_turns();
}

void dialler::schedule_turns() {
  const auto when = turns_.next_at();
  if (!when || stopped_) return;
  next_turn_.expires_at(*when);
  next_turn_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) begin_next();
  });
}

void dialler::begin_next() {
  while (const auto id = turns_.next(clock::now())) {
    if (!targets_.contains(*id) || host_.is_connected(*id))
      turns_.end(*id);
    else
      attempt(*id);
  }
  schedule_turns();
}

}  // namespace flock::internal
