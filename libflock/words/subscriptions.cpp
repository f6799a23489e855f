#include "libflock/words/subscriptions.hpp"

#include "libflock/values/member_reader.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace flock {

namespace {

using internal::member_reader;
using internal::sentence;

/// 64-bit FNV-1a: the same everywhere and for ever, unlike std::hash.
std::string fingerprint(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  std::array<char, 16> digits{};
  auto [end, failed] = std::to_chars(digits.data(), digits.data() + digits.size(), hash, 16);
  std::string number(digits.data(), end);
  return std::string(digits.size() - number.size(), '0') + number;
}

}  // namespace

subscription subscription::make(resource_name watched, location publishers, resource_name resource, std::string action,
                                timing when) {
  subscription s{{}, std::move(watched), std::move(publishers), std::move(resource), std::move(action), when};
  s.id = fingerprint(to_json(s.to_value()));
  return s;
}

value subscription::to_value() const {
  return value::map{{"id", id},
                    {"watched", watched.str()},
                    {"publishers", publishers.to_value()},
                    {"resource", resource.str()},
                    {"action", action},
                    {"timing", to_string(when)}};
}

value wish::to_value() const {
  return value::map{{"id", id},
                    {"watched", watched.str()},
                    {"resource", resource.str()},
                    {"action", action},
                    {"timing", to_string(when)}};
}

result<wish> wish::from_value(const value& v) {
  member_reader in(v);
  auto id = in.required<std::string>("id");
  auto watched = in.required<resource_name>("watched");
  auto resource = in.required<resource_name>("resource");
  auto action = in.required<std::string>("action");
  auto when = in.named("timing", timing_from, last_timing);
  if (in.failed()) return *in.failed();
  return wish{*std::move(id), *std::move(watched), *std::move(resource), *std::move(action),
              when.value_or(timing::delayed)};
}

result<bool> subscription_table::replace(const node_id& subscriber, std::vector<wish> wishes) {
  if (wishes.size() > limits_.wishes_per_node) {
    return error{error_code::refused, subscriber.str() + " has " + std::to_string(wishes.size()) + " subscriptions; " +
                                          std::to_string(limits_.wishes_per_node) + " are allowed"};
  }
  auto known = by_node_.find(subscriber);
  if (known == by_node_.end() ? wishes.empty() : known->second == wishes) return false;
  forget(subscriber);
  for (std::size_t i = 0; i < wishes.size(); ++i) by_resource_[wishes[i].watched].emplace(subscriber, i);
  if (!wishes.empty()) by_node_.emplace(subscriber, std::move(wishes));
  return true;
}

void subscription_table::forget(const node_id& subscriber) {
  auto known = by_node_.find(subscriber);
  if (known == by_node_.end()) return;
  for (std::size_t i = 0; i < known->second.size(); ++i) {
    auto watched = by_resource_.find(known->second[i].watched);
    watched->second.erase({subscriber, i});
    if (watched->second.empty()) by_resource_.erase(watched);
  }
  by_node_.erase(known);
}

std::vector<subscription_table::match> subscription_table::matching(const resource_name& updated) const {
  std::vector<match> matches;
  auto watched = by_resource_.find(updated);
  if (watched == by_resource_.end()) return matches;
  for (const auto& [subscriber, index] : watched->second) {
    matches.push_back({subscriber, by_node_.at(subscriber)[index]});
  }
  return matches;
}

std::vector<subscription_table::match> subscription_table::all() const {
  std::vector<match> all;
  for (const auto& [subscriber, wishes] : by_node_) {
    for (const wish& w : wishes) all.push_back({subscriber, w});
  }
  return all;
}

broken subscription_table::check() const {
  std::size_t wishes = 0;
  for (const auto& [subscriber, of] : by_node_) {
    if (of.empty() || of.size() > limits_.wishes_per_node)
      return sentence(subscriber, " has ", of.size(), " wishes, of at most ", limits_.wishes_per_node);
    wishes += of.size();
  }
  for (const auto& [watched, places] : by_resource_) {
    if (places.empty()) return sentence(watched, " is watched by nobody");
    wishes -= places.size();
    for (const auto& [subscriber, index] : places) {
      const auto at = by_node_.find(subscriber);
      if (at == by_node_.end() || index >= at->second.size() || at->second[index].watched != watched)
        return sentence("wish ", index, " of ", subscriber, " does not watch ", watched);
    }
  }
  if (wishes != 0) return "there are wishes that nobody finds, or places without any";
  return {};
}

}  // namespace flock
