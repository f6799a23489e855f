#include <flock/event_log.hpp>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace flock {

value event::to_value() const {
  auto out = members;
  out.insert_or_assign("cursor", cursor);
  out.insert_or_assign("at", format_time(at));
  out.insert_or_assign("type", type);
  return out;
}

event_log::event_log(std::string life, std::size_t keep) : life_(std::move(life)), keep_(keep) {}

void event_log::add(std::string type, wall_time at, value::map members) {
  events_.push_back({life_ + "." + std::to_string(next_++), at, std::move(type), std::move(members)});
  if (events_.size() > keep_) events_.pop_front();
  // A follower may unfollow itself, or another one, while it is called.
  const auto now = followers_;
  for (const auto& [id, f] : now)
    if (followers_.contains(id)) f(events_.back());
}

result<event_log::page> event_log::since(std::optional<std::string_view> cursor) const {
  if (!cursor) return page{{events_.begin(), events_.end()}, next_ > events_.size() + 1};
  const auto dot = cursor->rfind('.');
  std::uint64_t number = 0;
  const auto* end = cursor->data() + cursor->size();
  const auto not_one = error{error_code::bad_argument, "no cursor: " + std::string(*cursor)};
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == cursor->size()) return not_one;
  const auto read = std::from_chars(cursor->data() + dot + 1, end, number);
  if (read.ec != std::errc() || read.ptr != end) return not_one;
  // From before a restart: what happened between is not known here.
  if (cursor->substr(0, dot) != life_) return page{{events_.begin(), events_.end()}, true};

  if (number >= next_) return not_one;
  page out;
  const auto first = next_ - events_.size();
  out.gap = number + 1 < first;
  for (auto n = std::max(first, number + 1); n < next_; ++n) out.events.push_back(events_[n - first]);
  return out;
}

std::uint64_t event_log::follow(follower f) {
  followers_.emplace(next_follower_, std::move(f));
  return next_follower_++;
}

void event_log::unfollow(std::uint64_t id) { followers_.erase(id); }

}  // namespace flock
