#include "libflock/delivery/inbox.hpp"

#include <utility>

namespace flock {

inbox::taken inbox::receive(const node_id& from, batch b) {
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
  // Of a channel that was forgotten meanwhile, nothing is kept.
  if (auto at = channels_.find({from, channel}); at != channels_.end()) at->second.safe = upto;
}

acknowledgement inbox::safe_upto(const node_id& from, const std::string& channel) const {
  auto at = channels_.find({from, channel});
  return {channel, at == channels_.end() ? 0 : at->second.safe};
}

void inbox::restore(const node_id& from, const std::string& channel, std::uint64_t upto) {
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

}  // namespace flock
