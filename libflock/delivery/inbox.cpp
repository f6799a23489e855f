#include "libflock/delivery/inbox.hpp"

#include <utility>

namespace flock {

using internal::sentence;
using internal::whole_at_end;

inbox::taken inbox::receive(const node_id& from, batch b) {
  const whole_at_end look([&] { return check(from, b.channel); });
  auto& at = channels_[{from, b.channel}];
  taken t;
  auto before = b.after;
  for (auto& item : b.items) {
    const auto number = item.number;
    if (number <= at.taken) {
      t.repeated = true;
    } else if (before > at.taken) {
      t.gap = true;
      break;
    } else {
      at.taken = number;
      t.fresh.push_back(std::move(item));
    }
    before = number;
  }
  return t;
}

void inbox::safe(const node_id& from, const std::string& channel, std::uint64_t upto) {
  const whole_at_end look([&] { return check(from, channel); });
  // Of a channel that was forgotten meanwhile, nothing is kept.
  if (auto at = channels_.find({from, channel}); at != channels_.end()) at->second.safe = upto;
}

acknowledgement inbox::safe_upto(const node_id& from, const std::string& channel) const {
  auto at = channels_.find({from, channel});
  return {channel, at == channels_.end() ? 0 : at->second.safe};
}

void inbox::restore(const node_id& from, const std::string& channel, std::uint64_t upto) {
  const whole_at_end look([&] { return check(from, channel); });
  channels_[{from, channel}] = {upto, upto};
}

std::vector<std::string> inbox::forget_others(const node_id& from, const std::string& channel) {
  std::vector<std::string> forgotten;
  for (auto at = channels_.lower_bound({from, ""}); at != channels_.end() && at->first.first == from;) {
    if (at->first.second == channel) {
      ++at;
      continue;
    }
    forgotten.push_back(at->first.second);
    at = channels_.erase(at);
  }
  return forgotten;
}

broken inbox::check() const {
  for (const auto& channel : channels_)
    if (auto why = check(channel)) return why;
  return {};
}

broken inbox::check(const node_id& from, const std::string& channel) const {
  const auto at = channels_.find({from, channel});
  return at == channels_.end() ? broken() : check(*at);
}

broken inbox::check(const channel_map::value_type& channel) {
  const auto& [name, at] = channel;
  if (name.second.empty()) return sentence("a channel from ", name.first, " has no name");
  if (at.safe > at.taken)
    return sentence("number ", at.safe, " from ", name.first, " is said to be durable, and only those to ", at.taken,
                    " were taken");
  return {};
}

}  // namespace flock
