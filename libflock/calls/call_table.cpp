#include "libflock/calls/call_table.hpp"

#include "libflock/seams/message.hpp"

#include <vector>

namespace flock {

using internal::sentence;
using internal::whole_at_end;

std::uint64_t call_table::add(const node_id& to, time_point until, responder answer, bool sent) {
  std::optional<error> closed;
  std::uint64_t id = 0;
  {
    std::lock_guard lock(mutex_);
    const whole_at_end look([this] { return check_sizes(); });
    if (next_ == nobody_waits) ++next_;
    id = next_++;
    closed = closed_;
    if (!closed) {
      deadlines_.emplace(until, id);
      calls_.emplace(id, entry{to, until, std::move(answer), sent});
    }
  }
  if (closed) answer(*closed);
  return id;
}

bool call_table::sent(std::uint64_t id) {
  std::lock_guard lock(mutex_);
  auto it = calls_.find(id);
  if (it == calls_.end()) return false;
  it->second.sent = true;
  return true;
}

void call_table::unsent(std::uint64_t id) {
  std::lock_guard lock(mutex_);
  if (auto it = calls_.find(id); it != calls_.end()) it->second.sent = it->second.orphaned = false;
}

void call_table::settle(const node_id& from, std::uint64_t id, result<value> answer) {
  responder settled;
  {
    std::lock_guard lock(mutex_);
    const whole_at_end look([this] { return check_sizes(); });
    auto it = calls_.find(id);
    if (it == calls_.end() || it->second.to != from) return;
    settled = std::move(it->second.answer);
    deadlines_.erase({it->second.until, id});
    calls_.erase(it);
  }
  settled(std::move(answer));
}

template <class Which, class Answer> void call_table::answer_where(Which which, Answer answer) {
  std::vector<entry> out;
  {
    std::lock_guard lock(mutex_);
    const whole_at_end look([this] { return check_sizes(); });
    for (auto it = calls_.begin(); it != calls_.end();) {
      if (!which(it->second)) {
        ++it;
        continue;
      }
      deadlines_.erase({it->second.until, it->first});
      out.push_back(std::move(it->second));
      it = calls_.erase(it);
    }
  }
  for (auto& e : out) e.answer(answer(e));
}

void call_table::orphan(const node_id& to) {
  std::lock_guard lock(mutex_);
  for (auto& [id, e] : calls_)
    if (e.sent && e.to == to) e.orphaned = true;
}

void call_table::lose(const node_id& to, const error& why) {
  answer_where([&](const entry& e) { return e.orphaned && e.to == to; },
               [&](const entry&) {
                 return error{error_code::maybe_done, why.what + " before it answered"};
               });
}

void call_table::give_up(const node_id& to, const error& why) {
  answer_where([&](const entry& e) { return !e.sent && e.to == to; }, [&](const entry&) { return why; });
}

void call_table::expire(time_point now) {
  std::vector<entry> due;
  {
    std::lock_guard lock(mutex_);
    const whole_at_end look([this] { return check_sizes(); });
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      auto node = calls_.extract(deadlines_.begin()->second);
      deadlines_.erase(deadlines_.begin());
      due.push_back(std::move(node.mapped()));
    }
  }
  for (auto& e : due) {
    e.answer(e.sent ? error{error_code::maybe_done, "no answer from " + e.to.str() + " by the deadline"}
                    : error{error_code::timeout, "no connection to " + e.to.str() + " by the deadline"});
  }
}

std::optional<time_point> call_table::earliest() const {
  std::lock_guard lock(mutex_);
  if (deadlines_.empty()) return {};
  return deadlines_.begin()->first;
}

void call_table::close(const error& why) {
  {
    std::lock_guard lock(mutex_);
    closed_ = why;
  }
  answer_where([](const entry&) { return true; },
               [&](const entry& e) {
                 return e.sent ? error{error_code::maybe_done, why.what} : why;
               });
}

std::size_t call_table::size() const {
  std::lock_guard lock(mutex_);
  return calls_.size();
}

broken call_table::check() const {
  std::lock_guard lock(mutex_);
  for (const auto& [id, e] : calls_) {
    if (!deadlines_.contains({e.until, id})) return sentence("call ", id, " to ", e.to, " has no deadline");
    if (e.orphaned && !e.sent) return sentence("call ", id, " to ", e.to, " lost its connection, and was never sent");
    if (!e.answer) return sentence("call ", id, " to ", e.to, " has nobody to answer");
  }
  if (closed_ && !calls_.empty()) return sentence(calls_.size(), " calls wait, and the table is closed");
  return check_sizes();
}

broken call_table::check_sizes() const {
  if (deadlines_.size() == calls_.size()) return {};
  return sentence(calls_.size(), " calls wait, and there are ", deadlines_.size(), " deadlines");
}

}  // namespace flock
