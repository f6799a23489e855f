#include "libflock/delivery/event_log.hpp"

#include "libflock/values/value_writer.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstddef>
#include <system_error>
#include <utility>

namespace flock {

using internal::sentence;
using internal::whole_at_end;

value event::to_value() const {
  auto out = members;
  out.insert_or_assign("cursor", cursor);
  out.insert_or_assign("at", format_time(at));
  out.insert_or_assign("type", type);
  return out;
}

event_log::event_log(std::string name, limits l) : name_(std::move(name)), limits_(l) {}

packed_event event_log::make(std::string_view type, wall_time at, const value::map& members) {
  packed_event e{next_++, at, {}};
  internal::value_writer to(e.form);
  to.map(3).member("at", at.time_since_epoch().count()).member("members", members).member("type", type);
  return e;
}

event event_log::unpack(const packed_event& e) const {
  std::string_view form = e.form;
  auto made = decode(form, {.bytes = form.size()});
  assert(made);
  return {e.number, name_ + "." + std::to_string(e.number), e.at, *(*made)["type"].as_text(),
          std::move(*made->as_map()->at("members").as_map())};
}

void event_log::restore(std::uint64_t number, std::string_view type, wall_time at, const value::map& members) {
  continue_at(number);
  keep(make(type, at, members));
}

void event_log::continue_at(std::uint64_t next) {
  if (next != shown_) events_.clear();
  next_ = shown_ = next;
}

void event_log::show(packed_event e) {
  keep(std::move(e));
  if (followers_.empty()) return;
  const auto shown = unpack(events_.back());
  // A follower may unfollow itself, or another one, while it is called.
  const auto now = followers_;
  for (const auto& [id, f] : now)
    if (followers_.contains(id)) f(shown);
}

void event_log::keep(packed_event e) {
  const whole_at_end look([this] { return check(); });
  shown_ = e.number + 1;
  events_.push_back(std::move(e));
  const auto oldest = events_.back().at - limits_.age;
  while (events_.size() > limits_.keep || events_.front().at < oldest) events_.pop_front();
}

result<event_log::page> event_log::since(std::optional<std::string_view> cursor) const {
  const auto first = shown_ - events_.size();
  if (!cursor) return page_from(first, first > 1);
  const auto dot = cursor->rfind('.');
  std::uint64_t number = 0;
  const auto* end = cursor->data() + cursor->size();
  const auto not_one = error{error_code::bad_argument, "no cursor: " + std::string(*cursor)};
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == cursor->size()) return not_one;
  const auto read = std::from_chars(cursor->data() + dot + 1, end, number);
  if (read.ec != std::errc() || read.ptr != end) return not_one;
  // Of another storage: what happened between is not known here.
  if (cursor->substr(0, dot) != name_) return page_from(first, true);

  if (number >= shown_) return not_one;
  return page_from(std::max(first, number + 1), number + 1 < first);
}

event_log::page event_log::page_from(std::uint64_t number, bool gap) const {
  page out{{}, gap};
  for (auto at = events_.end() - static_cast<std::ptrdiff_t>(shown_ - number); at != events_.end(); ++at)
    out.events.push_back(unpack(*at));
  return out;
}

std::uint64_t event_log::follow(follower f) {
  followers_.emplace(next_follower_, std::move(f));
  return next_follower_++;
}

void event_log::unfollow(std::uint64_t id) { followers_.erase(id); }

broken event_log::check() const {
  if (shown_ == 0 || shown_ > next_) return sentence("event ", shown_ - 1, " was shown, and the next is ", next_);
  if (events_.size() > limits_.keep) return sentence(events_.size(), " events are kept, of at most ", limits_.keep);
  if (!events_.empty() && (events_.front().number + events_.size() != shown_ || events_.back().number + 1 != shown_))
    return sentence(events_.size(), " events, ", events_.front().number, " to ", events_.back().number,
                    ", are kept, and the last one shown is ", shown_ - 1);
  return {};
}

}  // namespace flock
